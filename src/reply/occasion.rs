//! What the person did there (a telephone call, a trial day, a presentation), where the no itself thanks for it.
//!
//! What employers say and what a reply says for it is data (`templates/reply/occasions.toml`). What is not plain is
//! unknown. This module must not write a reply.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::lint::{contains_phrase, sentences};
use crate::{
    message::{Message, Zone},
    outcome::{Stage, named},
};

/// The data as it is shipped.
pub const OCCASIONS: &str = include_str!("../../templates/reply/occasions.toml");

named! {
    /// Something that a person who applied did with those who decide.
    pub enum Occasion {
        /// A talk on the telephone.
        Phone = "phone",
        /// A talk by video.
        Video = "video",
        /// A day or a shift on trial.
        Trial = "trial",
        /// A presentation or a pitch.
        Presentation = "presentation",
        /// A lesson taught on trial.
        Lesson = "lesson",
        /// A tour of the place.
        Tour = "tour",
        /// Work they had done before, shown.
        Portfolio = "portfolio",
        /// A case that was worked on together.
        Case = "case",
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: BTreeMap<String, Language>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    thanks: Vec<String>,
    occasions: BTreeMap<Occasion, Named>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    words: String,
    said: Vec<String>,
}

/// Read once. A test holds that the file can be read; without it nothing would be known.
static SHIPPED: LazyLock<File> = LazyLock::new(|| toml::from_str(OCCASIONS).unwrap_or_default());

/// The one occasion that a no of this stage thanks for; `None` where it names none or several, or where nobody met.
pub fn occasion(message: &Message, language: &str, stage: Stage) -> Option<Occasion> {
    if !matches!(stage, Stage::AfterInterview | Stage::AfterFinal) {
        return None;
    }
    let known = SHIPPED.language.get(language)?;
    let own = message.blocks.iter().filter(|block| matches!(block.zone, Zone::Lead | Zone::Body | Zone::Closing));
    let all: Vec<_> = own.flat_map(|block| sentences(&block.text)).collect();
    let thanking = |lower: &str| known.thanks.iter().any(|phrase| contains_phrase(lower, phrase));
    let names = |said: &[String], lower: &str| said.iter().any(|phrase| contains_phrase(lower, phrase));
    // Named anywhere: where two are, which of them the thanks are for is not plain.
    let mut named = known.occasions.iter().filter(|(_, named)| all.iter().any(|s| names(&named.said, &s.lower)));
    let (occasion, words) = named.next().filter(|_| named.next().is_none())?;
    all.iter().any(|s| thanking(&s.lower) && names(&words.said, &s.lower)).then_some(*occasion)
}

/// What stands for it in a reply of this language.
pub(super) fn words(occasion: Occasion, language: &str) -> Option<String> {
    SHIPPED.language.get(language)?.occasions.get(&occasion).map(|named| named.words.clone())
}

#[cfg(test)]
mod tests {
    use super::super::lint::compared;
    use super::*;
    use crate::message::Fetched;

    #[test]
    fn every_occasion_is_known_in_the_shipped_languages() {
        let file: File = toml::from_str(OCCASIONS).unwrap();
        assert_eq!(file.language.keys().collect::<Vec<_>>(), ["de", "en", "es", "fr", "it", "nl", "pt"]);
        for (name, language) in &file.language {
            assert_eq!(
                language.occasions.keys().collect::<Vec<_>>(),
                Occasion::ALL.iter().collect::<Vec<_>>(),
                "{name}"
            );
            for phrase in language.thanks.iter().chain(language.occasions.values().flat_map(|named| &named.said)) {
                assert_eq!(*phrase, compared(phrase), "never found as it is written");
            }
        }
    }

    #[test]
    fn only_what_a_no_thanks_for_is_named() {
        use Occasion::{Phone, Portfolio, Presentation, Trial, Video};
        use Stage::{AfterApplication, AfterFinal, AfterInterview};
        for (language, stage, text, expected) in [
            ("en", AfterInterview, "Thank you for the phone call last week. We chose another person.", Some(Phone)),
            ("en", AfterApplication, "Thank you for the phone call last week.", None),
            ("en", AfterFinal, "We enjoyed your presentation, and chose another person.", Some(Presentation)),
            ("en", AfterFinal, "Your presentation was too long for us. Thank you for coming.", None),
            ("en", AfterInterview, "Thank you for the video call and for your presentation.", None),
            ("en", AfterInterview, "Thank you for the video call. The trial day goes to someone else.", None),
            ("en", AfterInterview, "Thank you for your time.", None),
            ("en", AfterInterview, "We chose another person.\n\n> Thank you for the phone call.", None),
            ("de", AfterInterview, "danke für den Probetag bei uns.", Some(Trial)),
            ("fr", AfterInterview, "Merci pour l’échange téléphonique de mardi.", Some(Phone)),
            ("es", AfterInterview, "Gracias por la videollamada del lunes.", Some(Video)),
            ("it", AfterInterview, "abbiamo apprezzato il Suo portfolio.", Some(Portfolio)),
            ("nl", AfterInterview, "bedankt voor je presentatie.", Some(Presentation)),
            ("pt", AfterInterview, "agradecemos o dia de experiência.", Some(Trial)),
            ("fi", AfterInterview, "kiitos puhelusta.", None),
        ] {
            let raw = format!(
                "From: A <a@kestrel.example>\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear Sam,\r\n\r\n{}\r\n",
                text.replace('\n', "\r\n")
            );
            let message = Message::parse(raw.as_bytes(), Fetched::Whole);
            assert_eq!(occasion(&message, language, stage), expected, "{text}");
        }
    }
}
