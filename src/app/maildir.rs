//! Looking at a Maildir: files delivered since the last look, in the order of their delivery.
//!
//! Its cursor counts seconds of delivery time instead of UIDs, and looks overlap: what is met twice is known by its
//! content. It must not decide what a mail means.

use std::{io::ErrorKind, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};

use super::{
    ingest::{self, Arrived},
    pulse::Pulse,
    reading::tally,
    watch::{Desk, Looked},
};
use crate::{
    config::Account,
    io::{
        clock,
        maildir::{self, MaildirEntry},
        store::{Store, StoreError},
    },
    sync::Cursor,
};

/// How far looks overlap: clocks of mail programs differ, and files are dated before they appear.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

/// What became of a file.
enum Read {
    /// It was stored, or known.
    Done(Looked),
    /// It was gone: another program renamed it, and it is met again under its new name.
    Renamed,
    /// It cannot be read.
    Unreadable,
}

/// Looks at a Maildir once.
pub async fn look(desk: &Desk, account: &Account, path: &Path, pulse: &Pulse) -> Result<Looked> {
    let mailbox = account.mailboxes.first().cloned().unwrap_or_else(|| "INBOX".to_owned());
    let (name, of) = (account.name.clone(), mailbox.clone());
    let cursor = desk.db.call(move |store| store.require_room().and_then(|()| store.cursor(&name, &of))).await?;
    let now = clock::now();
    let begin = begin(cursor, account, now);
    let dir = path.to_owned();
    let entries = tokio::task::spawn_blocking(move || maildir::entries(&dir)).await?;
    let entries = entries
        .with_context(|| format!("{} is no Maildir that can be read (it needs `new` and `cur`)", path.display()))?;
    let since = begin - i64::from(cursor.is_some()) * OVERLAP.as_secs();
    let (mut sum, mut end) = (Looked::default(), begin);
    let mut renamed = None;
    for entry in entries.into_iter().filter(|entry| entry.modified.as_second() >= since) {
        if pulse.is_stopped() {
            return Ok(sum);
        }
        pulse.beat();
        let at = entry.modified.as_second();
        match file(desk, account, &mailbox, entry).await? {
            Read::Done(looked) => sum.add(looked),
            Read::Renamed => renamed = renamed.or(Some(at)),
            Read::Unreadable => sum.failed += 1,
        }
        end = end.max(at);
    }
    // A file dated in the future must not hide what comes before that day; a renamed one is looked for again.
    let end = end.min(now.as_second()).min(renamed.unwrap_or(i64::MAX));
    let (name, end) = (account.name.clone(), Cursor { uid_validity: 0, last_uid: u32::try_from(end).unwrap_or(0) });
    desk.db.call(move |store| store.advance_cursor(&name, &mailbox, end, clock::now())).await?;
    Ok(sum)
}

/// From which second on files are new.
fn begin(cursor: Option<Cursor>, account: &Account, now: Timestamp) -> i64 {
    match cursor {
        Some(cursor) => i64::from(cursor.last_uid),
        None => {
            let look_back = SignedDuration::try_from(account.look_back).unwrap_or(SignedDuration::MAX);
            now.as_second().saturating_sub(look_back.as_secs()).max(0)
        }
    }
}

async fn file(desk: &Desk, account: &Account, mailbox: &str, entry: MaildirEntry) -> Result<Read> {
    let (kit, name, mailbox) = (Arc::clone(&desk.kit), account.name.clone(), mailbox.to_owned());
    let work = move |store: &mut Store| {
        let found = match maildir::read_entry(&entry.path) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error.reason.kind())),
        };
        let arrived = Arrived {
            in_junk: false,
            account: &name,
            mailbox: &mailbox,
            uid_validity: 0,
            uid: None,
            internal_date: entry.modified,
            size: found.bytes.len() as u64,
            truncated: found.oversized,
            bytes: &found.bytes,
        };
        ingest::ingest(store, &kit, &arrived, None, clock::now()).map(Ok)
    };
    match desk.db.call(work).await {
        Ok(Ok(ingested)) => Ok(Read::Done(tally(Some(&ingested), &account.name))),
        Ok(Err(ErrorKind::NotFound)) => Ok(Read::Renamed),
        Ok(Err(kind)) => {
            tracing::warn!(account = account.name, reason = %kind, "A mail of the Maildir cannot be read.");
            Ok(Read::Unreadable)
        }
        // It would end every look: it is left out, the panic's own line says where to look for the mistake.
        Err(StoreError::Panicked) => Ok(Read::Unreadable),
        Err(error) => Err(error.into()),
    }
}
