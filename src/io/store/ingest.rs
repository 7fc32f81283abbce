//! Storing a message with everything that follows from it, in one transaction from message to cursor.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params, params};
use serde_json::json;

use super::{
    Store,
    chain::{Superseding, insert_outcome, supersede_in},
    cursors::{Place, end_attempt, move_cursor},
    drafts::{Step, propose, standing, step},
    error::{Result, StoreError},
    events::{Entry, EventKind, log},
    value::{At, Json},
};
use crate::{
    classify::Classification,
    draft::{DraftEvent, transition},
    message::{Message, MessageId},
    note::Note,
    outcome::{Origin, Outcome},
    reply::{NoDraft, ProposedDraft},
    sync::Cursor,
};

/// An outcome to be stored, with the times that the telling policy computed.
#[derive(Clone, Copy)]
pub struct NewOutcome<'a> {
    /// What it means.
    pub outcome: &'a Outcome,
    /// Who says so.
    pub origin: Origin,
    /// When the mail arrived, or the person entered it.
    pub detected_at: Timestamp,
    /// When the person is told; `None`: never by itself.
    pub tell_at: Option<Timestamp>,
    /// When the draft is offered; `None`: there is none to offer.
    pub draft_due_at: Option<Timestamp>,
}

/// A message and everything that was made of it.
#[derive(Clone, Copy)]
pub struct Ingest<'a> {
    /// The account's name in the configuration.
    pub account: &'a str,
    /// The mailbox, or what an import calls its source.
    pub mailbox: &'a str,
    /// UIDVALIDITY; 0 where the server gives none: then the UID alone proves nothing.
    pub uid_validity: u32,
    /// The UID; `None` for sources without UIDs (mbox, Maildir, .eml).
    pub uid: Option<u32>,
    /// INTERNALDATE.
    pub internal_date: Timestamp,
    /// The message's size in octets as the server says.
    pub size: u64,
    /// The message, parsed.
    pub message: &'a Message,
    /// The octets read. Kept only with an outcome: other people's mail is not the log's business.
    pub raw: &'a [u8],
    /// The verdict.
    pub classification: &'a Classification,
    /// What it means for an application; `None` for mail that has nothing to do with one.
    pub outcome: Option<NewOutcome<'a>>,
    /// The outcome that this one takes the place of, e.g. a rejection sent in error.
    pub supersedes: Option<i64>,
    /// The reply, where there is one to offer.
    pub draft: Option<&'a ProposedDraft>,
    /// Why there is no reply though the outcome could have one.
    pub no_draft: Option<NoDraft>,
    /// The note, where there is one.
    pub note: Option<&'a Note>,
    /// The reply that this message says could not be delivered, and the server's words.
    pub bounced: Option<(i64, &'a str)>,
    /// The moment of storing.
    pub now: Timestamp,
}

/// What [`Store::commit`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// The message is new and stored.
    Stored {
        /// Its row.
        message: i64,
        /// Its outcome's number.
        outcome: Option<i64>,
        /// Its draft; `None` also when another draft answers the mail already.
        draft: Option<i64>,
        /// Drafts that were withdrawn, because it supersedes an outcome.
        withdrawn: Vec<i64>,
    },
    /// It was stored before; only the place and the cursor are new.
    Duplicate {
        /// The row of the message.
        of: i64,
    },
}

impl Store {
    /// Stores a message, its verdict, outcome, draft and note, and moves the cursor: all of it or nothing. Storing a
    /// message again, from wherever, changes nothing but its places and the cursor.
    pub fn commit(&mut self, ingest: &Ingest<'_>, cursor: Option<Cursor>) -> Result<Committed> {
        let done = self.commit_all(ingest, cursor);
        if let (Err(error), Some(place)) = (&done, ingest.place())
            && error.spares_the_message()
        {
            self.excuse(place);
        }
        done
    }

    fn commit_all(&mut self, ingest: &Ingest<'_>, cursor: Option<Cursor>) -> Result<Committed> {
        let tx = self.begin()?;
        let committed = match stored_before(&tx, ingest)? {
            Some(of) => {
                meet_again(&tx, ingest, of)?;
                Committed::Duplicate { of }
            }
            None => store(&tx, ingest)?,
        };
        if let Some(place) = ingest.place() {
            end_attempt(&tx, place)?;
        }
        if let Some(cursor) = cursor {
            move_cursor(&tx, ingest.account, ingest.mailbox, cursor, ingest.now)?;
        }
        tx.commit()?;
        Ok(committed)
    }

    /// The row of a message that is stored already, so that nothing is composed for it twice. The hash covers the
    /// Message-ID; another content under the same Message-ID is another message.
    pub fn known(&self, account: &str, message_id: Option<&MessageId>, hash: &[u8; 32]) -> Result<Option<i64>> {
        Ok(self
            .db
            .prepare_cached(KNOWN)?
            .query_row(params![account, hash.as_slice(), message_id.map(MessageId::as_str)], |row| row.get(0))
            .optional()?)
    }

    /// The row of the message at a place, without having read it. Never answers for UIDVALIDITY 0.
    pub fn located(&self, place: Place<'_>) -> Result<Option<i64>> {
        located(&self.db, place)
    }
}

pub(super) const KNOWN: &str = "SELECT id FROM message WHERE account = ?1 AND content_hash = ?2 AND message_id IS ?3";

pub(super) const LOCATED: &str =
    "SELECT message FROM location WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3 AND uid = ?4";

impl<'a> Ingest<'a> {
    fn place(&self) -> Option<Place<'a>> {
        let Ingest { account, mailbox, uid_validity, .. } = *self;
        self.uid.map(|uid| Place { account, mailbox, uid_validity, uid })
    }
}

fn located(db: &Connection, place: Place<'_>) -> Result<Option<i64>> {
    if place.uid_validity == 0 {
        return Ok(None);
    }
    Ok(db
        .prepare_cached(LOCATED)?
        .query_row(params![place.account, place.mailbox, place.uid_validity, place.uid], |row| row.get(0))
        .optional()?)
}

/// The same place under the same UIDVALIDITY is the same message (RFC 3501 §2.3.1.1), even when it is parsed
/// differently today; anywhere else the content decides.
fn stored_before(tx: &Connection, ingest: &Ingest<'_>) -> Result<Option<i64>> {
    if let Some(place) = ingest.place()
        && let Some(message) = located(tx, place)?
    {
        return Ok(Some(message));
    }
    Ok(tx
        .prepare_cached("SELECT id FROM message WHERE account = ?1 AND content_hash = ?2")?
        .query_row(params![ingest.account, ingest.message.hash.as_slice()], |row| row.get(0))
        .optional()?)
}

/// Adds the place of a message that is stored already, if it is a new one.
fn meet_again(tx: &Connection, ingest: &Ingest<'_>, message: i64) -> Result<()> {
    if put_location(tx, ingest, message)? {
        let detail = json!({ "account": ingest.account, "mailbox": ingest.mailbox, "uid": ingest.uid });
        log(tx, &Entry { message: Some(message), detail, ..Entry::new(EventKind::Duplicate, ingest.now) })?;
    }
    Ok(())
}

/// Writes where a message lies; whether that was news. A UID without UIDVALIDITY may come to mean another message.
fn put_location(tx: &Connection, ingest: &Ingest<'_>, message: i64) -> Result<bool> {
    let Some(place) = ingest.place() else { return Ok(false) };
    let written = tx
        .prepare_cached(
            "INSERT INTO location (message, account, mailbox, uid_validity, uid, seen_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (account, mailbox, uid_validity, uid) DO UPDATE
                 SET message = excluded.message, seen_at = excluded.seen_at
                 WHERE message <> excluded.message",
        )?
        .execute(params![message, place.account, place.mailbox, place.uid_validity, place.uid, At(ingest.now)])?;
    Ok(written > 0)
}

/// Stores a message that is new.
fn store(tx: &Connection, ingest: &Ingest<'_>) -> Result<Committed> {
    let now = ingest.now;
    let message = insert_message(tx, ingest)?;
    insert_references(tx, message, ingest.message)?;
    put_location(tx, ingest, message)?;
    tx.prepare_cached("INSERT INTO classification (message, at, rules, verdict) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![message, At(now), ingest.classification.rules, Json(ingest.classification)])?;
    let detail =
        json!({ "account": ingest.account, "mailbox": ingest.mailbox, "category": ingest.classification.category });
    log(tx, &Entry { message: Some(message), detail, ..Entry::new(EventKind::Message, now) })?;
    if let Some((draft, remark)) = ingest.bounced
        && transition(standing(tx, draft)?.0, DraftEvent::Bounced).is_ok()
    {
        // A second report about the same mail is no news.
        step(tx, &Step { remark, ..Step::new(draft, DraftEvent::Bounced, now) })?;
    }
    let Some(new) = ingest.outcome else {
        return Ok(Committed::Stored { message, outcome: None, draft: None, withdrawn: Vec::new() });
    };
    let (outcome, withdrawn) = match ingest.supersedes {
        Some(earlier) => {
            supersede_in(tx, &Superseding { earlier, message: Some(message), new, kind: EventKind::Supersede, now })?
        }
        None => (insert_outcome(tx, Some(message), None, new, EventKind::Outcome, now)?, Vec::new()),
    };
    let draft = ingest.draft.map(|draft| propose(tx, outcome, draft, now)).transpose()?.flatten();
    if let Some(why) = ingest.no_draft {
        leave_out(tx, outcome, why, now)?;
    }
    if let Some(note) = ingest.note {
        insert_note(tx, outcome, note, now)?;
    }
    Ok(Committed::Stored { message, outcome: Some(outcome), draft, withdrawn })
}

fn insert_message(tx: &Connection, ingest: &Ingest<'_>) -> Result<i64> {
    let message = ingest.message;
    let from = message.from.first();
    tx.prepare_cached(
        "INSERT INTO message (account, message_id, content_hash, subject, from_name, from_addr, sent_at, received_at,
                              size, truncated, in_reply_to, raw, seen_at)
         VALUES (:account, :message_id, :content_hash, :subject, :from_name, :from_addr, :sent_at, :received_at,
                 :size, :truncated, :in_reply_to, :raw, :seen_at)",
    )?
    .execute(named_params! {
        ":account": ingest.account,
        ":message_id": message.id.as_ref().map(MessageId::as_str),
        ":content_hash": message.hash.as_slice(),
        ":subject": message.subject,
        ":from_name": from.map_or("", |from| from.name.as_str()),
        ":from_addr": from.map_or("", |from| from.email.as_str()),
        ":sent_at": message.date.map(At),
        ":received_at": At(ingest.internal_date),
        ":size": i64::try_from(ingest.size).unwrap_or(i64::MAX),
        ":truncated": message.truncated,
        ":in_reply_to": message.in_reply_to.as_ref().map(MessageId::as_str),
        ":raw": ingest.outcome.map(|_| ingest.raw),
        ":seen_at": At(ingest.now),
    })?;
    Ok(tx.last_insert_rowid())
}

/// `References`, then `In-Reply-To` where it is not among them (some clients send only that).
fn insert_references(tx: &Connection, row: i64, message: &Message) -> Result<()> {
    let mut insert =
        tx.prepare_cached("INSERT INTO message_reference (message, position, message_id) VALUES (?1, ?2, ?3)")?;
    let alone = message.in_reply_to.iter().filter(|id| !message.references.contains(id));
    for (id, position) in message.references.iter().chain(alone).zip(0i64..) {
        insert.execute(params![row, position, id.as_str()])?;
    }
    Ok(())
}

/// Writes down why an outcome got no reply.
pub(super) fn leave_out(tx: &Connection, outcome: i64, why: NoDraft, now: Timestamp) -> Result<()> {
    let detail = json!({ "why": why });
    log(tx, &Entry { outcome: Some(outcome), detail, ..Entry::new(EventKind::DraftLeftOut, now) })?;
    Ok(())
}

/// Writes a note; the last one of an outcome counts.
pub(super) fn insert_note(tx: &Connection, outcome: i64, note: &Note, now: Timestamp) -> Result<i64> {
    tx.prepare_cached(
        "INSERT INTO note (outcome, template, language, text, facts, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![outcome, note.template, note.language, note.text, Json(&note.facts), At(now)])?;
    let id = tx.last_insert_rowid();
    let detail = json!({ "template": note.template });
    log(tx, &Entry { outcome: Some(outcome), detail, ..Entry::new(EventKind::Note, now) })?;
    Ok(id)
}

impl Store {
    /// Gives an outcome another note, e.g. because the numbers in the first one are no longer true.
    pub fn add_note(&mut self, outcome: i64, note: &Note, now: Timestamp) -> Result<()> {
        let tx = self.begin()?;
        let head = super::chain::head(&tx, outcome)?;
        insert_note(&tx, head, note, now)?;
        tx.commit()?;
        Ok(())
    }

    /// Stores another verdict on a message that is stored, e.g. by newer rules. Outcomes change only by
    /// [`Store::supersede`].
    pub fn add_classification(&mut self, message: i64, verdict: &Classification, now: Timestamp) -> Result<()> {
        let tx = self.begin()?;
        let found: Option<i64> =
            tx.query_row("SELECT id FROM message WHERE id = ?1", [message], |row| row.get(0)).optional()?;
        found.ok_or(StoreError::NotFound { what: "message", id: message })?;
        tx.prepare_cached("INSERT INTO classification (message, at, rules, verdict) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![message, At(now), verdict.rules, Json(verdict)])?;
        tx.commit()?;
        Ok(())
    }
}
