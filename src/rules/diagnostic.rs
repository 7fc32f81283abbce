//! What is wrong with rule files, said so that the author can fix it: a code, a place, the line, and a way out.
//!
//! Problems are values. This file must not decide which problems there are (the readers and the compiler do).

use std::fmt;

use serde::Serialize;

use crate::clean;

use super::{Layer, Source};

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The rules cannot be used.
    Error,
    /// The rules can be used, but something is likely not meant.
    Warning,
}

/// One problem in one place of a rule file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable code: `R001`–`R019` syntax, `R020`–`R029` limits, `R030`–`R039` references, `R040`–`R049` failed tests,
    /// `R100`–`R119` style.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// The file as the person would name it; empty where the problem is in no single file.
    pub file: String,
    /// Line, from 1; 0 where there is none.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do, where there is something more to say than the message does.
    pub help: Option<String>,
    /// The line of the file, cleaned and cut.
    pub excerpt: String,
}

/// Longest excerpt of a line, in characters: two terminal lines.
const EXCERPT_CHARS_MAX: usize = 160;
/// Characters of a line that are looked at for an excerpt, as cleaning may take some away: a line can be as long as a file,
/// and have a problem in every word.
const EXCERPT_OF_CHARS: usize = 4 * EXCERPT_CHARS_MAX;

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warn ",
        };
        write!(f, "{label}[{}]: {}", self.code, self.message)?;
        if !self.file.is_empty() {
            write!(f, "  {}:{}:{}", self.file, self.line, self.column)?;
        }
        if !self.excerpt.is_empty() {
            write!(f, "\n{:>5} | {}", self.line, self.excerpt)?;
            let before = self.column.saturating_sub(1) as usize;
            if before < EXCERPT_CHARS_MAX {
                write!(f, "\n      | {:before$}^", "")?;
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n      = {help}")?;
        }
        Ok(())
    }
}

/// A place in one of the loaded files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Index of the source.
    pub file: u16,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Collects every problem of a load.
pub(super) struct Problems<'s> {
    sources: &'s [Source],
    found: Vec<Diagnostic>,
}

impl<'s> Problems<'s> {
    pub(super) fn new(sources: &'s [Source]) -> Self {
        Problems { sources, found: Vec::new() }
    }

    /// The name of the file of a place.
    pub(super) fn file(&self, place: Place) -> &'s str {
        self.sources.get(usize::from(place.file)).map_or("", |s| s.name.as_str())
    }

    /// Where the file of a place comes from.
    pub(super) fn layer(&self, place: Place) -> Layer {
        self.sources.get(usize::from(place.file)).map_or(Layer::User, |s| s.layer)
    }

    pub(super) fn error(&mut self, code: &'static str, at: Place, message: impl Into<String>, help: Option<String>) {
        self.push(code, Severity::Error, at, message.into(), help);
    }

    pub(super) fn warn(&mut self, code: &'static str, at: Place, message: impl Into<String>, help: Option<String>) {
        self.push(code, Severity::Warning, at, message.into(), help);
    }

    /// A problem of the set as a whole, in no single file.
    pub(super) fn error_nowhere(&mut self, code: &'static str, message: impl Into<String>) {
        self.found.push(Diagnostic {
            code,
            severity: Severity::Error,
            file: String::new(),
            line: 0,
            column: 0,
            message: message.into(),
            help: None,
            excerpt: String::new(),
        });
    }

    fn push(&mut self, code: &'static str, severity: Severity, at: Place, message: String, help: Option<String>) {
        let source = self.sources.get(usize::from(at.file));
        let line = source.and_then(|s| s.text.lines().nth(at.line.saturating_sub(1) as usize)).unwrap_or_default();
        let start: String = line.chars().take(EXCERPT_OF_CHARS).collect();
        self.found.push(Diagnostic {
            code,
            severity,
            file: source.map_or_else(String::new, |s| clean::line(&s.name)),
            line: at.line,
            column: at.column,
            message: clean::line(&message),
            help: help.map(|h| clean::line(&h)),
            excerpt: clean::text(&start).replace(['\t', '\n'], " ").chars().take(EXCERPT_CHARS_MAX).collect(),
        });
    }

    pub(super) fn any_error(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// Everything found, in the order of files and lines.
    pub(super) fn into_sorted(self) -> Vec<Diagnostic> {
        let order = |name: &str| self.sources.iter().position(|s| s.name == name);
        let mut found = self.found;
        found.sort_by_key(|d| (order(&d.file), d.line, d.column, d.code));
        found
    }
}

/// Where a byte offset of a text stands.
pub(super) struct Lines {
    file: u16,
    /// Byte offset of each line's start.
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(file: u16, text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Lines { file, starts }
    }

    pub(super) fn place(&self, text: &str, offset: usize) -> Place {
        let line = self.starts.partition_point(|s| *s <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = text.get(start..offset).map_or(0, |t| t.chars().count()) + 1;
        Place { file: self.file, line: line as u32, column: column as u32 }
    }
}

/// The known name nearest to what was written, where one is near enough to be meant.
pub(super) fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let limit = (given.chars().count() / 3).clamp(1, 4);
    known.into_iter().map(|k| (distance(given, k), k)).filter(|(d, _)| *d <= limit).min().map(|(_, k)| k)
}

/// `did you mean …`, ready as help.
pub(super) fn did_you_mean<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(given, known).map(|k| format!("did you mean `{k}`?"))
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = *cell;
            left = substituted.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        for (given, known, expected) in [
            ("phrase", ["phrases", "regex"], Some("phrases")),
            ("en.rejction.regret", ["en.rejection.regret", "en.ack.thanks"], Some("en.rejection.regret")),
            ("zebra", ["phrases", "regex"], None),
        ] {
            assert_eq!(nearest(given, known), expected);
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
