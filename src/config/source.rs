//! From text to the mirror of the file, collecting every problem instead of stopping at the first.
//!
//! The text becomes a tree with places; serde reads the tree into the mirror; where it objects, the key it objects to is
//! reported, cut out of the tree, and serde reads again.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::{
    report::{Problem, Report},
    suggest::nearest,
};

/// Most problems of form reported; a file with more is not a configuration.
const PROBLEMS_MAX: usize = 100;

/// Collects problems and knows lines and columns.
pub(super) struct Source<'a> {
    file: PathBuf,
    text: &'a str,
    problems: Vec<(usize, Problem)>,
    hints: Vec<Problem>,
    cut: Vec<Cut>,
    /// Where the form of the file is shown.
    example: &'static str,
}

/// A key that was reported and taken out, so that its absence is not reported as well.
struct Cut {
    table: Range<usize>,
    key: String,
    meant: Option<String>,
}

impl<'a> Source<'a> {
    /// A file of that name with that text.
    pub fn new(file: &Path, text: &'a str) -> Source<'a> {
        Source::like(file, text, "config.example.toml")
    }

    /// A file of another form, which is shown at `example`.
    pub fn like(file: &Path, text: &'a str, example: &'static str) -> Source<'a> {
        Source { file: file.to_path_buf(), text, problems: Vec::new(), hints: Vec::new(), cut: Vec::new(), example }
    }

    /// Notes a problem at a place.
    pub fn problem(&mut self, at: Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        let problem = self.describe(Some(self.place(at.start)), message.into(), fix.into());
        self.problems.push((at.start, problem));
    }

    /// Notes what is no mistake and yet worth knowing.
    pub fn hint(&mut self, at: Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        let hint = self.describe(Some(self.place(at.start)), message.into(), fix.into());
        self.hints.push(hint);
    }

    /// The hints so far, in the order of the file.
    pub fn take_hints(&mut self) -> Vec<Problem> {
        self.hints.sort_by_key(|hint| (hint.line, hint.column));
        std::mem::take(&mut self.hints)
    }

    /// Line and column, from 1.
    fn place(&self, start: usize) -> (usize, usize) {
        let before = self.text.get(..start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        (line, before.chars().rev().take_while(|c| *c != '\n').count() + 1)
    }

    /// Notes a problem of the file as a whole; it stands first.
    pub fn problem_of_file(&mut self, message: impl Into<String>, fix: impl Into<String>) {
        let problem = self.describe(None, message.into(), fix.into());
        self.problems.push((0, problem));
    }

    /// Notes that a key of the table at `table` is missing, unless it was there in a form already reported. The place
    /// of the file's own table is `0..0`.
    pub fn missing(&mut self, table: &Range<usize>, key: &str, message: impl Into<String>, fix: impl Into<String>) {
        if !self.is_reported(table, key) {
            self.problem(table.clone(), message, fix);
        }
    }

    /// Whether that key of that table stood there in a form already reported.
    pub fn is_reported(&self, table: &Range<usize>, key: &str) -> bool {
        let same = |cut: &Cut| cut.table == *table && (cut.key == key || cut.meant.as_deref() == Some(key));
        self.cut.iter().any(same)
    }

    fn describe(&self, place: Option<(usize, usize)>, message: String, fix: String) -> Problem {
        Problem {
            file: self.file.clone(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            message: crate::clean::line(&message),
            fix: crate::clean::line(&fix),
        }
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// What was found, in the order of the file.
    pub fn into_report(mut self) -> Report {
        self.problems.sort_by_key(|(start, problem)| (problem.line.is_some(), *start));
        Report { problems: self.problems.into_iter().map(|(_, problem)| problem).collect() }
    }

    /// Reads the text. What could not be understood is reported and missing from the result; `None` when the text is
    /// not TOML at all, because what follows a broken line may have ended up in the wrong table.
    pub fn read<T: DeserializeOwned>(&mut self) -> Option<T> {
        let (mut tree, errors) = DeTable::parse_recoverable(self.text);
        for error in errors.iter().take(PROBLEMS_MAX) {
            let at = error.span().unwrap_or(0..0);
            self.problem(
                at,
                format!("this is not TOML: {}", error.message()),
                format!("see {} for the form", self.example),
            );
        }
        if !errors.is_empty() {
            return None;
        }
        for _ in 0..PROBLEMS_MAX {
            let error = match T::deserialize(Deserializer::from(tree.clone())) {
                Ok(raw) => return Some(raw),
                Err(error) => error,
            };
            let at = error.span().unwrap_or(0..0);
            let (message, fix, meant) = explain(error.message(), self.example);
            self.problem(at.clone(), message, fix);
            let (table, key) = cut(tree.get_mut(), 0..0, &at)?;
            self.cut.push(Cut { table, key, meant });
        }
        None
    }
}

/// Removes the entry whose key or value stands at `at`; gives the place of its table and its key.
fn cut(table: &mut DeTable<'_>, place: Range<usize>, at: &Range<usize>) -> Option<(Range<usize>, String)> {
    let hit = table.iter().find(|(key, value)| key.span() == *at || value.span() == *at).map(|(key, _)| key.clone());
    if let Some(key) = hit {
        table.remove(&key)?;
        return Some((place, key.get_ref().to_string()));
    }
    table.iter_mut().find_map(|(key, value)| {
        let place = value.span();
        cut_value(value.get_mut(), place, key.get_ref(), at)
    })
}

fn cut_value(
    value: &mut DeValue<'_>,
    place: Range<usize>,
    key: &str,
    at: &Range<usize>,
) -> Option<(Range<usize>, String)> {
    match value {
        DeValue::Table(table) => cut(table, place, at),
        DeValue::Array(array) if array.iter().any(|item| item.span() == *at) => {
            *value = DeValue::Array(array.iter().filter(|item| item.span() != *at).cloned().collect());
            Some((place, key.to_owned()))
        }
        DeValue::Array(array) => array.iter_mut().find_map(|item| {
            let place = item.span();
            cut_value(item.get_mut(), place, key, at)
        }),
        _ => None,
    }
}

/// serde's message in the person's terms, with a fix. A text that stood in the wrong place may be a password, so it is
/// never repeated.
fn explain(message: &str, example: &str) -> (String, String, Option<String>) {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = rest.split('`').skip(1).step_by(2);
        let given = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        let meant = nearest(given, known.iter().copied());
        let fix = match meant {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("remove it, or use one of: {}", known.join(", ")),
        };
        return (format!("unknown key `{given}`"), fix, meant.map(str::to_owned));
    }
    let (found, expected) = message.split_once(", expected ").unwrap_or((message, "another value"));
    let found =
        found.strip_prefix("invalid type: ").and_then(|found| found.split([' ', '`']).next()).unwrap_or_default();
    let found = match found {
        "map" => "a table",
        "sequence" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "boolean" => "true or false",
        _ => "something else",
    };
    let expected = match expected {
        "a sequence" => "a list",
        "i64" => "a whole number",
        "a string" => "a text",
        "a boolean" => "true or false",
        rust if rust.starts_with("struct ") => "a table",
        other => other,
    };
    let fix = match (found, expected) {
        ("a table", "a list") => "write its header with two brackets: [[account]], [[identity]]".to_owned(),
        _ => format!("see {example} for the form of this key"),
    };
    (format!("{found} stands where {expected} is expected"), fix, None)
}
