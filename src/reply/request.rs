//! What no employer asks for by mail before anybody has met: money, bank data, a scan of a passport.
//!
//! The phrases are data (`rules/suspicion.toml`). This module must not judge the sender.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::message::{Message, Zone};

/// The shipped data: name as the person sees it, and text.
const SHIPPED: &str = include_str!("../../rules/suspicion.toml");
/// Words that may stand where a phrase has `~`.
const GAP_MAX: usize = 6;

/// What is suspicious, as data.
#[derive(Debug)]
pub(super) struct Suspects {
    pub requests: Vec<Request>,
    /// Domains through which honest mail leads its links.
    pub redirectors: Vec<String>,
    /// Words in any language by which a sentence says that nobody asks.
    negations: Vec<String>,
}

/// Something that is asked for.
#[derive(Debug)]
pub(super) struct Request {
    /// kebab-case, stable.
    pub id: String,
    /// One sentence for the person.
    pub text: String,
    phrases: Vec<Phrase>,
    /// Words by which an honest mail asks for the same: the fare it pays back, the contract it prepares.
    unless: Vec<String>,
}

/// A run of words with gaps.
#[derive(Debug)]
struct Phrase(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    /// One of these words; a trailing `*` stands for more letters.
    Word(Vec<String>),
    Gap,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    redirectors: Vec<String>,
    negations: Vec<String>,
    request: Vec<RawRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    id: String,
    text: String,
    #[serde(default)]
    unless: Vec<String>,
    phrases: std::collections::BTreeMap<String, Vec<String>>,
}

/// The data. It is shipped and tested; could it not be read, nothing would be suspicious.
pub(super) fn suspects() -> &'static Suspects {
    static SUSPECTS: OnceLock<Suspects> = OnceLock::new();
    SUSPECTS.get_or_init(|| {
        let file = toml::from_str(SHIPPED).unwrap_or(File {
            redirectors: Vec::new(),
            negations: Vec::new(),
            request: Vec::new(),
        });
        let requests = file.request.into_iter().map(|raw| Request {
            id: raw.id,
            text: raw.text,
            phrases: raw.phrases.into_values().flatten().map(|text| Phrase::of(&text)).collect(),
            unless: raw.unless,
        });
        Suspects { requests: requests.collect(), redirectors: file.redirectors, negations: file.negations }
    })
}

impl Phrase {
    fn of(text: &str) -> Phrase {
        let piece = |word: &str| match word {
            "~" => Piece::Gap,
            word => Piece::Word(word.split('|').map(str::to_owned).collect()),
        };
        Phrase(text.split_whitespace().map(piece).collect())
    }

    fn stands_in(&self, words: &[String]) -> bool {
        (0..words.len()).any(|at| begins(&self.0, words.get(at..).unwrap_or_default()))
    }
}

fn begins(pieces: &[Piece], words: &[String]) -> bool {
    match (pieces.split_first(), words.split_first()) {
        (None, _) => true,
        (Some((Piece::Gap, rest)), _) => {
            (0..=GAP_MAX.min(words.len())).any(|skip| begins(rest, words.get(skip..).unwrap_or_default()))
        }
        (Some((Piece::Word(any), rest)), Some((word, more))) => is_one_of(word, any) && begins(rest, more),
        (Some((Piece::Word(_), _)), None) => false,
    }
}

fn is_one_of(word: &str, any: &[String]) -> bool {
    any.iter().any(|known| known.strip_suffix('*').map_or(word == known, |stem| word.starts_with(stem)))
}

/// What the mail itself asks for, its footer and what it quotes left aside: employers warn there of those who do.
pub(super) fn requests(message: &Message) -> Vec<&'static Request> {
    let suspects = suspects();
    let sentences: Vec<Vec<String>> = message
        .blocks
        .iter()
        .filter(|block| matches!(block.zone, Zone::Subject | Zone::Lead | Zone::Body | Zone::Closing))
        .flat_map(|block| block.text.split(['.', '!', '?', ';']))
        .map(|sentence| {
            let lower = sentence.to_lowercase();
            lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
        })
        .filter(|words: &Vec<String>| !words.iter().any(|word| is_one_of(word, &suspects.negations)))
        .collect();
    let asked = |request: &&Request| {
        let plain = sentences.iter().filter(|words| !words.iter().any(|word| is_one_of(word, &request.unless)));
        plain.into_iter().any(|words| request.phrases.iter().any(|phrase| phrase.stands_in(words)))
    };
    suspects.requests.iter().filter(asked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_data_can_be_read_and_covers_seven_languages() {
        let file: File = toml::from_str(SHIPPED).unwrap();
        assert!(file.redirectors.len() > 10 && file.negations.len() > 10);
        for request in &file.request {
            for language in ["de", "en", "es", "fr", "it", "nl", "pt"] {
                assert!(request.phrases[language].len() >= 2, "{} {language}", request.id);
            }
            for phrase in request.phrases.values().flatten() {
                assert_eq!(*phrase, phrase.to_lowercase());
                assert!(matches!(Phrase::of(phrase).0.first(), Some(Piece::Word(_))), "{phrase}");
            }
        }
        assert_eq!(suspects().requests.len(), file.request.len());
    }
}
