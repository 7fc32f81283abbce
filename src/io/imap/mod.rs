//! IMAP (RFC 3501) over TLS: one command at a time, only the tagged OK counts, any doubt drops the connection.
//!
//! `async-imap` reads and parses responses; commands, deadlines and the judgement of what came back are ours, because
//! its own methods report a refusal or a lost connection as an empty result. Every operation takes the connection
//! out of the [`Session`] and puts it back only after success, so an error, a timeout or a cancelled future closes
//! it, and nothing of a dead command can be read by the next one.
//!
//! It must not decide what to fetch (that is [`crate::sync`]) nor change anything in a mailbox: `command` lists
//! everything that can be said to a server, and APPEND is its only write.

mod append;
mod command;
mod connect;
mod error;
mod fetch;
mod guard;
mod idle;
mod list;
mod reply;
mod search;
mod text;
mod token;
mod wire;

pub use append::{AppendFlags, Appended};
pub use connect::Unauthenticated;
pub use error::{ImapError, Kind, Phase};
pub use fetch::{Batch, FETCH_BATCH_MAX, Fetched, Fetching};
pub use idle::{IDLE_MAX, IdleEnd};
pub use list::{Listed, SpecialUse};
pub use text::{decode_mailbox, encode_mailbox};

use std::time::Duration;

use crate::sync::Selected;
use command::Command;
use reply::Untagged;
use wire::Wire;

/// How long each wait may take. TCP and the TLS handshake have their own in [`crate::io::tls`].
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// The greeting, and the exchange of STARTTLS.
    pub greeting: Duration,
    /// Any command, from its first byte to its tagged response.
    pub command: Duration,
    /// FETCH and APPEND without a byte moving.
    pub progress: Duration,
    /// FETCH of one command and APPEND in all, however steadily bytes drip.
    pub transfer: Duration,
    /// From IDLE to the server's `+`.
    pub idle_start: Duration,
    /// From DONE to the tagged response; an IDLE that does not end is a dead connection.
    pub done: Duration,
    /// LOGOUT; nothing depends on it.
    pub logout: Duration,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            greeting: Duration::from_secs(30),
            command: Duration::from_secs(60),
            progress: Duration::from_secs(60),
            transfer: Duration::from_secs(15 * 60),
            idle_start: Duration::from_secs(30),
            done: Duration::from_secs(15),
            logout: Duration::from_secs(5),
        }
    }
}

/// A logged-in connection, or what is left of one after an error: then every call answers [`Kind::Closed`].
#[derive(Debug)]
pub struct Session {
    wire: Option<Wire>,
    server: String,
    capabilities: Vec<String>,
}

impl Session {
    /// Whether the server said at login that it can do this, e.g. `IDLE` (RFC 3501 §7.2.1). Case does not matter.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|c| c.eq_ignore_ascii_case(capability))
    }

    /// Whether the connection may still be used. After any error it may not.
    pub fn is_open(&self) -> bool {
        self.wire.is_some()
    }

    /// Opens a mailbox read-only (EXAMINE, RFC 3501 §6.3.2).
    pub async fn examine(&mut self, mailbox: &str) -> Result<Selected, ImapError> {
        let command = Command::Examine { mailbox: encode_mailbox(mailbox) };
        let mut exists = None;
        let mut selected = Selected { uid_validity: None, uid_next: None, exists: 0 };
        let note = |untagged| match untagged {
            Untagged::Exists(count) => exists = Some(count),
            // Both are above 0 (RFC 3501 §9, `nz-number`); a server that says 0 says nothing.
            Untagged::UidValidity(value) if value != 0 => selected.uid_validity = Some(value),
            Untagged::UidNext(value) if value != 0 => selected.uid_next = Some(value),
            _ => {}
        };
        let mut wire = self.take(Phase::Examine)?;
        wire.complete(Phase::Examine, &command, note).await?;
        let missing = || {
            wire.error(Phase::Examine, Kind::Protocol("the server did not say how many messages there are".to_owned()))
        };
        selected.exists = exists.ok_or_else(missing)?;
        self.wire = Some(wire);
        Ok(selected)
    }

    /// Asks the server to answer (NOOP, RFC 3501 §6.1.2): whether the connection is alive.
    pub async fn noop(&mut self) -> Result<(), ImapError> {
        let mut wire = self.take(Phase::Noop)?;
        wire.complete(Phase::Noop, &Command::Noop, |_| {}).await?;
        self.wire = Some(wire);
        Ok(())
    }

    /// Says goodbye (LOGOUT, RFC 3501 §6.1.3) and closes the connection. Whatever goes wrong here harms nothing.
    pub async fn logout(mut self) {
        self.leave().await;
    }

    /// [`Session::logout`] for a session that is connected again later.
    pub async fn leave(&mut self) {
        if let Some(mut wire) = self.wire.take() {
            let within = wire.deadlines.logout;
            // A server that cannot say goodbye is left all the same.
            let _ = tokio::time::timeout(within, wire.complete(Phase::Logout, &Command::Logout, |_| {})).await;
        }
    }

    /// The connection, out of the session: only success puts it back.
    fn take(&mut self, phase: Phase) -> Result<Wire, ImapError> {
        self.wire.take().ok_or_else(|| ImapError { server: self.server.clone(), phase, kind: Kind::Closed })
    }
}
