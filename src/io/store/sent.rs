//! What the person sent: which mails they answered, and what became of drafts that were placed.
//!
//! Only ids are kept, no address and no text. It must not decide what an answer means for a draft beyond the states
//! that `draft` allows.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Store,
    drafts::{Step, step},
    error::Result,
    value::{At, Json, Word},
};
use crate::{
    draft::{DraftEvent, DraftState},
    message::MessageId,
};

/// Most references kept of a sent mail, the newest ones: an answer names its parent last (RFC 5322 §3.6.4).
pub const SENT_REFERENCES_MAX: usize = 25;
/// What is noted with a draft whose mail the person answered in their own words.
const ANSWERED_ANOTHER_WAY: &str = "you answered this mail yourself";

/// A mail in Sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMail {
    /// Its `Message-ID`s: its own, and the one it had before a server gave it another.
    pub ids: Vec<MessageId>,
    /// What it refers to, oldest first, `In-Reply-To` among them.
    pub references: Vec<MessageId>,
    /// INTERNALDATE.
    pub sent_at: Timestamp,
}

impl Store {
    /// Takes in what was found in Sent, and moves the drafts that it shows to be sent or answered. Gives those drafts
    /// and where they stand now. Seeing a mail again changes nothing.
    pub fn seen_sent(&mut self, account: &str, mails: &[SentMail], now: Timestamp) -> Result<Vec<(i64, DraftState)>> {
        let tx = self.begin()?;
        let mut moved = Vec::new();
        for mail in mails {
            for id in &mail.ids {
                if let Some(sent) = insert(&tx, account, id, mail, now)? {
                    moved.extend(settle(&tx, sent, id, now)?);
                }
            }
        }
        tx.commit()?;
        Ok(moved)
    }

    /// Whether the person answered a mail that arrived then: in it, or later in its thread.
    pub fn is_answered(
        &self,
        id: Option<&MessageId>,
        references: &[MessageId],
        received_at: Timestamp,
    ) -> Result<bool> {
        let references: Vec<&str> = references.iter().map(MessageId::as_str).collect();
        Ok(self
            .db
            .prepare_cached(ANSWERED)?
            .query_row(params![id.map(MessageId::as_str), Json(references), At(received_at)], |_| Ok(()))
            .optional()?
            .is_some())
    }

    /// When anything of this thread was last sent by the person: a silence begins there.
    pub fn last_sent_in_thread(&self, ids: &[&str]) -> Result<Option<Timestamp>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT max(x.sent_at) FROM sent_mail AS x
                 WHERE x.id IN (SELECT sent FROM sent_reference WHERE message_id IN (SELECT value FROM json_each(?1)))",
            )?
            .query_row([Json(ids)], |row| row.get::<_, Option<At>>(0))?
            .map(|at| at.0))
    }
}

/// ?1: the mail's id; ?2: what it refers to, as a JSON array; ?3: when it arrived.
pub(super) const ANSWERED: &str = "
    SELECT 1 FROM sent_reference WHERE message_id = ?1
    UNION ALL
    SELECT 1 FROM sent_reference AS r JOIN sent_mail AS x ON x.id = r.sent
    WHERE r.message_id IN (SELECT value FROM json_each(?2)) AND x.sent_at >= ?3
    LIMIT 1";

/// Stores a sent mail by one of its ids; `None` where it was seen before.
fn insert(tx: &Connection, account: &str, id: &MessageId, mail: &SentMail, now: Timestamp) -> Result<Option<i64>> {
    let new = tx
        .prepare_cached(
            "INSERT OR IGNORE INTO sent_mail (account, message_id, draft, sent_at, seen_at) VALUES (?1, ?2, NULL, ?3, ?4)",
        )?
        .execute(params![account, id.as_str(), At(mail.sent_at), At(now)])?;
    if new == 0 {
        return Ok(None);
    }
    let sent = tx.last_insert_rowid();
    let mut reference = tx.prepare_cached("INSERT OR IGNORE INTO sent_reference (sent, message_id) VALUES (?1, ?2)")?;
    for parent in mail.references.iter().rev().take(SENT_REFERENCES_MAX) {
        reference.execute(params![sent, parent.as_str()])?;
    }
    Ok(Some(sent))
}

/// Moves the drafts that this mail is, or that answer what it answers.
fn settle(tx: &Connection, sent: i64, id: &MessageId, now: Timestamp) -> Result<Vec<(i64, DraftState)>> {
    let mut statement = tx.prepare_cached(ANSWERS)?;
    let open = statement.query_map(params![sent, id.as_str()], |row| {
        Ok((
            row.get::<_, i64>("draft")?,
            row.get::<_, Word<DraftState>>("state")?.0,
            row.get::<_, bool>("itself")?,
            row.get::<_, bool>("gone")?,
        ))
    })?;
    let mut moved = Vec::new();
    for (draft, state, itself, gone) in open.collect::<rusqlite::Result<Vec<_>>>()? {
        let (event, remark) = match state {
            // Clients change the Message-ID: an answer to the same mail is the draft, or stands in its place.
            DraftState::Placed | DraftState::Unconfirmed => (DraftEvent::SeenSent, "it lies in Sent"),
            DraftState::Discarded if gone => (DraftEvent::SeenSent, "it lies in Sent"),
            DraftState::Approved if itself => (DraftEvent::SeenSent, "it lies in Sent"),
            DraftState::Pending | DraftState::Approved | DraftState::Failed => {
                (DraftEvent::Supersede, ANSWERED_ANOTHER_WAY)
            }
            DraftState::Sending | DraftState::Sent | DraftState::Discarded | DraftState::Withdrawn => {
                // What was sent is known; this ties an answer to it, should the server have given it another id.
                if itself {
                    tie(tx, sent, draft)?;
                }
                continue;
            }
        };
        moved.push((draft, step(tx, &Step { remark, ..Step::new(draft, event, now) })?));
        if event == DraftEvent::SeenSent {
            tie(tx, sent, draft)?;
        }
    }
    Ok(moved)
}

/// Notes that a sent mail is a draft of ours.
fn tie(tx: &Connection, sent: i64, draft: i64) -> Result<()> {
    tx.prepare_cached("UPDATE sent_mail SET draft = ?2 WHERE id = ?1")?.execute([sent, draft])?;
    Ok(())
}

/// ?1: a sent mail; ?2: its Message-ID. Drafts that it is, that answer a mail it refers to, or that answer a mail of the
/// thread which it continued later. A question after a silence is not answered by what went before it.
pub(super) const ANSWERS: &str = "
    WITH found (draft, itself) AS (
        SELECT r.draft, 1 FROM draft_revision AS r WHERE r.message_id = ?2
        UNION
        SELECT d.id, 0
        FROM sent_reference AS x
        JOIN message AS m ON m.message_id = x.message_id
        JOIN outcome AS o ON o.message = m.id
        JOIN draft AS d ON d.outcome = o.id
        WHERE x.sent = ?1
          AND (d.kind NOT IN ('follow-up', 'keep-in-touch')
               OR d.at <= (SELECT later.sent_at FROM sent_mail AS later WHERE later.id = ?1))
        UNION
        SELECT d.id, 0
        FROM sent_reference AS x
        JOIN message_reference AS r ON r.message_id = x.message_id
        JOIN message AS m ON m.id = r.message
        JOIN outcome AS o ON o.message = m.id
        JOIN draft AS d ON d.outcome = o.id
        WHERE x.sent = ?1
          AND (SELECT later.sent_at FROM sent_mail AS later WHERE later.id = ?1)
              >= CASE WHEN d.kind IN ('follow-up', 'keep-in-touch') THEN d.at ELSE m.received_at END
    )
    SELECT found.draft, max(found.itself) AS itself, s.state, s.event = 'gone' AS gone
    FROM found JOIN draft_now AS s ON s.draft = found.draft
    GROUP BY found.draft
    ORDER BY found.draft";
