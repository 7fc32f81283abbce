//! The log: append-only rows, one for everything that happened, in the transaction of the thing itself.

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Store, error,
    value::{At, Json, Word},
};
use crate::outcome::named;

named! {
    /// What a row of the log tells.
    pub enum EventKind {
        /// A message was stored.
        Message = "message",
        /// A message that is stored already was met somewhere else.
        Duplicate = "duplicate",
        /// An outcome was found or entered.
        Outcome = "outcome",
        /// An outcome took the place of another.
        Supersede = "supersede",
        /// The person went back to an earlier outcome.
        Undo = "undo",
        /// The person was told.
        Told = "told",
        /// Something happened to a draft; the detail names it and the state after it.
        Draft = "draft",
        /// The copy of a sent reply lies in Sent: found there, or filed by us.
        Copy = "copy",
        /// There is no draft: another one answers the mail, or the detail says why.
        DraftLeftOut = "draft_left_out",
        /// An employer said something about the application when asked, or by themselves.
        Feedback = "feedback",
        /// A note was made.
        Note = "note",
        /// A message was given up after too many attempts.
        Quarantine = "quarantine",
        /// A message was gone from the server before it was read.
        Vanished = "vanished",
        /// A mailbox is read anew: UIDVALIDITY changed, or its UIDs went backwards.
        CursorReset = "cursor_reset",
        /// Bodies were purged.
        Purge = "purge",
        /// What the person said of a mail was forgotten.
        Forgotten = "forgotten",
    }
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Its number; the order of the log.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The message it is about.
    pub message: Option<i64>,
    /// The outcome it is about.
    pub outcome: Option<i64>,
    /// The draft it is about.
    pub draft: Option<i64>,
    /// More, by kind. Never text of a mail.
    pub detail: Value,
}

/// Which rows of the log; the default is all of them.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only after the row with this number.
    pub after: Option<i64>,
    /// Only from this moment on.
    pub since: Option<Timestamp>,
    /// Only about this outcome.
    pub outcome: Option<i64>,
    /// Only about this draft.
    pub draft: Option<i64>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// A row to be written.
pub(super) struct Entry {
    pub at: Timestamp,
    pub kind: EventKind,
    pub message: Option<i64>,
    pub outcome: Option<i64>,
    pub draft: Option<i64>,
    pub detail: Value,
}

impl Entry {
    /// A row about nothing yet.
    pub fn new(kind: EventKind, at: Timestamp) -> Entry {
        Entry { at, kind, message: None, outcome: None, draft: None, detail: Value::Object(Map::new()) }
    }
}

/// Writes a row and gives its number.
pub(super) fn log(tx: &Connection, entry: &Entry) -> error::Result<i64> {
    tx.prepare_cached(
        "INSERT INTO event (at, kind, message, outcome, draft, detail)
         VALUES (:at, :kind, :message, :outcome, :draft, :detail)",
    )?
    .execute(named_params! {
        ":at": At(entry.at),
        ":kind": Word(entry.kind),
        ":message": entry.message,
        ":outcome": entry.outcome,
        ":draft": entry.draft,
        ":detail": Json(&entry.detail),
    })?;
    Ok(tx.last_insert_rowid())
}

impl Store {
    /// The log, oldest first.
    pub fn events(&self, filter: &EventFilter) -> error::Result<Vec<Event>> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, at, kind, message, outcome, draft, detail
             FROM event
             WHERE id > coalesce(:after, 0)
               AND (:since IS NULL OR at >= :since)
               AND (:outcome IS NULL OR outcome = :outcome)
               AND (:draft IS NULL OR draft = :draft)
             ORDER BY id
             LIMIT coalesce(:limit, -1)",
        )?;
        let rows = statement.query_map(
            named_params! {
                ":after": filter.after,
                ":since": filter.since.map(At),
                ":outcome": filter.outcome,
                ":draft": filter.draft,
                ":limit": filter.limit,
            },
            event,
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get("id")?,
        at: row.get::<_, At>("at")?.0,
        kind: row.get::<_, Word<EventKind>>("kind")?.0,
        message: row.get("message")?,
        outcome: row.get("outcome")?,
        draft: row.get("draft")?,
        detail: row.get::<_, Json<Value>>("detail")?.0,
    })
}
