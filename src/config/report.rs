//! What is wrong with a configuration, for people and for programs.

use std::{fmt, path::PathBuf};

use serde::Serialize;

/// One thing that is wrong: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The configuration file.
    pub file: PathBuf,
    /// Line, from 1; `None` when it concerns the file as a whole.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// Everything that is wrong, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The problems.
    pub problems: Vec<Problem>,
}

impl Problem {
    /// Where it is, as `file:line:column`.
    fn place(&self) -> String {
        let file = crate::clean::line(&self.file.display().to_string());
        match self.line {
            Some(line) => format!("{file}:{line}:{}", self.column.unwrap_or(1)),
            None => file,
        }
    }

    /// The line of something that is worth knowing and no mistake.
    pub fn as_hint(&self) -> String {
        format!("{}: hint: {}\n    {}", self.place(), self.message, self.fix)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: error: {}\n    fix: {}", self.place(), self.message, self.fix)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))?;
        match self.problems.len() {
            1 => f.write_str("1 problem in the configuration"),
            n => write!(f, "{n} problems in the configuration"),
        }
    }
}

impl std::error::Error for Report {}
