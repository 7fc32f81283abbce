//! The phrases of one language. They are compiled when a mail that may be written in it is first judged: nobody reads
//! mail in twenty languages, and what is never read should cost neither time nor memory.

use std::sync::OnceLock;

use super::{index::Index, phrase::Phrase, set::CueLists};

/// What is searched in the sentences of one language.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    /// ISO 639-1 code, or `und` for rules that name none.
    pub language: String,
    /// The phrases of its rules, each with the number of its rule.
    pub phrases: Vec<(usize, Phrase)>,
    /// What tells how a thing is said, where the language has such lists.
    pub cues: Option<CueLists>,
    pub(super) index: OnceLock<Index>,
}

impl Pack {
    pub(super) fn new(language: &str) -> Pack {
        Pack { language: language.to_owned(), ..Pack::default() }
    }
}
