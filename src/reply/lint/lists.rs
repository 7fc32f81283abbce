//! What the wording check looks for, read from `templates/reply/lint.toml`.
//!
//! The file says what each list is for. This module must not judge a text.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use serde::Deserialize;

/// What is looked for, as it is shipped.
pub const LISTS: &str = include_str!("../../../templates/reply/lint.toml");

/// The file of lists.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// `every` of the file.
    pub every: Every,
    /// `language` of the file.
    pub language: BTreeMap<String, Words>,
}

/// What is looked for in every language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Every {
    /// `holes` of the file.
    pub holes: Vec<String>,
    /// `links` of the file.
    pub links: Vec<String>,
}

/// What is looked for in one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// `holes` of the file.
    pub holes: Vec<String>,
    /// `salutations` of the file.
    pub salutations: Vec<String>,
    /// `function_words` of the file.
    pub function_words: Vec<String>,
    /// `arguing` of the file.
    pub arguing: Vec<String>,
    /// `reasons` of the file.
    pub reasons: Vec<String>,
    /// `reason_words` of the file.
    pub reason_words: Vec<String>,
    /// `attachments` of the file.
    pub attachments: Vec<String>,
    /// `releases` of the file.
    pub releases: Vec<String>,
    /// `titles` of the file.
    pub titles: Vec<String>,
}

/// Read once. A test holds that the file can be read, so that the empty lists never come to pass.
pub static SHIPPED: LazyLock<Lists> = LazyLock::new(|| toml::from_str(LISTS).unwrap_or_default());

/// The language of each function word.
pub static OWNERS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let pairs = SHIPPED.language.iter().flat_map(|(l, words)| words.function_words.iter().map(move |w| (w, l)));
    pairs.map(|(word, language)| (word.as_str(), language.as_str())).collect()
});

/// A text as it is compared: lower case, straight apostrophes, single spaces.
pub fn compared(text: &str) -> String {
    let text = text.to_lowercase().replace(['’', '‘', 'ʼ'], "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a phrase stands in the text on word borders; one that ends with `*` at the beginning of a word.
pub fn contains_phrase(lower: &str, phrase: &str) -> bool {
    let (start, whole) = phrase.strip_suffix('*').map_or((phrase, true), |start| (start, false));
    lower.match_indices(start).any(|(at, _)| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let starts = !letter(lower.get(..at).and_then(|s| s.chars().next_back()));
        let ends = !whole || !letter(lower.get(at.saturating_add(start.len())..).and_then(|s| s.chars().next()));
        starts && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_read_and_cover_the_shipped_languages() {
        let lists: Lists = toml::from_str(LISTS).unwrap();
        assert_eq!(lists.language.keys().collect::<Vec<_>>(), ["de", "en", "es", "fr", "it", "nl", "pt"]);
        let every = [&lists.every.holes, &lists.every.links].into_iter();
        let phrases = every.chain(lists.language.values().flat_map(|w| {
            [&w.salutations, &w.function_words, &w.arguing, &w.reasons, &w.reason_words, &w.attachments, &w.releases]
                .into_iter()
                .chain([&w.titles])
                .inspect(|list| assert!(!list.is_empty()))
                .chain([&w.holes])
        }));
        for phrase in phrases.flatten() {
            let kept = if phrase.ends_with(' ') { format!("{} ", compared(phrase)) } else { compared(phrase) };
            assert_eq!(&kept, phrase, "never found as it is written");
        }
        for (language, words) in &lists.language {
            for (other, others) in lists.language.iter().filter(|(other, _)| *other != language) {
                let shared = words.function_words.iter().find(|w| others.function_words.contains(w));
                assert_eq!(shared, None, "{language} and {other}");
            }
        }
    }
}
