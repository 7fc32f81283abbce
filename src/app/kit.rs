//! What judging and composing need besides the mail: rules, policy, texts, identities. Loaded whole, swapped whole.
//!
//! It reads the person's files through `io` and reports every problem; it must not judge mail.

use std::{fmt, path::Path};

use crate::{
    config::Config,
    io::rules_dir,
    note::Notes,
    reply::{Identity, Policy, Templates},
    rules::{self, RuleSet},
    telling::TellingPolicy,
};

/// Everything the core needs to make an outcome, a draft and a note of a message.
pub struct Kit {
    /// The rules in force.
    pub rules: RuleSet,
    /// The reply policy.
    pub policy: Policy,
    /// Reply texts.
    pub templates: Templates,
    /// Notes.
    pub notes: Notes,
    /// The person's identities.
    pub identities: Vec<Identity>,
    /// When the person is told.
    pub telling: TellingPolicy,
    /// Whether drafts are made at all.
    pub drafts: bool,
    /// Whether notes are made, and in which language when not the mail's.
    pub note_language: Option<NoteLanguage>,
}

/// The language notes are written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteLanguage {
    /// That of the mail, where there are notes in it.
    OfMail,
    /// Always this one (ISO 639-1).
    Always(String),
}
