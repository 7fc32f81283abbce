//! What is not kept: octets of mail after their time, and everything a mail said when the person asks to forget it.
//!
//! It must not delete rows by which a mail is known: a mail that came again would be answered again.

use std::fs;

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{
    Store,
    backup::all_copies,
    durably,
    error::{Result, StoreError},
    events::{Entry, EventKind, log},
    feedback::forget_feedback,
    value::{At, Json},
};

/// Messages purged in one run at most, or a quarter of those that have octets where that is more: a clock that is wrong
/// for a day must not cost everything.
const PURGE_MIN: u32 = 100;
/// Pages given back to the file system in one run, 4 MiB: the writer is held up for milliseconds.
const PAGES_FREED: u32 = 1024;

/// What [`Store::forget_mail`] and [`Store::forget_everything`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Mails whose text is gone.
    pub mails: usize,
    /// Copies of the database that were removed, because they held it too.
    pub copies: usize,
    /// Whether nothing is left in the write-ahead log; false while another process is reading, whose end empties it.
    pub complete: bool,
}

impl Store {
    /// Overwrites the octets of mail that was received and stored before a moment, the oldest first, in the database and
    /// in its log file; hashes, verdicts and outcomes stay. Gives the number of messages.
    pub fn purge_raw(&mut self, before: Timestamp, now: Timestamp) -> Result<usize> {
        let tx = self.begin()?;
        let kept: u32 = tx.query_row("SELECT count(*) FROM message WHERE raw IS NOT NULL", [], |row| row.get(0))?;
        let purged = tx.execute(
            "UPDATE message SET raw = NULL WHERE id IN (
                 SELECT id FROM message WHERE max(received_at, seen_at) < ?1 AND raw IS NOT NULL ORDER BY id LIMIT ?2)",
            params![At(before), PURGE_MIN.max(kept / 4)],
        )?;
        if purged > 0 {
            let detail = json!({ "messages": purged });
            log(&tx, &Entry { detail, ..Entry::new(EventKind::Purge, now) })?;
        }
        tx.commit()?;
        if purged > 0 {
            self.give_back(PAGES_FREED)?;
            self.empty_log()?;
        }
        Ok(purged)
    }

    /// Forgets what a mail said: its octets, subject, sender, the sentences its verdicts quote, who signed, and what was
    /// learned from it. That there was an outcome stays, and the replies to it, and by what the mail is known.
    pub fn forget_mail(&mut self, message: i64, now: Timestamp) -> Result<Forgotten> {
        self.forget_mails(&[message], now)
    }

    /// [`Store::forget_mail`] for every mail there is.
    pub fn forget_everything(&mut self, now: Timestamp) -> Result<Forgotten> {
        let all: Vec<i64> = self
            .db
            .prepare("SELECT id FROM message ORDER BY id")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        self.forget_mails(&all, now)
    }

    fn forget_mails(&mut self, messages: &[i64], now: Timestamp) -> Result<Forgotten> {
        let tx = self.begin()?;
        for message in messages {
            let known = tx
                .prepare_cached(
                    "UPDATE message SET raw = NULL, subject = '', from_name = '', from_addr = '' WHERE id = ?1",
                )?
                .execute([message])?;
            if known == 0 {
                return Err(StoreError::NotFound { what: "message", id: *message });
            }
            forget_quotes(&tx, *message)?;
            forget_feedback(&tx, *message)?;
            let labels = tx.prepare_cached("DELETE FROM lesson WHERE message = ?1")?.execute([message])?;
            let detail = json!({ "text": true, "labels": labels });
            log(&tx, &Entry { message: Some(*message), detail, ..Entry::new(EventKind::Forgotten, now) })?;
        }
        tx.commit()?;
        let mut copies = 0;
        for copy in self.path().iter().flat_map(|path| all_copies(path)) {
            durably(|| {
                fs::remove_file(&copy).map_err(|e| StoreError::Open { path: copy.clone(), reason: e.to_string() })
            })?;
            copies += 1;
        }
        // Rewritten from end to end: what was moved about inside a page leaves no trace either.
        durably(|| Ok(self.db.execute_batch("VACUUM")?))?;
        let complete = self.empty_log()?;
        self.back_up(now)?;
        Ok(Forgotten { mails: messages.len(), copies, complete })
    }

    /// Gives freed pages back to the file system; nothing happens in a database made before that was possible.
    fn give_back(&self, pages: u32) -> Result<()> {
        let mut statement = self.db.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    /// Moves everything out of the write-ahead log, which still holds the old pages, and empties it. False where a reader
    /// puts that off.
    pub(super) fn empty_log(&self) -> Result<bool> {
        Ok(self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))?)
    }
}

/// Takes sentences and names out of the verdicts on a mail.
fn forget_quotes(tx: &Connection, message: i64) -> Result<()> {
    let mut statement = tx.prepare_cached("SELECT id, verdict FROM classification WHERE message = ?1")?;
    let rows = statement.query_map([message], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Json<Value>>(1)?.0)))?;
    for row in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        let (id, mut verdict) = row;
        for hit in verdict.get_mut("hits").and_then(Value::as_array_mut).into_iter().flatten() {
            set(hit, "sentence", json!(""));
            set(hit, "span", json!([0, 0]));
            set(hit, "cue", Value::Null);
        }
        if let Some(facts) = verdict.get_mut("facts") {
            set(facts, "contact", Value::Null);
            set(facts, "signed_by", Value::Null);
        }
        tx.prepare_cached("UPDATE classification SET verdict = ?2 WHERE id = ?1")?
            .execute(params![id, Json(verdict)])?;
    }
    Ok(())
}

/// Replaces a value that is there.
fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(slot) = object.get_mut(key) {
        *slot = value;
    }
}
