//! `onward import`: mail from files through the same path as mail from a server.

use std::path::Path;

use jiff::Timestamp;

use super::{
    ingest::{self, Arrived, Ingested},
    kit::Kit,
};
use crate::{
    io::{
        maildir::{self, FoundMail, ReadError},
        store::{Store, StoreError},
    },
    message::{Fetched, Message},
};

/// What the log calls the source of imported mail, in place of a mailbox.
pub const MAILBOX: &str = "import";

/// Why a message was not imported.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    /// It could not be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// It could not be stored.
    #[error(transparent)]
    NotStored(#[from] StoreError),
}

/// Imports every message below a path (`-` is standard input) for an account. `each` hears of every message; a file that
/// cannot be read does not stop the others, a log that cannot be written does.
pub fn import(
    store: &mut Store,
    kit: &Kit,
    account: &str,
    path: &Path,
    now: Timestamp,
    mut each: impl FnMut(&str, Result<&Ingested, &NotImported>),
) -> Result<(), StoreError> {
    for found in messages(path) {
        let shown = found.as_ref().map_or_else(|error| error.path.clone(), |mail| mail.path.clone());
        let done = match found {
            Ok(mail) => one(store, kit, account, &mail, now).map_err(NotImported::from),
            Err(error) => Err(error.into()),
        };
        each(&shown, done.as_ref());
        if let Err(NotImported::NotStored(error)) = done {
            return Err(error);
        }
    }
    Ok(())
}

/// The messages at a path, or why there are none; `-` is standard input, an mbox or one message.
pub fn messages(path: &Path) -> Box<dyn Iterator<Item = Result<FoundMail, ReadError>>> {
    if path == Path::new("-") {
        Box::new(maildir::read_from("-", std::io::stdin()))
    } else {
        let mut found = maildir::walk(path).peekable();
        // A mistyped folder is not told from an empty one by silence.
        match found.peek() {
            Some(_) => Box::new(found),
            None => Box::new(std::iter::once(Err(ReadError::no_mail(path)))),
        }
    }
}

fn one(store: &mut Store, kit: &Kit, account: &str, mail: &FoundMail, now: Timestamp) -> Result<Ingested, StoreError> {
    // A file has no INTERNALDATE: the sender's claim is the best there is, but not beyond now.
    let date = Message::parse(&mail.bytes, Fetched::of(mail.oversized)).date;
    let arrived = Arrived {
        in_junk: false,
        account,
        mailbox: MAILBOX,
        uid_validity: 0,
        uid: None,
        internal_date: date.map_or(now, |date| date.min(now)),
        size: mail.bytes.len() as u64,
        truncated: mail.oversized,
        bytes: &mail.bytes,
    };
    ingest::ingest(store, kit, &arrived, None, now)
}
