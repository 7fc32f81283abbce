//! Which mailboxes were looked at lately, and which not: the answer of `onward` and of `onward doctor`.
//!
//! It trusts the log alone: a daemon that runs and does not look is what it has to find.

use jiff::{SignedDuration, Timestamp};

use super::junk;
use crate::{
    config::Config,
    io::store::{Result, Store},
};

/// A mailbox that was not looked at for this many poll intervals is stale: one may be lost to a slow server, one to a
/// new connection.
pub const STALE_POLLS: u32 = 3;

/// A watched mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The account's name.
    pub account: String,
    /// The mailbox.
    pub mailbox: String,
    /// The last look that was completed.
    pub last_look: Option<Timestamp>,
    /// Whether that is too long ago, or never was.
    pub stale: bool,
}

impl Watched {
    /// Whether something is wrong: what was never looked at is only that while somebody should be looking.
    pub fn is_trouble(&self, running: bool) -> bool {
        self.stale && (running || self.last_look.is_some())
    }
}

/// Every mailbox of the configuration.
pub fn watched(config: &Config, store: &Store, now: Timestamp) -> Result<Vec<Watched>> {
    let cursors = store.cursors()?;
    let mut mailboxes = Vec::new();
    for account in &config.accounts {
        let limit = SignedDuration::try_from(account.poll * STALE_POLLS).unwrap_or(SignedDuration::MAX);
        for mailbox in &account.mailboxes {
            let last_look =
                cursors.iter().find(|c| c.account == account.name && &c.mailbox == mailbox).map(|c| c.polled_at);
            let stale = last_look.is_none_or(|at| now.duration_since(at) > limit);
            mailboxes.push(Watched { account: account.name.clone(), mailbox: mailbox.clone(), last_look, stale });
        }
        // Junk is looked at together with them, where there is one: it is never the one that is stale.
        let besides = cursors.iter().filter(|cursor| {
            cursor.account == account.name
                && !account.mailboxes.contains(&cursor.mailbox)
                && junk::is_of(Some(account), &cursor.mailbox)
        });
        mailboxes.extend(besides.map(|cursor| Watched {
            account: account.name.clone(),
            mailbox: cursor.mailbox.clone(),
            last_look: Some(cursor.polled_at),
            stale: false,
        }));
    }
    Ok(mailboxes)
}
