//! How far each mailbox has been read, and the messages that are still on their way or were given up.
//!
//! A cursor never passes a message that is neither stored nor quarantined: the store holds it back below every
//! attempt that is open.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::Serialize;
use serde_json::json;

use super::{
    Store,
    error::Result,
    events::{Entry, EventKind, log},
    value::At,
};
use crate::{clean, sync::Cursor};

/// Attempts at one message before it is quarantined and the cursor may pass it: two may be bad luck.
pub const ATTEMPTS_MAX: u32 = 3;

/// How long a message rests before its last attempt: what a server cannot give now it often gives later
/// (`reliability.md` B12).
pub const LAST_ATTEMPT_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Longest reason kept with a quarantined message, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Where a message lies on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The account's name in the configuration.
    pub account: &'a str,
    /// The mailbox's name, decoded.
    pub mailbox: &'a str,
    /// UIDVALIDITY; 0 where the server gives none.
    pub uid_validity: u32,
    /// The UID.
    pub uid: u32,
}

impl Place<'_> {
    /// As a key of its own.
    pub(super) fn key(&self) -> (String, String, u32, u32) {
        (self.account.to_owned(), self.mailbox.to_owned(), self.uid_validity, self.uid)
    }

    /// For the log.
    fn detail(&self) -> serde_json::Value {
        json!({ "account": self.account, "mailbox": self.mailbox, "uid_validity": self.uid_validity, "uid": self.uid })
    }
}

/// Whether a message may be tried (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Try it; this is the `number`th time, from 1.
    Try {
        /// Counted before the message is parsed, so that one that takes the process down is counted.
        number: u32,
    },
    /// It failed too often: it is on record, and the cursor may pass it.
    Quarantined,
}

/// The cursor of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailboxCursor {
    /// The account's name.
    pub account: String,
    /// The mailbox.
    pub mailbox: String,
    /// How far it has been read.
    pub cursor: Cursor,
    /// When it was last looked at with success.
    pub polled_at: Timestamp,
}

/// A message that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// The account's name.
    pub account: String,
    /// The mailbox.
    pub mailbox: String,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// The UID.
    pub uid: u32,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong, cleaned.
    pub reason: String,
    /// When it was given up; `None` while it is still tried.
    pub quarantined_at: Option<Timestamp>,
}

impl Store {
    /// How far a mailbox has been read; `None` before the first look.
    pub fn cursor(&self, account: &str, mailbox: &str) -> Result<Option<Cursor>> {
        Ok(self
            .db
            .prepare_cached("SELECT uid_validity, last_uid FROM cursor WHERE account = ?1 AND mailbox = ?2")?
            .query_row(params![account, mailbox], |row| {
                Ok(Cursor { uid_validity: row.get("uid_validity")?, last_uid: row.get("last_uid")? })
            })
            .optional()?)
    }

    /// Every cursor, by account and mailbox.
    pub fn cursors(&self) -> Result<Vec<MailboxCursor>> {
        let mut statement = self.db.prepare_cached(
            "SELECT account, mailbox, uid_validity, last_uid, polled_at FROM cursor ORDER BY account, mailbox",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(MailboxCursor {
                account: row.get("account")?,
                mailbox: row.get("mailbox")?,
                cursor: Cursor { uid_validity: row.get("uid_validity")?, last_uid: row.get("last_uid")? },
                polled_at: row.get::<_, At>("polled_at")?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Moves a cursor after a completed look that brought no further mail. Gives where it stands now, which may be
    /// lower than asked: it stays below every message that is still being tried, and never goes back under the same
    /// UIDVALIDITY.
    pub fn advance_cursor(&mut self, account: &str, mailbox: &str, to: Cursor, now: Timestamp) -> Result<Cursor> {
        let tx = self.begin()?;
        let at = move_cursor(&tx, account, mailbox, to, now)?;
        tx.commit()?;
        Ok(at)
    }

    /// Sets a cursor wherever it has to be, backwards too, and logs it: UIDVALIDITY changed, or UIDNEXT went down.
    pub fn reset_cursor(&mut self, account: &str, mailbox: &str, to: Cursor, now: Timestamp) -> Result<()> {
        let tx = self.begin()?;
        tx.execute("DELETE FROM cursor WHERE account = ?1 AND mailbox = ?2", [account, mailbox])?;
        // UIDs of another UIDVALIDITY mean nothing any more; their messages come again under new ones.
        tx.execute(
            "DELETE FROM quarantine
             WHERE account = ?1 AND mailbox = ?2 AND uid_validity <> ?3 AND quarantined_at IS NULL",
            params![account, mailbox, to.uid_validity],
        )?;
        move_cursor(&tx, account, mailbox, to, now)?;
        let detail =
            json!({ "account": account, "mailbox": mailbox, "uid_validity": to.uid_validity, "last_uid": to.last_uid });
        log(&tx, &Entry { detail, ..Entry::new(EventKind::CursorReset, now) })?;
        tx.commit()?;
        Ok(())
    }

    /// Counts an attempt at a message, durably, before it is parsed. `commit` ends the attempt, as does
    /// [`Store::fail_attempt`]. Where `commit` failed by no fault of the message (no room, another writer) the next attempt
    /// is the same one.
    pub fn begin_attempt(&mut self, place: Place<'_>, now: Timestamp) -> Result<Attempt> {
        let key = place.key();
        let again = u32::from(self.excused.contains(&key));
        let tx = self.begin()?;
        let (before, given_up) = attempts(&tx, place)?;
        let before = before.saturating_sub(again);
        let attempt = if given_up {
            Attempt::Quarantined
        } else if before >= ATTEMPTS_MAX {
            // No attempt came back with a reason: each of them ended the process.
            quarantine(&tx, place, None, now)?;
            Attempt::Quarantined
        } else {
            tx.prepare_cached(
                "INSERT INTO quarantine (account, mailbox, uid_validity, uid, attempts, tried_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET attempts = excluded.attempts, tried_at = excluded.tried_at",
            )?
            .execute(params![
                place.account,
                place.mailbox,
                place.uid_validity,
                place.uid,
                before + 1,
                At(now)
            ])?;
            Attempt::Try { number: before + 1 }
        };
        tx.commit()?;
        self.excused.remove(&key);
        Ok(attempt)
    }

    /// The next attempt at a message is the same one: this one failed by no fault of the message.
    pub fn excuse(&mut self, place: Place<'_>) {
        self.excused.insert(place.key());
    }

    /// Records why an attempt failed; the last one allowed quarantines the message.
    pub fn fail_attempt(&mut self, place: Place<'_>, reason: &str, now: Timestamp) -> Result<Attempt> {
        let reason = clean::line_within(reason, REASON_CHARS_MAX);
        let tx = self.begin()?;
        let (made, given_up) = attempts(&tx, place)?;
        let attempt = if given_up {
            Attempt::Quarantined
        } else if made >= ATTEMPTS_MAX {
            quarantine(&tx, place, Some(&reason), now)?;
            Attempt::Quarantined
        } else {
            tx.prepare_cached(
                "INSERT INTO quarantine (account, mailbox, uid_validity, uid, attempts, reason, tried_at)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)
                 ON CONFLICT DO UPDATE SET reason = excluded.reason, tried_at = excluded.tried_at",
            )?
            .execute(params![
                place.account,
                place.mailbox,
                place.uid_validity,
                place.uid,
                reason,
                At(now)
            ])?;
            Attempt::Try { number: made.max(1) + 1 }
        };
        tx.commit()?;
        Ok(attempt)
    }

    /// Ends the attempt at a message that is gone from the server, so that the cursor does not wait for it.
    pub fn vanished(&mut self, place: Place<'_>, now: Timestamp) -> Result<()> {
        let tx = self.begin()?;
        end_attempt(&tx, place)?;
        log(&tx, &Entry { detail: place.detail(), ..Entry::new(EventKind::Vanished, now) })?;
        tx.commit()?;
        Ok(())
    }

    /// UIDs of a mailbox whose attempts are open, ascending: they hold the cursor back.
    pub fn open_attempts(&self, account: &str, mailbox: &str, uid_validity: u32) -> Result<Vec<u32>> {
        let mut statement = self.db.prepare_cached(
            "SELECT uid FROM quarantine
             WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3 AND quarantined_at IS NULL
             ORDER BY uid",
        )?;
        let rows = statement.query_map(params![account, mailbox, uid_validity], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Those of some UIDs that are to be read now: not the stored ones, which a server lists again while an attempt
    /// holds the cursor back, and not those that rest before their last attempt. What failed without a reason ended the
    /// process, perhaps by no fault of its own: it does not rest.
    pub fn to_read(
        &self,
        account: &str,
        mailbox: &str,
        uid_validity: u32,
        uids: &[u32],
        now: Timestamp,
    ) -> Result<Vec<u32>> {
        let resting: Vec<u32> = self
            .db
            .prepare_cached(
                "SELECT uid FROM quarantine
                 WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3 AND quarantined_at IS NULL
                       AND attempts = ?4 AND tried_at > ?5 AND reason <> ''",
            )?
            .query_map(
                params![account, mailbox, uid_validity, ATTEMPTS_MAX - 1, At(now - LAST_ATTEMPT_AFTER)],
                |row| row.get(0),
            )?
            .collect::<rusqlite::Result<_>>()?;
        let mut out = Vec::new();
        for uid in uids.iter().copied().filter(|uid| !resting.contains(uid)) {
            if self.located(Place { account, mailbox, uid_validity, uid })?.is_none() {
                out.push(uid);
            }
        }
        Ok(out)
    }

    /// Forgets which UIDs of a mailbox were read, before it is read anew although its UIDVALIDITY is the same: a UID
    /// may mean another message now, and what is stored is recognised by its content.
    pub fn forget_places(&mut self, account: &str, mailbox: &str, uid_validity: u32) -> Result<()> {
        let place = params![account, mailbox, uid_validity];
        let tx = self.begin()?;
        tx.execute("DELETE FROM location WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3", place)?;
        tx.execute("DELETE FROM quarantine WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3", place)?;
        tx.commit()?;
        Ok(())
    }

    /// Messages that failed at least once, those given up first.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>> {
        let mut statement = self.db.prepare_cached(
            "SELECT account, mailbox, uid_validity, uid, attempts, reason, quarantined_at
             FROM quarantine
             ORDER BY quarantined_at IS NULL, account, mailbox, uid_validity, uid",
        )?;
        let rows = statement.query_map([], quarantined)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn quarantined(row: &Row<'_>) -> rusqlite::Result<Quarantined> {
    Ok(Quarantined {
        account: row.get("account")?,
        mailbox: row.get("mailbox")?,
        uid_validity: row.get("uid_validity")?,
        uid: row.get("uid")?,
        attempts: row.get("attempts")?,
        reason: row.get("reason")?,
        quarantined_at: row.get::<_, Option<At>>("quarantined_at")?.map(|at| at.0),
    })
}

/// Moves a cursor inside a transaction; see [`Store::advance_cursor`] for what it may do.
pub(super) fn move_cursor(tx: &Connection, account: &str, mailbox: &str, to: Cursor, now: Timestamp) -> Result<Cursor> {
    let open: Option<u32> = tx
        .prepare_cached(
            "SELECT min(uid) FROM quarantine
             WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3 AND quarantined_at IS NULL",
        )?
        .query_row(params![account, mailbox, to.uid_validity], |row| row.get(0))?;
    let last_uid = open.map_or(to.last_uid, |open| to.last_uid.min(open.saturating_sub(1)));
    let last_uid = tx
        .prepare_cached(
            "INSERT INTO cursor (account, mailbox, uid_validity, last_uid, polled_at)
             VALUES (:account, :mailbox, :uid_validity, :last_uid, :now)
             ON CONFLICT (account, mailbox) DO UPDATE SET
                 last_uid = CASE WHEN uid_validity = excluded.uid_validity
                                 THEN max(last_uid, excluded.last_uid)
                                 ELSE excluded.last_uid END,
                 uid_validity = excluded.uid_validity,
                 polled_at = excluded.polled_at
             RETURNING last_uid",
        )?
        .query_row(
            named_params! {
                ":account": account,
                ":mailbox": mailbox,
                ":uid_validity": to.uid_validity,
                ":last_uid": last_uid,
                ":now": At(now),
            },
            |row| row.get(0),
        )?;
    Ok(Cursor { uid_validity: to.uid_validity, last_uid })
}

/// Ends the attempt at a message.
pub(super) fn end_attempt(tx: &Connection, place: Place<'_>) -> Result<()> {
    tx.prepare_cached("DELETE FROM quarantine WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3 AND uid = ?4")?
        .execute(params![place.account, place.mailbox, place.uid_validity, place.uid])?;
    Ok(())
}

/// Attempts made, and whether the message was given up.
fn attempts(tx: &Connection, place: Place<'_>) -> Result<(u32, bool)> {
    Ok(tx
        .prepare_cached(
            "SELECT attempts, quarantined_at IS NOT NULL FROM quarantine
             WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3 AND uid = ?4",
        )?
        .query_row(params![place.account, place.mailbox, place.uid_validity, place.uid], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?
        .unwrap_or((0, false)))
}

/// Gives a message up. Without a `reason` the last one reported stands.
fn quarantine(tx: &Connection, place: Place<'_>, reason: Option<&str>, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "UPDATE quarantine
         SET quarantined_at = ?5, reason = coalesce(?6, nullif(reason, ''), 'reading it stopped the program')
         WHERE account = ?1 AND mailbox = ?2 AND uid_validity = ?3 AND uid = ?4",
    )?
    .execute(params![place.account, place.mailbox, place.uid_validity, place.uid, At(now), reason])?;
    log(tx, &Entry { detail: place.detail(), ..Entry::new(EventKind::Quarantine, now) })?;
    Ok(())
}
