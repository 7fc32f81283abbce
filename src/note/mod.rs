//! The note that goes with a no: two to four true lines, chosen without repetition from data files.
//!
//! Pure. Numbers come in as facts that the caller read from the log; a note never states what is not in them.
//!
//! [`Notes`] holds the texts, [`choose()`] puts a note together, [`lint()`] checks the wording.

pub mod choose;
pub mod lint;
pub mod set;

pub use self::{
    choose::{NoteContext, NoteFact, choose},
    lint::lint,
    set::Notes,
};

use serde::{Deserialize, Serialize};

/// A note as shown, with what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Template id, e.g. `en/after-interview/04`.
    pub template: String,
    /// ISO 639-1.
    pub language: String,
    /// Two to four lines, at most 60 words.
    pub text: String,
    /// The names of the facts it states, for the rest period of 14 days.
    pub facts: Vec<String>,
}
