//! What employers said when asked, verbatim, and what the person made of it.
//!
//! Nothing is analysed here: tags and marks are the person's.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::Serialize;

use super::{
    Store,
    error::{Result, StoreError},
    events::{Entry, EventKind, log},
    value::{At, Json, Word},
};
use crate::{
    clean,
    draft::DraftState,
    message::{Message, MessageId, Zone},
    reply::DraftKind,
};

/// Longest text kept of an answer, in characters: many times what anybody writes to an applicant.
const TEXT_CHARS_MAX: usize = 20_000;
/// Most tags of one answer, and the longest one in characters.
const TAGS_MAX: usize = 20;
const TAG_CHARS_MAX: usize = 40;

/// An answer, with what the person made of it. No `Debug`: it holds words of a letter.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Feedback {
    /// Its number.
    pub id: i64,
    /// The item of the mail.
    pub outcome: i64,
    /// The draft that asked; `None` where nobody did.
    pub draft: Option<i64>,
    /// Who wrote, as logged.
    pub employer: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When the person is told.
    pub tell_at: Option<Timestamp>,
    /// What they wrote, without quotes and signature.
    pub text: String,
    /// `Some(false)`: not now.
    pub useful: Option<bool>,
    /// The person's own tags, sorted.
    pub tags: Vec<String>,
}

/// How often the person asked, and how often somebody answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Questions that went out.
    pub asked: u32,
    /// Those that were answered.
    pub answered: u32,
}

/// A draft that was offered, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// Where it stands.
    pub state: DraftState,
    /// When it was offered.
    pub at: Timestamp,
}

impl Store {
    /// The question of ours that a mail answers: by its thread, else by its sender, where that person was asked from
    /// `since` on and has not answered.
    pub fn question_answered(
        &self,
        references: &[MessageId],
        sender: Option<&str>,
        since: Timestamp,
    ) -> Result<Option<i64>> {
        let references: Vec<&str> = references.iter().map(MessageId::as_str).collect();
        Ok(self
            .db
            .prepare_cached(QUESTION)?
            .query_row(params![Json(references), sender, At(since)], |row| row.get(0))
            .optional()?)
    }

    /// Keeps what a mail says as feedback. Once for a mail.
    pub fn add_feedback(
        &mut self,
        (message, outcome): (i64, i64),
        draft: Option<i64>,
        letter: &Message,
        now: Timestamp,
    ) -> Result<()> {
        let tx = self.begin()?;
        tx.prepare_cached(
            "INSERT OR IGNORE INTO feedback (message, outcome, draft, text, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![message, outcome, draft, authored(letter), At(now)])?;
        let entry =
            Entry { message: Some(message), outcome: Some(outcome), draft, ..Entry::new(EventKind::Feedback, now) };
        log(&tx, &entry)?;
        tx.commit()
    }

    /// Every answer, newest first.
    pub fn feedback(&self) -> Result<Vec<Feedback>> {
        let sql = format!("{FEEDBACK} WHERE {STILL_FEEDBACK} ORDER BY m.received_at DESC, f.id DESC");
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map([], feedback)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One answer.
    pub fn one_feedback(&self, id: i64) -> Result<Feedback> {
        let sql = format!("{FEEDBACK} WHERE f.id = ?1");
        self.db
            .prepare_cached(&sql)?
            .query_row([id], feedback)
            .optional()?
            .ok_or(StoreError::NotFound { what: "feedback", id })
    }

    /// Notes what the person made of an answer: whether it is useful, and all their tags.
    pub fn mark_feedback(&mut self, id: i64, useful: Option<bool>, tags: &[String], now: Timestamp) -> Result<()> {
        let tx = self.begin()?;
        let known: Option<i64> =
            tx.query_row("SELECT id FROM feedback WHERE id = ?1", [id], |row| row.get(0)).optional()?;
        known.ok_or(StoreError::NotFound { what: "feedback", id })?;
        let mut tags: Vec<String> = tags
            .iter()
            .map(|tag| clean::line_within(tag, TAG_CHARS_MAX).to_lowercase())
            .filter(|tag| !tag.is_empty())
            .collect();
        tags.sort_unstable();
        tags.dedup();
        tags.truncate(TAGS_MAX);
        tx.execute(
            "INSERT INTO feedback_mark (feedback, useful, tags, at) VALUES (?1, ?2, ?3, ?4)",
            params![id, useful, Json(tags), At(now)],
        )?;
        tx.commit()
    }

    /// How often the person asked and was answered. What lies in Drafts may never have been sent, and does not count
    /// before it was answered.
    pub fn asked(&self) -> Result<Asked> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT count(*) AS asked, count(a.draft) AS answered
                 FROM draft AS d
                 JOIN draft_now AS s ON s.draft = d.id
                 LEFT JOIN (SELECT DISTINCT f.draft FROM feedback AS f WHERE f.draft IS NOT NULL AND {STILL_FEEDBACK}) AS a
                     ON a.draft = d.id
                 WHERE d.kind = :kind AND (s.state = :sent OR a.draft IS NOT NULL)"
            ))?
            .query_row(
                named_params! { ":kind": Word(DraftKind::FeedbackRequest), ":sent": Word(DraftState::Sent) },
                |row| Ok(Asked { asked: row.get("asked")?, answered: row.get("answered")? }),
            )?)
    }

    /// The last replies to a no that were offered, the newest first; what a later mail made pointless does not count.
    pub fn last_offered(&self, limit: u32) -> Result<Vec<Offered>> {
        let mut statement = self.db.prepare_cached(
            "SELECT s.state, d.at FROM draft AS d JOIN draft_now AS s ON s.draft = d.id
             WHERE s.state <> 'withdrawn' AND d.kind IN ('thank-you', 'feedback-request')
             ORDER BY d.id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], |row| {
            Ok(Offered { state: row.get::<_, Word<_>>("state")?.0, at: row.get::<_, At>("at")?.0 })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// Deletes what a mail said as feedback, and what the person made of it.
pub(super) fn forget_feedback(tx: &Connection, message: i64) -> Result<()> {
    tx.prepare_cached("DELETE FROM feedback_mark WHERE feedback IN (SELECT id FROM feedback WHERE message = ?1)")?
        .execute([message])?;
    tx.prepare_cached("DELETE FROM feedback WHERE message = ?1")?.execute([message])?;
    Ok(())
}

/// What the sender wrote themselves: no quotes, no footer.
fn authored(letter: &Message) -> String {
    let mut text = String::new();
    for block in &letter.unwrapped().blocks {
        if matches!(block.zone, Zone::Lead | Zone::Body | Zone::Closing) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&block.text);
        }
    }
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// ?1: ids that a mail refers to, as a JSON array; ?2: its sender's address; ?3: since when its sender may have been
/// asked. By thread first, then the latest question.
pub(super) const QUESTION: &str = "
    WITH found (draft, by_sender) AS (
        SELECT r.draft, 0 FROM draft_revision AS r WHERE r.message_id IN (SELECT value FROM json_each(?1))
        UNION
        SELECT x.draft, 0 FROM sent_mail AS x
        WHERE x.message_id IN (SELECT value FROM json_each(?1)) AND x.draft IS NOT NULL
        UNION
        SELECT d.id, 1
        FROM draft_revision AS r CROSS JOIN draft AS d
        WHERE r.envelope_to = ?2 COLLATE NOCASE AND d.id = r.draft AND d.at >= ?3
          AND r.n = (SELECT s.revision FROM draft_now AS s WHERE s.draft = d.id)
          AND NOT EXISTS (SELECT 1 FROM feedback AS f WHERE f.draft = d.id)
    )
    SELECT found.draft
    FROM found CROSS JOIN draft AS d
    WHERE d.id = found.draft AND d.kind = 'feedback-request'
      AND (SELECT s.state FROM draft_now AS s WHERE s.draft = d.id) IN ('sending', 'placed', 'sent', 'unconfirmed')
    ORDER BY found.by_sender, found.draft DESC
    LIMIT 1";

/// Whether the mail is feedback by what holds now: the person may have corrected it.
const STILL_FEEDBACK: &str =
    "(SELECT o.category FROM outcome AS o WHERE o.message = f.message ORDER BY o.id DESC LIMIT 1) = 'feedback'";

const FEEDBACK: &str = "
    SELECT f.id, f.outcome, f.draft, f.text, o.employer, o.role, o.tell_at, m.received_at, k.useful,
           coalesce(k.tags, '[]') AS tags
    FROM feedback AS f
    JOIN outcome AS o ON o.id = f.outcome
    JOIN message AS m ON m.id = f.message
    LEFT JOIN feedback_mark AS k
        ON k.id = (SELECT max(last.id) FROM feedback_mark AS last WHERE last.feedback = f.id)";

fn feedback(row: &Row<'_>) -> rusqlite::Result<Feedback> {
    Ok(Feedback {
        id: row.get("id")?,
        outcome: row.get("outcome")?,
        draft: row.get("draft")?,
        employer: row.get("employer")?,
        role: row.get("role")?,
        received_at: row.get::<_, At>("received_at")?.0,
        tell_at: row.get::<_, Option<At>>("tell_at")?.map(|at| at.0),
        text: row.get("text")?,
        useful: row.get("useful")?,
        tags: row.get::<_, Json<_>>("tags")?.0,
    })
}
