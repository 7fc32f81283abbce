//! Reads `config.toml`: all problems in one report, with file, line and fix.
//!
//! Two shapes: `raw` mirrors the file as it is written, [`Config`] is what the program works with. [`parse`] goes from
//! text to `Config` without touching anything; [`load()`] reads the file and lends `parse` the disk. It must not connect
//! anywhere, run a password command or read a password.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    delivery::SentCopy,
    outcome::named,
    reply::{Identity, later::After},
    secret::SecretSource,
    telling::TellingPolicy,
};

mod account;
mod check;
mod dump;
mod env;
mod files;
mod load;
mod oauth;
pub mod providers;
mod raw;
mod report;
mod source;
mod suggest;
mod value;
mod watched;

pub use env::{Env, NoHome};
pub use files::{Files, OnDisk, Unchecked};
pub use load::{load, parse};
pub use oauth::{OAuth, OAuthProvider};
pub use report::{Problem, Report};

/// The database's file name in the state directory.
pub const DATABASE: &str = "onward.db";

/// The documented example, as shipped beside the program: what `onward config example` prints.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

named! {
    /// How a connection is protected.
    pub enum Tls {
        /// TLS from the first byte (993, 465).
        Implicit = "implicit",
        /// STARTTLS, demanded: without it nothing is sent (143, 587).
        StartTls = "starttls",
        /// No TLS, only to a loopback address and only when asked for: local bridges and tests.
        NoneLoopback = "none-loopback",
    }
}

/// Where a server is and how the connection to it is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Protection.
    pub tls: Tls,
    /// A private CA (PEM) to trust instead of the system's, for bridges and own servers.
    pub ca_file: Option<PathBuf>,
}

named! {
    /// Where an approved reply goes.
    pub enum Deliver {
        /// Into the Drafts mailbox; the person sends it with their own mail client.
        Drafts = "drafts",
        /// To the account's submission server.
        Smtp = "smtp",
    }
}

named! {
    /// How much is logged. There is no `trace`: the libraries underneath would log what a mail says.
    pub enum LogLevel {
        /// Only what failed for good.
        Error = "error",
        /// What needs a look.
        Warn = "warn",
        /// What happened.
        Info = "info",
        /// How it happened.
        Debug = "debug",
    }
}

/// Everything the person configured, checked, with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file it came from; the person's rules lie beside it, see [`Config::rules_dir`].
    pub file: PathBuf,
    /// At least one, names unique.
    pub accounts: Vec<Account>,
    /// At least one, addresses unique.
    pub identities: Vec<Identity>,
    /// Replies.
    pub reply: Reply,
    /// When the person is told.
    pub telling: TellingPolicy,
    /// Notes.
    pub notes: Notes,
    /// Rules.
    pub rules: Rules,
    /// How much is logged.
    pub log_level: LogLevel,
    /// The database file.
    pub store: PathBuf,
    /// How long the octets of a mail are kept; what it came to stays.
    pub keep_mail: Duration,
    /// What is no mistake and yet worth knowing.
    pub hints: Vec<Problem>,
}

/// One mail account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Short name, unique, ASCII letters, digits, `-`, `_` and `.`: it stands in logs and in the database.
    pub name: String,
    /// Where mail comes from.
    pub source: Source,
    /// Mailboxes that are watched, in the order given; for a Maildir only `INBOX`.
    pub mailboxes: Vec<String>,
    /// The Junk mailbox that is watched besides.
    pub junk: Junk,
    /// How far back the first run looks.
    pub look_back: Duration,
    /// How often the mailbox is asked, besides IDLE; at least 30 seconds.
    pub poll: Duration,
    /// The Drafts mailbox, where the server's own mark is not to be followed.
    pub drafts: Option<String>,
    /// The Sent mailbox, likewise.
    pub sent: Option<String>,
    /// What the provider calls itself in `Authentication-Results`, where that is not to be told from its domains.
    pub authserv_id: Option<String>,
    /// Whether a copy of what is sent by SMTP is put there.
    pub sent_copy: SentCopy,
    /// Who replies come from when the mail was delivered to none of the known addresses.
    pub identity: Identity,
    /// The submission server; present when `reply.deliver` is `smtp`.
    pub smtp: Option<Login>,
}

impl Account {
    /// Who runs the account's IMAP server, where that is known.
    pub fn provider(&self) -> Option<&providers::Provider> {
        match &self.source {
            Source::Imap(login) => login.provider.as_deref(),
            Source::Maildir(_) => None,
        }
    }

    /// The built-in OAuth of this account: one grant serves its IMAP and its SMTP.
    pub fn oauth(&self) -> Option<&OAuth> {
        let imap = match &self.source {
            Source::Imap(login) => login.access.oauth(),
            Source::Maildir(_) => None,
        };
        imap.or_else(|| self.smtp.as_ref().and_then(|login| login.access.oauth()))
    }
}

/// Which mailbox is watched as one where the provider puts what it takes for spam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Junk {
    /// The one that the server marks, or that has one of the usual names; none is no mistake.
    Auto,
    /// None.
    Never,
    /// This one.
    Named(String),
}

impl Junk {
    /// As it is written in the file.
    pub fn as_str(&self) -> &str {
        match self {
            Junk::Auto => "auto",
            Junk::Never => "never",
            Junk::Named(name) => name,
        }
    }
}

/// Where an account's mail comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An IMAP server.
    Imap(Login),
    /// A Maildir directory.
    Maildir(PathBuf),
}

/// A server and how to log in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The server.
    pub server: Server,
    /// User name.
    pub user: String,
    /// What is shown there to be let in.
    pub access: Access,
    /// Whose server it is, where that is known.
    pub provider: Option<Arc<providers::Provider>>,
}

/// What opens a server, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// A password.
    Password(SecretSource),
    /// An access token of OAuth that a program of the person's keeps fresh.
    Token(SecretSource),
    /// An access token of OAuth that Onward gets itself, after `onward auth`.
    OAuth(Box<OAuth>),
}

impl Access {
    /// The built-in OAuth, where that is what is used.
    pub fn oauth(&self) -> Option<&OAuth> {
        match self {
            Access::OAuth(oauth) => Some(oauth),
            Access::Password(_) | Access::Token(_) => None,
        }
    }
}

/// Replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Whether drafts are prepared at all.
    pub enabled: bool,
    /// Where an approved one goes.
    pub deliver: Deliver,
    /// When something is offered without a mail to answer.
    pub later: After,
}

/// Notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notes {
    /// Whether there are any.
    pub enabled: bool,
    /// ISO 639-1; `None` for the language of the mail.
    pub language: Option<String>,
}

/// Rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Names of shipped rule files that are left out.
    pub disable: Vec<String>,
}

impl Config {
    /// Where the person's own rule files lie: `rules/` beside the configuration.
    pub fn rules_dir(&self) -> PathBuf {
        self.file.with_file_name("rules")
    }

    /// Where the person's own texts lie: `templates/` beside the configuration, `reply/` and `note/` in it.
    pub fn templates_dir(&self) -> PathBuf {
        self.file.with_file_name("templates")
    }

    /// The account of that name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// What applies, every default filled in, as TOML. No secret is in it: a password shows where it comes from, and
    /// of a command only the program.
    pub fn dump(&self) -> String {
        dump::dump(self)
    }
}
