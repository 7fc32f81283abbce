//! The grammar of the command line (clap). It must not do anything: verbs live in the files beside this one.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::outcome::{Category, Reason, Stage};

/// Watches your inbox while you look for work, and has a reply ready when the answer is no.
#[derive(Debug, Parser)]
#[command(name = "onward", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// Options that every verb takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do; without a verb: the status.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

const AFTER_HELP: &str = "Exit status: 0 fine, 1 failed or found something, 2 wrong usage, 4 needs your attention.\n\
Nothing is sent that you did not approve. Try `onward demo` first: it needs no account.";

/// `onward send`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("how").multiple(false))]
pub struct SendArgs {
    /// Show what would be delivered
    #[arg(long, group = "how")]
    pub dry_run: bool,
    /// Pause all delivery, of a running daemon as well, until `--resume`
    #[arg(long, group = "how", value_name = "WHY")]
    pub pause: Option<String>,
    /// End the pause
    #[arg(long, group = "how")]
    pub resume: bool,
    /// Send a mail to yourself: sending by SMTP is off until that worked
    #[arg(long, group = "how")]
    pub test: bool,
}

/// Options that every verb takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Configuration file [default: $XDG_CONFIG_HOME/onward/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of the database [default: $STATE_DIRECTORY or $XDG_STATE_HOME/onward]
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show the whole path on a sample mailbox, no account needed
    Demo(DemoArgs),
    /// Run as a daemon (for systemd)
    Run,
    /// Look once, then exit
    Once {
        /// Judge and show, but store nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Read old mail: mbox, Maildir or .eml files
    Import {
        /// Files or directories
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Judge mail files without storing anything
    Classify {
        /// Files, directories, mbox files or `-` for standard input
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Go through what waits, one item at a time
    Review {
        /// Show drafts that still rest as well
        #[arg(long)]
        all: bool,
        /// Approve only; leave delivery to the daemon or `onward send`
        #[arg(long)]
        no_submit: bool,
    },
    /// List the logged outcomes
    List(ListArgs),
    /// Show one item whole: mail, verdict, draft, note
    Show {
        /// The item's number
        #[arg(value_parser = item, allow_negative_numbers = true)]
        id: i64,
    },
    /// Why a mail was judged as it was: the sentence, the rule, its file and line
    Why {
        /// The item's number
        #[arg(value_parser = item, allow_negative_numbers = true)]
        id: i64,
    },
    /// Correct a verdict
    Fix(FixArgs),
    /// Take the last correction of an item back
    Undo {
        /// The item's number
        #[arg(value_parser = item, allow_negative_numbers = true)]
        id: i64,
    },
    /// Look at, change, approve or drop drafts
    #[command(subcommand)]
    Draft(DraftVerb),
    /// What employers said when you asked: read it, keep what is useful
    Feedback(FeedbackArgs),
    /// Deliver the approved drafts now, or stop and start delivering
    Send(SendArgs),
    /// The log of everything that happened
    Log(LogArgs),
    /// The full account of a verdict, for a stored item or a mail file
    Explain {
        /// An item's number, a file, or `-`
        what: String,
        /// Why this rule did or did not hit
        #[arg(long, value_name = "ID")]
        rule: Option<String>,
    },
    /// Check, test and read the rules
    #[command(subcommand)]
    Rules(RulesVerb),
    /// What your corrections taught: look, forget, take away
    #[command(subcommand)]
    Learn(LearnVerb),
    /// Take away what a mail says; that there was an outcome stays
    Forget(ForgetArgs),
    /// Put a backup in the place of the log
    Restore {
        /// The backup [default: the newest one beside the log that is sound]
        backup: Option<PathBuf>,
    },
    /// Check and read the notes
    #[command(subcommand)]
    Notes(NotesVerb),
    /// Find the configuration, check it, print it without secrets
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Authorise an account that logs in with OAuth
    Auth(AuthArgs),
    /// Find out what is wrong, with the fix
    Doctor,
    /// Print shell completions
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// `onward demo`.
#[derive(Debug, Clone, Copy, Args)]
pub struct DemoArgs {
    /// Ask nothing: approve one draft, show the rest, exit
    #[arg(long)]
    pub yes: bool,
    /// Leave the sample mailbox running and say how to connect a mail client
    #[arg(long)]
    pub keep: bool,
}

/// `onward auth`.
#[derive(Debug, Clone, Args)]
pub struct AuthArgs {
    /// The account's name; may be left out where only one uses OAuth
    pub account: Option<String>,
    /// Type a code on any device, where the provider has such codes (the default there)
    #[arg(long, conflicts_with = "browser")]
    pub device: bool,
    /// Use a browser on this very machine
    #[arg(long)]
    pub browser: bool,
}

/// `onward list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this category
    #[arg(long, value_parser = named::<Category>)]
    pub category: Option<Category>,
    /// Only what is not decided yet
    #[arg(long)]
    pub undecided: bool,
    /// What is held until your reading hour as well
    #[arg(long)]
    pub all: bool,
    /// At most this many, newest first
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: u32,
}

/// `onward fix`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what is wrong").required(true).multiple(true).args(["category", "stage", "reason", "employer", "role"]))]
pub struct FixArgs {
    /// The item's number
    #[arg(value_parser = item, allow_negative_numbers = true)]
    pub id: i64,
    /// What it really is
    #[arg(long = "as", value_name = "CATEGORY", value_parser = named::<Category>)]
    pub category: Option<Category>,
    /// The stage of a rejection
    #[arg(long, value_parser = named::<Stage>)]
    pub stage: Option<Stage>,
    /// The reason of a rejection
    #[arg(long, value_parser = named::<Reason>)]
    pub reason: Option<Reason>,
    /// The employer
    #[arg(long)]
    pub employer: Option<String>,
    /// The role
    #[arg(long)]
    pub role: Option<String>,
}

/// `onward feedback`.
#[derive(Debug, Args)]
pub struct FeedbackArgs {
    /// The number of one answer; without it: the list, and how often you were answered
    #[arg(value_parser = feedback, allow_negative_numbers = true)]
    pub id: Option<i64>,
    /// It helps
    #[arg(long, requires = "id", conflicts_with = "not_now")]
    pub useful: bool,
    /// Not now
    #[arg(long, requires = "id")]
    pub not_now: bool,
    /// A tag of your own; may be given more than once
    #[arg(long, requires = "id", value_name = "WORD")]
    pub tag: Vec<String>,
    /// Take a tag away
    #[arg(long, requires = "id", value_name = "WORD")]
    pub untag: Vec<String>,
    /// What still rests as well
    #[arg(long, conflicts_with = "id")]
    pub all: bool,
}

/// `onward draft …`.
#[derive(Debug, Subcommand)]
pub enum DraftVerb {
    /// List drafts
    List {
        /// Those that rest and finished ones too
        #[arg(long)]
        all: bool,
    },
    /// Print a draft as it would be sent
    Show {
        /// The draft's number
        #[arg(value_parser = draft, allow_negative_numbers = true)]
        id: i64,
    },
    /// Change a draft: in $EDITOR, or its recipient with --to
    Edit {
        /// The draft's number
        #[arg(value_parser = draft, allow_negative_numbers = true)]
        id: i64,
        /// Write to this address instead
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
        /// Read the whole new text from this file (`-` for standard input) instead of $EDITOR
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Approve a draft exactly as shown
    Approve {
        /// The draft's number
        #[arg(value_parser = draft, allow_negative_numbers = true)]
        id: i64,
        /// The digest that `draft show` printed (12 digits or all); without it you are shown the draft and asked
        #[arg(long, value_name = "DIGEST")]
        digest: Option<String>,
        /// Write to this address (for drafts without a reachable one)
        #[arg(long, value_name = "ADDRESS", conflicts_with = "digest")]
        to: Option<String>,
        /// Do not deliver now; leave it to the daemon or `onward send`
        #[arg(long)]
        later: bool,
    },
    /// Write a reply to an item that has none: one you answered, an old one, or while drafting rests
    Write {
        /// The item's number
        #[arg(value_parser = item, allow_negative_numbers = true)]
        id: i64,
    },
    /// Drop a draft
    Discard {
        /// The draft's number
        #[arg(value_parser = draft, allow_negative_numbers = true)]
        id: i64,
    },
    /// Bring a dropped draft back
    Restore {
        /// The draft's number
        #[arg(value_parser = draft, allow_negative_numbers = true)]
        id: i64,
    },
    /// Say what became of a draft nobody can tell about
    Resolve {
        /// The draft's number
        #[arg(value_parser = draft, allow_negative_numbers = true)]
        id: i64,
        /// What you found out
        #[arg(value_enum)]
        found: Resolution,
    },
}

/// What became of an unconfirmed draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Resolution {
    /// It went out
    Sent,
    /// It did not: send it again
    Retry,
    /// It did not and should not
    Discard,
}

/// `onward log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Only the newest, at most this many
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: u32,
    /// What is still held back as well
    #[arg(long)]
    pub all: bool,
    /// Write all outcomes as CSV to standard output
    #[arg(long, conflicts_with = "limit")]
    pub export: bool,
}

/// `onward rules …`.
#[derive(Debug, Subcommand)]
pub enum RulesVerb {
    /// Check shipped and own rules: every problem at once
    Check {
        /// Only these files instead of your rule directory
        files: Vec<PathBuf>,
    },
    /// Run the examples that stand in the rules, and see what your rules change in your log
    Test {
        /// Also see what they change in these mails: files, directories, mbox, `-`
        paths: Vec<PathBuf>,
    },
    /// List the mails that two sets of own rules judge differently
    Diff {
        /// Directory or file with the rules as they were
        old: PathBuf,
        /// Directory or file with the rules as they are to be
        new: PathBuf,
        /// The mails to judge; without them those of your log
        paths: Vec<PathBuf>,
    },
    /// See how each rule fared on your mail, and which senders are unknown
    Stats {
        /// Only mail of the last so many days
        #[arg(long, value_name = "DAYS")]
        since: Option<u16>,
        /// Also rules without a hit
        #[arg(long)]
        all: bool,
    },
    /// List the rules in force
    List,
    /// Propose a rule from a mail that was judged wrongly
    New(NewRuleArgs),
    /// Propose the smallest exception to a rule
    Tune(TuneArgs),
    /// Everything about one rule
    Doc {
        /// The rule's id
        id: String,
    },
    /// Lay out rule files: keys in order, `=` in one column; comments stay
    Fmt {
        /// These files instead of your own rules
        files: Vec<PathBuf>,
        /// Change nothing; exit 1 where a file is not laid out
        #[arg(long)]
        check: bool,
    },
    /// Print the JSON Schema of rule files, for editors
    Schema,
}

/// `onward rules new`.
#[derive(Debug, Args)]
pub struct NewRuleArgs {
    /// The mail that was judged wrongly: an item's number or a file
    #[arg(long, value_name = "ID|FILE")]
    pub from: String,
    /// What it really is [default: what you corrected it to]
    #[arg(long, value_parser = named::<Category>)]
    pub category: Option<Category>,
    /// Add the proposal to your rules without asking
    #[arg(long)]
    pub save: bool,
}

/// `onward rules tune`.
#[derive(Debug, Args)]
pub struct TuneArgs {
    /// The rule's id
    pub rule: String,
    /// Mails in which it is wrong: items or files
    #[arg(long = "fp", value_name = "ID|FILE", required = true, num_args = 1..)]
    pub wrong: Vec<String>,
    /// Mails in which it is right and has to stay so
    #[arg(long = "tp", value_name = "ID|FILE", num_args = 1..)]
    pub right: Vec<String>,
    /// Add the proposal to your rules without asking
    #[arg(long)]
    pub save: bool,
}

/// `onward learn …`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum LearnVerb {
    /// List what you said of mails, and what comes of it
    List,
    /// Forget what you said of a mail, as if you had never said it
    Forget {
        /// The item's number
        #[arg(value_parser = item, allow_negative_numbers = true)]
        id: i64,
    },
    /// Print everything that was learned as JSON, a label a line
    Export,
}

/// `onward forget`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what to forget").required(true).args(["ids", "all"]))]
pub struct ForgetArgs {
    /// The items' numbers
    #[arg(value_name = "ID", value_parser = item, allow_negative_numbers = true)]
    pub ids: Vec<i64>,
    /// Every mail there is, those without an outcome as well
    #[arg(long)]
    pub all: bool,
    /// Do it: with --all nothing is forgotten without this
    #[arg(long, requires = "all")]
    pub yes: bool,
}

/// `onward notes …`.
#[derive(Debug, Subcommand)]
pub enum NotesVerb {
    /// List the notes
    List,
    /// Show what the notes look like
    Preview {
        /// Show the reply texts instead, each with sample names
        #[arg(long)]
        replies: bool,
    },
    /// Check shipped and own notes and reply texts: file, line, sentence and reason
    Check,
}

/// `onward config …`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigVerb {
    /// Print where the configuration and the state are
    Path,
    /// Check the configuration: every problem at once
    Check,
    /// Print the configuration in force, without secrets
    Dump,
    /// Print a commented example to start from
    Example,
}

/// Parses the number of an item.
fn item(text: &str) -> Result<i64, String> {
    number(text).ok_or_else(|| "items are numbered from 1; `onward list --all` shows the numbers".to_owned())
}

/// Parses the number of a draft.
fn draft(text: &str) -> Result<i64, String> {
    number(text).ok_or_else(|| "drafts are numbered from 1; `onward draft list --all` shows the numbers".to_owned())
}

/// Parses the number of an answer.
fn feedback(text: &str) -> Result<i64, String> {
    number(text).ok_or_else(|| "answers are numbered from 1; `onward feedback --all` shows the numbers".to_owned())
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number| *number > 0)
}

/// Parses a name of one of the project's vocabularies.
fn named<T: std::str::FromStr<Err = crate::outcome::UnknownName>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|e: crate::outcome::UnknownName| e.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn grammar_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
