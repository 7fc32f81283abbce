//! The database: the only module that holds SQL.
//!
//! A message comes in through [`Store::commit`], in one transaction with all that follows from it and its mailbox's
//! cursor. A reply leaves through [`Store::approve`] and [`Store::take`], which alone make an [`ApprovedDraft`]. The
//! rows that tell what happened are never changed; where things stand is the last row. This module translates: what
//! a state may become is `draft`'s business, what a mail means is `classify`'s.
//!
//! Several processes may have the database open: each write is one short `BEGIN IMMEDIATE` transaction, and reads
//! never block it (WAL). One connection for a process is enough, because a job seeker's mail is no load.

mod backup;
mod chain;
mod cursors;
mod db;
mod drafts;
mod error;
mod events;
mod feedback;
mod history;
mod ingest;
mod lessons;
mod list;
mod lock;
mod migrate;
mod open;
mod outbox;
#[cfg(test)]
mod plans;
mod retention;
mod room;
mod sent;
mod value;

use std::{
    collections::BTreeSet,
    fmt,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use rusqlite::{Connection, Savepoint, Transaction, TransactionBehavior};

pub use self::{
    backup::{BACKUPS_KEPT, Restored, daily_backups, last_good_backup, restore},
    chain::{Correction, Superseded},
    cursors::{ATTEMPTS_MAX, Attempt, MailboxCursor, Place, Quarantined},
    db::Db,
    drafts::{DraftView, Rewrite},
    error::{Lapse, Result, StoreError},
    events::{Event, EventFilter, EventKind},
    feedback::{Asked, Feedback, Offered},
    history::{Counts, EmployerHistory, EmployerOutcome, EmployerReply, NoteUse, THREAD_MAX, ThreadMail},
    ingest::{Committed, Ingest, NewOutcome},
    lessons::{LessonRow, LessonsMark, NewLesson},
    list::{DraftHead, Filter, Item, MailHead, OutcomeRow},
    lock::{AlreadyRunning, LOCK_FILE, Lock},
    open::BUSY_TIMEOUT,
    outbox::APPROVAL_AGE_MAX,
    retention::Forgotten,
    room::{FREE_MIN, free, room},
    sent::{SENT_REFERENCES_MAX, SentMail},
};
use crate::{draft::Digest, io::crash};

/// An open database.
pub struct Store {
    db: Connection,
    /// Attempts at messages that the disk or another process made fail: the next one at such a message is not counted.
    excused: BTreeSet<(String, String, u32, u32)>,
}

impl Store {
    fn new(db: Connection) -> Store {
        Store { db, excused: BTreeSet::new() }
    }

    /// A transaction that may write from its first statement on: two processes cannot both read a state and then
    /// both change it. Inside [`Store::together`] it is a part of the whole, which may fail alone.
    fn begin(&mut self) -> Result<Tx<'_>> {
        if self.db.is_autocommit() {
            Ok(Tx::Whole(self.db.transaction_with_behavior(TransactionBehavior::Immediate)?))
        } else {
            Ok(Tx::Part(self.db.savepoint()?))
        }
    }

    /// Holds what is read at one moment together, until it is dropped; inside of a transaction that is so anyway.
    fn one_moment(&self) -> Result<Option<Transaction<'_>>> {
        Ok(self.db.is_autocommit().then(|| self.db.unchecked_transaction()).transpose()?)
    }

    /// Does several things in one transaction: all of them are on disk afterwards, with one wait for it, or none. A
    /// panic undoes them too.
    #[track_caller]
    pub fn together<T>(&mut self, work: impl FnOnce(&mut Store) -> Result<T>) -> Result<T> {
        if !self.db.is_autocommit() {
            return work(self);
        }
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let done = catch_unwind(AssertUnwindSafe(|| work(self)));
        let committed = match &done {
            Ok(Ok(_)) => durably(|| Ok(self.db.execute_batch("COMMIT")?)),
            _ => Ok(()),
        };
        if !self.db.is_autocommit() {
            // SQLite has undone it already where the disk was full.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        match done {
            Ok(done) => committed.and(done),
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Does what is durable as a whole, between two points where a test may end the process.
#[track_caller]
fn durably<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    crash::point("before a durable step");
    let done = work()?;
    crash::point("after a durable step");
    Ok(done)
}

/// A transaction, or a part of one. Dropped without a commit, it never was.
enum Tx<'s> {
    Whole(Transaction<'s>),
    Part(Savepoint<'s>),
}

impl Tx<'_> {
    #[track_caller]
    fn commit(self) -> Result<()> {
        match self {
            Tx::Whole(tx) => durably(|| Ok(tx.commit()?))?,
            Tx::Part(part) => part.commit()?,
        }
        Ok(())
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Tx::Whole(tx) => tx,
            Tx::Part(part) => part,
        }
    }
}

/// A draft whose approval was checked against its row: the only thing a transport takes. Only the store builds one.
pub struct ApprovedDraft {
    id: i64,
    from: String,
    to: String,
    message_id: String,
    bytes: Vec<u8>,
    digest: Digest,
}

impl ApprovedDraft {
    /// The draft's number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// `MAIL FROM`.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// `RCPT TO`.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// `Message-ID` without angle brackets.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The message, CRLF line ends.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was approved.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl fmt::Debug for ApprovedDraft {
    /// Number and digest: a letter and its address stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApprovedDraft").field("id", &self.id).field("digest", &self.digest).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::outcome::{Category, Origin, Outcome, Reason, Stage};

    #[test]
    fn a_full_disk_is_said_to_be_full_and_work_goes_on_when_there_is_space() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(&dir.path().join("onward.db")).unwrap();
        let outcome = Outcome {
            category: Category::Rejection,
            decided: true,
            stage: Stage::Unknown,
            reason: Reason::None,
            employer: Some("x".repeat(20_000)),
            role: None,
            requisition_id: None,
            contact: None,
        };
        let now = Timestamp::UNIX_EPOCH;
        let new = NewOutcome {
            outcome: &outcome,
            origin: Origin::Person,
            detected_at: now,
            tell_at: None,
            draft_due_at: None,
        };
        let pages: u32 = store.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        store.db.query_row(&format!("PRAGMA max_page_count = {}", pages + 50), [], |_| Ok(())).unwrap();
        let mut stored = 0;
        let refused = loop {
            match store.add_outcome(new, now) {
                Ok(_) => stored += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, StoreError::Full), "{refused:?}");
        assert!(stored > 0);
        store.db.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(())).unwrap();
        let sound: String = store.db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        store.add_outcome(new, now).unwrap();
        assert_eq!(store.list(&Filter::default()).unwrap().len(), stored + 1);
        assert_eq!(store.events(&EventFilter::default()).unwrap().len(), stored + 1);
    }
}
