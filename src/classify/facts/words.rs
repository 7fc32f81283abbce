//! The word lists by which names are read, made ready once for a rule set. The words are data; what a name is worth is
//! not decided here.

use std::cmp::Reverse;

use super::names::as_domain;
use crate::rules::{
    RuleSet,
    words::{Beginnings, Endings, Stems, Tails, Words},
};

/// Shortest word that is looked for inside a label of a domain, in letters: *bar* ends *zanzibar*.
const INSIDE_CHARS_MIN: usize = 4;

/// The lists, each under what it is for.
#[derive(Debug)]
pub(crate) struct NameWords {
    /// What a team adds behind the employer's name (`display-suffixes`), and `team` itself.
    pub suffixes: Tails,
    /// What a team puts before the name, lower case (`display-prefixes`).
    pub prefixes: Words,
    /// By these words a name shows that it is no person's, lower case (`trade-words`).
    pub trades: Words,
    /// The same as domains spell them, the longest first.
    pub trades_in_labels: Vec<String>,
    /// In the label of a domain they show that its owner hires for others, anywhere or at its end (`agency-labels`).
    pub agency_parts: Beginnings,
    pub agency_ends: Endings,
    /// Kinds of places that stand for a role (`role-words`).
    pub role_words: Stems,
}

impl NameWords {
    /// The lists of a rule set, made ready when they are first asked for.
    pub(crate) fn of(rules: &RuleSet) -> &NameWords {
        rules.names.get_or_init(|| NameWords::read(rules))
    }

    fn read(rules: &RuleSet) -> NameWords {
        let list = |name| rules.list(name).iter().map(String::as_str);
        let mut inside: Vec<String> = list("trade-words").map(|word| as_domain(word, false)).collect();
        inside.retain(|word| word.chars().count() >= INSIDE_CHARS_MIN);
        inside.sort_by_key(|word| Reverse(word.len()));
        NameWords {
            suffixes: list("display-suffixes").chain(["team"]).collect(),
            prefixes: list("display-prefixes").collect(),
            trades: list("trade-words").collect(),
            trades_in_labels: inside,
            agency_parts: list("agency-labels").filter(|word| !word.starts_with('*')).collect(),
            agency_ends: list("agency-labels").filter_map(|word| word.strip_prefix('*')).collect(),
            role_words: list("role-words").collect(),
        }
    }
}
