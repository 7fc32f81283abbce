//! Rule files: their syntax, their checks, and the compiled set that judges mail.
//!
//! A rule file is data a person can read and change. [`load`] takes the sources in order (shipped ones first, the
//! person's after them), puts them together and gives a [`RuleSet`] or every problem there is, each with file, line
//! and a way out. Nothing in here reads files or looks at mail.
//!
//! Besides the keys of the format a rule may carry `relevance`: bits it adds to "this is mail about an application"
//! whatever its category, so that job words of a language are data. A rule of category `signal` scores nothing; other
//! rules refer to it, and its `set` table and captures state facts.

mod check;
mod compile;
mod diagnostic;
mod fmt;
mod index;
mod lint;
mod merge;
pub mod normal;
mod pack;
pub mod phrase;
mod reader;
mod sample;
mod schema;
mod sender;
mod set;
mod shipped;
mod stats;
mod syntax;
mod titles;
mod vocabulary;
pub(crate) mod words;

use std::borrow::Cow;

use sha2::{Digest, Sha256};

pub use check::{Report, check};
pub use diagnostic::{Diagnostic, Place, Severity};
pub use fmt::formatted;
pub(crate) use index::{AllCandidates, Candidates, Scratch, Texts};
pub use lint::lint;
pub(crate) use pack::Pack;
pub use schema::schema;
pub use sender::{NoReply, Sender, SenderTable, Tenant};
pub use set::{
    Condition, Conflict, Cue, CueLists, FactTest, HeaderTest, Policy, Rule, RuleSet, Scope, Settings, Status,
};
pub use shipped::shipped;
pub use stats::{Advice, Known, Record, SILENT_AFTER, stats};
pub use syntax::SCHEMA;

use diagnostic::Problems;

/// Largest rule file, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// Largest size of all rule files, in bytes.
pub const FILES_BYTES_MAX: usize = 16 << 20;

/// The text of one rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As the person would name it, e.g. `rules/10-en.toml`.
    pub name: String,
    /// The file's text: that of a shipped file is read where it stands in the program.
    pub text: Cow<'static, str>,
    /// Where it comes from.
    pub layer: Layer,
}

/// Where a rule file comes from; later layers see the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Built into the program.
    Shipped,
    /// The person's own.
    User,
}

/// Whose phrases are taken to be well written until they are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Those of the shipped files: tests prove them, and compiling them all takes ten times as long as the rest.
    Shipped,
    /// Nobody's: every phrase is compiled, and what is wrong with it is reported.
    Nobody,
}

/// What a rule set is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To judge mail: examples, tests and explanations of the shipped files, the larger half of them, are left out.
    Judging,
    /// To show and test the rules too.
    Everything,
}

/// Loads rule files, in their order. On error every problem is returned, and nothing was loaded.
pub fn load(sources: &[Source]) -> Result<RuleSet, Vec<Diagnostic>> {
    load_on(sources, None, Trust::Shipped)
}

/// [`load`] on a given day, which ends a `[[disable]]` with an earlier `until`.
pub fn load_on(sources: &[Source], today: Option<jiff::civil::Date>, trust: Trust) -> Result<RuleSet, Vec<Diagnostic>> {
    load_for(Purpose::Everything, sources, today, trust)
}

/// [`load_on`] for a purpose.
pub fn load_for(
    purpose: Purpose,
    sources: &[Source],
    today: Option<jiff::civil::Date>,
    trust: Trust,
) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut problems = Problems::new(sources);
    let mut total = 0;
    for (i, source) in sources.iter().enumerate() {
        total += source.text.len();
        if source.text.len() > FILE_BYTES_MAX {
            let at = Place { file: i as u16, line: 1, column: 1 };
            problems.error("R020", at, format!("file larger than {FILE_BYTES_MAX} bytes"), None);
        }
    }
    if total > FILES_BYTES_MAX || sources.len() > usize::from(u16::MAX) {
        problems.error_nowhere("R020", format!("rule files larger than {FILES_BYTES_MAX} bytes in all"));
    }
    if problems.any_error() {
        return Err(problems.into_sorted());
    }
    // An override of the person's may speak of an example.
    let overridden = sources.iter().any(|source| source.layer == Layer::User && source.text.contains("override"));
    let in_part = purpose == Purpose::Judging && !overridden;
    let mut files: Vec<_> = (0..)
        .zip(sources)
        .map(|(i, source)| syntax::read(i, source, in_part && source.layer == Layer::Shipped, &mut problems))
        .collect();
    let merged = merge::merge(&mut files, sources, today, &mut problems);
    let mut set = compile::compile(&files, sources, merged, trust, &mut problems);
    if problems.any_error() {
        return Err(problems.into_sorted());
    }
    set.warnings = problems.into_sorted();
    set.fingerprint = fingerprint(sources);
    Ok(set)
}

/// SHA-256 over names and texts, hex.
fn fingerprint(sources: &[Source]) -> String {
    let mut hash = Sha256::new();
    for source in sources {
        for part in [source.name.as_str(), &source.text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
