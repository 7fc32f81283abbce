//! Reading outcomes for the person: the list, one item with everything about it, and the stored octets.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::Serialize;

use super::{
    Store,
    chain::{chain, outcome},
    drafts::DraftView,
    error::{Result, StoreError},
    value::{At, Json, Word},
};
use crate::{
    classify::Classification,
    draft::DraftState,
    note::Note,
    outcome::{Category, Origin, Outcome},
    reply::{DraftKind, NoDraft},
};

/// Which outcomes; the default is all that hold, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these categories; empty for all.
    pub categories: Vec<Category>,
    /// Only decided ones, or only those the person is to be asked about.
    pub decided: Option<bool>,
    /// Only from this moment on (`detected_at`).
    pub since: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Only of the employer with this key, see [`crate::outcome::employer_key`].
    pub employer_key: Option<String>,
    /// Only those the person was told of, or only those they were not.
    pub told: Option<bool>,
    /// Only those whose time to be told has come by this moment.
    pub tell_by: Option<Timestamp>,
    /// Only those whose time to offer the draft has come by this moment.
    pub draft_due_by: Option<Timestamp>,
    /// Only those with a draft in one of these states; empty for all.
    pub draft_states: Vec<DraftState>,
    /// Also rows that another one has taken the place of.
    pub superseded: bool,
    /// At most so many.
    pub limit: Option<u32>,
}

/// One outcome as a line of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomeRow {
    /// The number the person sees.
    pub id: i64,
    /// The row it took the place of.
    pub supersedes: Option<i64>,
    /// Who says so.
    pub origin: Origin,
    /// What it means.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// When the mail arrived or it was entered.
    pub detected_at: Timestamp,
    /// When the person is told.
    pub tell_at: Option<Timestamp>,
    /// When they were told first.
    pub told_at: Option<Timestamp>,
    /// When the draft is offered.
    pub draft_due_at: Option<Timestamp>,
    /// The mail; `None` for an entry by hand.
    pub mail: Option<MailHead>,
    /// The reply.
    pub draft: Option<DraftHead>,
}

/// What a list shows of a mail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MailHead {
    /// Its row.
    pub message: i64,
    /// The account it came to.
    pub account: String,
    /// `Message-ID` without angle brackets.
    pub message_id: Option<String>,
    /// The subject, cleaned.
    pub subject: String,
    /// The sender's display name, cleaned.
    pub from_name: String,
    /// The sender's address.
    pub from_addr: String,
    /// INTERNALDATE.
    pub received_at: Timestamp,
    /// Whether only the first octets were read.
    pub truncated: bool,
}

/// What a list shows of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DraftHead {
    /// Its number.
    pub id: i64,
    /// What it wants.
    pub kind: DraftKind,
    /// Where it stands.
    pub state: DraftState,
}

/// An outcome with everything about it. No `Debug`: it holds a letter.
pub struct Item {
    /// The row that holds, whichever number of its chain was asked for.
    pub row: OutcomeRow,
    /// Every row of the chain, oldest first; the last one is `row`.
    pub chain: Vec<OutcomeRow>,
    /// Where the mail was found: account, mailbox.
    pub places: Vec<(String, String)>,
    /// The latest verdict on the mail, and when it was made.
    pub classification: Option<(Classification, Timestamp)>,
    /// The reply.
    pub draft: Option<DraftView>,
    /// Why there is no reply, where there could be one.
    pub no_draft: Option<NoDraft>,
    /// The note and when it was made.
    pub note: Option<(Note, Timestamp)>,
}

impl Store {
    /// Outcomes, newest first.
    pub fn list(&self, filter: &Filter) -> Result<Vec<OutcomeRow>> {
        let sql = format!("{OUTCOME_ROW} {LIST_WHERE}");
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map(
            named_params! {
                ":categories": Json(&filter.categories),
                ":decided": filter.decided,
                ":since": filter.since.map(At),
                ":until": filter.until.map(At),
                ":employer_key": filter.employer_key,
                ":told": filter.told,
                ":tell_by": filter.tell_by.map(At),
                ":draft_due_by": filter.draft_due_by.map(At),
                ":draft_states": Json(&filter.draft_states),
                ":superseded": filter.superseded,
                ":limit": filter.limit,
            },
            outcome_row,
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One outcome with everything about it. Any number of its chain will do.
    pub fn item(&self, id: i64) -> Result<Item> {
        let _moment = self.one_moment()?;
        let db = &self.db;
        let ids = chain(db, id)?;
        let rows: Vec<OutcomeRow> = ids.iter().map(|id| one(db, *id)).collect::<Result<_>>()?;
        let row = rows.last().cloned().ok_or(StoreError::NotFound { what: "item", id })?;
        let message = row.mail.as_ref().map(|mail| mail.message);
        Ok(Item {
            places: message.map(|message| places(db, message)).transpose()?.unwrap_or_default(),
            classification: message.map(|message| verdict(db, message)).transpose()?.flatten(),
            draft: row.draft.map(|draft| self.draft(draft.id)).transpose()?,
            no_draft: if row.draft.is_none() { no_draft(db, &ids)? } else { None },
            note: note(db, &ids)?,
            row,
            chain: rows,
        })
    }

    /// The outcome that a message stands for now, if it has one.
    pub fn outcome_of(&self, message: i64) -> Result<Option<i64>> {
        let first: Option<i64> = self
            .db
            .prepare_cached("SELECT max(id) FROM outcome WHERE message = ?1")?
            .query_row([message], |row| row.get(0))?;
        first.map(|id| super::chain::head(&self.db, id)).transpose()
    }

    /// The octets of a message as read; `None` where they were not kept or are purged.
    pub fn raw(&self, message: i64) -> Result<Option<Vec<u8>>> {
        self.db
            .prepare_cached("SELECT raw FROM message WHERE id = ?1")?
            .query_row([message], |row| row.get(0))
            .optional()?
            .ok_or(StoreError::NotFound { what: "message", id: message })
    }
}

/// A row of the list. The draft is looked for in the whole chain, a live one first, because an undo leaves it with
/// the older row.
pub(super) const OUTCOME_ROW: &str = "
    SELECT o.id, o.supersedes, o.origin, o.category, o.decided, o.stage, o.reason, o.employer, o.role,
           o.requisition_id, o.contact, o.detected_at, o.tell_at, o.draft_due_at,
           (SELECT min(told.at) FROM told WHERE told.outcome = o.id) AS told_at,
           m.id AS message, m.account, m.message_id, m.subject, m.from_name, m.from_addr, m.received_at, m.truncated,
           d.id AS draft, d.kind, s.state
    FROM outcome AS o
    LEFT JOIN message AS m ON m.id = o.message
    LEFT JOIN draft AS d ON d.id = (
        WITH RECURSIVE older (id, supersedes) AS (
            SELECT o.id, o.supersedes
            UNION ALL
            SELECT p.id, p.supersedes FROM outcome AS p JOIN older ON p.id = older.supersedes
        )
        SELECT c.id FROM older JOIN draft AS c ON c.outcome = older.id JOIN draft_now AS n ON n.draft = c.id
        ORDER BY n.state IN ('discarded', 'withdrawn'), c.id DESC
        LIMIT 1
    )
    LEFT JOIN draft_now AS s ON s.draft = d.id";

const LIST_WHERE: &str = "
    WHERE (:superseded OR NOT EXISTS (SELECT 1 FROM outcome AS later WHERE later.supersedes = o.id))
      AND (:categories = '[]' OR o.category IN (SELECT value FROM json_each(:categories)))
      AND (:decided IS NULL OR o.decided = :decided)
      AND (:since IS NULL OR o.detected_at >= :since)
      AND (:until IS NULL OR o.detected_at < :until)
      AND (:employer_key IS NULL OR o.employer_key = :employer_key)
      AND (:told IS NULL OR EXISTS (SELECT 1 FROM told WHERE told.outcome = o.id) = :told)
      AND (:tell_by IS NULL OR o.tell_at <= :tell_by)
      AND (:draft_due_by IS NULL OR o.draft_due_at <= :draft_due_by)
      AND (:draft_states = '[]' OR s.state IN (SELECT value FROM json_each(:draft_states)))
    ORDER BY o.detected_at DESC, o.id DESC
    LIMIT coalesce(:limit, -1)";

fn one(db: &Connection, id: i64) -> Result<OutcomeRow> {
    let sql = format!("{OUTCOME_ROW} WHERE o.id = ?1");
    db.prepare_cached(&sql)?.query_row([id], outcome_row).optional()?.ok_or(StoreError::NotFound { what: "item", id })
}

pub(super) fn outcome_row(row: &Row<'_>) -> rusqlite::Result<OutcomeRow> {
    let time = |column: &str| row.get::<_, Option<At>>(column).map(|at| at.map(|at| at.0));
    let mail = match row.get("message")? {
        Some(message) => Some(MailHead {
            message,
            account: row.get("account")?,
            message_id: row.get("message_id")?,
            subject: row.get("subject")?,
            from_name: row.get("from_name")?,
            from_addr: row.get("from_addr")?,
            received_at: row.get::<_, At>("received_at")?.0,
            truncated: row.get("truncated")?,
        }),
        None => None,
    };
    let draft = match row.get("draft")? {
        Some(id) => {
            Some(DraftHead { id, kind: row.get::<_, Word<_>>("kind")?.0, state: row.get::<_, Word<_>>("state")?.0 })
        }
        None => None,
    };
    Ok(OutcomeRow {
        id: row.get("id")?,
        supersedes: row.get("supersedes")?,
        origin: row.get::<_, Word<_>>("origin")?.0,
        outcome: outcome(row)?,
        detected_at: row.get::<_, At>("detected_at")?.0,
        tell_at: time("tell_at")?,
        told_at: time("told_at")?,
        draft_due_at: time("draft_due_at")?,
        mail,
        draft,
    })
}

fn places(db: &Connection, message: i64) -> Result<Vec<(String, String)>> {
    let mut statement = db.prepare_cached(
        "SELECT DISTINCT account, mailbox FROM location WHERE message = ?1 ORDER BY account, mailbox",
    )?;
    let rows = statement.query_map([message], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn verdict(db: &Connection, message: i64) -> Result<Option<(Classification, Timestamp)>> {
    Ok(db
        .prepare_cached("SELECT verdict, at FROM classification WHERE message = ?1 ORDER BY id DESC LIMIT 1")?
        .query_row(params![message], |row| Ok((row.get::<_, Json<_>>("verdict")?.0, row.get::<_, At>("at")?.0)))
        .optional()?)
}

/// What was last said of why a chain has no reply.
fn no_draft(db: &Connection, chain: &[i64]) -> Result<Option<NoDraft>> {
    Ok(db
        .prepare_cached(
            "SELECT detail ->> 'why' AS why FROM event
             WHERE outcome IN (SELECT value FROM json_each(?1)) AND kind = 'draft_left_out' AND detail ->> 'why' IS NOT NULL
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([Json(chain)], |row| Ok(row.get::<_, Word<_>>("why")?.0))
        .optional()?)
}

/// The last note of a chain.
fn note(db: &Connection, chain: &[i64]) -> Result<Option<(Note, Timestamp)>> {
    Ok(db
        .prepare_cached(
            "SELECT template, language, text, facts, at FROM note
             WHERE outcome IN (SELECT value FROM json_each(?1))
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([Json(chain)], |row| {
            let note = Note {
                template: row.get("template")?,
                language: row.get("language")?,
                text: row.get("text")?,
                facts: row.get::<_, Json<_>>("facts")?.0,
            };
            Ok((note, row.get::<_, At>("at")?.0))
        })
        .optional()?)
}
