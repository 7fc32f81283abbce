//! Drafts as rows: proposing, revising, and the one function that moves a draft from state to state.
//!
//! Every step goes through [`transition`]; nothing here decides what may follow what.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::json;

use super::{
    Store,
    chain::chain,
    error::{Result, StoreError},
    events::{Entry, EventKind, log},
    value::{At, Json, Word},
};
use crate::{
    clean,
    draft::{Digest, DraftEvent, DraftState, Envelope, transition},
    reply::{Caution, DraftKind, ProposedDraft},
};

/// A draft with its latest revision. No `Debug`: it holds a letter.
#[derive(Clone)]
pub struct DraftView {
    /// Its number.
    pub id: i64,
    /// The outcome it was written for; a later row may hold by now.
    pub outcome: i64,
    /// `Message-ID` of the mail it answers, without angle brackets: how it is found again in Sent.
    pub answers: Option<String>,
    /// What it wants.
    pub kind: DraftKind,
    /// ISO 639-1.
    pub language: String,
    /// The policy row that chose it.
    pub row: String,
    /// The template.
    pub template: String,
    /// Where it stands.
    pub state: DraftState,
    /// The latest revision, from 1; above 1 it was edited, or dated anew before it was shown.
    pub revision: u32,
    /// From and to in SMTP.
    pub envelope: Envelope,
    /// Its `Message-ID`, without angle brackets.
    pub message_id: String,
    /// The message, CRLF line ends.
    pub bytes: Vec<u8>,
    /// What an approval has to name.
    pub digest: Digest,
    /// What to look at twice.
    pub cautions: Vec<Caution>,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// What was said at that change, e.g. the server's reply; cleaned, often empty.
    pub remark: String,
    /// When the approval that holds was given; `None` when none does.
    pub approved_at: Option<Timestamp>,
    /// Attempts to send it since that approval; those aside of which nothing was to leave.
    pub attempts: u32,
}

/// Another wording or recipient.
#[derive(Clone, Copy)]
pub struct Rewrite<'a> {
    /// From and to in SMTP.
    pub envelope: &'a Envelope,
    /// `Message-ID` without angle brackets; normally the one it had.
    pub message_id: &'a str,
    /// The message, CRLF line ends.
    pub bytes: &'a [u8],
    /// What to look at twice now.
    pub cautions: &'a [Caution],
}

/// A step of a draft that is about to be written.
pub(super) struct Step<'a> {
    pub draft: i64,
    pub event: DraftEvent,
    pub outcome: Option<i64>,
    pub remark: &'a str,
    pub at: Timestamp,
}

impl Step<'_> {
    pub fn new(draft: i64, event: DraftEvent, at: Timestamp) -> Step<'static> {
        Step { draft, event, outcome: None, remark: "", at }
    }
}

/// Longest remark kept with a step, in characters.
const REMARK_CHARS_MAX: usize = 300;

impl Store {
    /// One draft.
    pub fn draft(&self, id: i64) -> Result<DraftView> {
        let sql = format!("{DRAFT_VIEW} WHERE d.id = ?1");
        self.db
            .prepare_cached(&sql)?
            .query_row([id], view)
            .optional()?
            .ok_or(StoreError::NotFound { what: "draft", id })
    }

    /// Drafts in any of these states, oldest first; all of them for none.
    pub fn drafts(&self, states: &[DraftState]) -> Result<Vec<DraftView>> {
        let sql =
            format!("{DRAFT_VIEW} WHERE (?1 = '[]' OR s.state IN (SELECT value FROM json_each(?1))) ORDER BY d.id");
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map([Json(states)], view)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every draft of an item, any number of its chain, oldest first.
    pub fn drafts_of_item(&self, outcome: i64) -> Result<Vec<DraftView>> {
        drafts_of(&self.db, outcome)?.into_iter().map(|(id, _)| self.draft(id)).collect()
    }

    /// Withdraws what was to be written later to this employer, or in this thread: they have written themselves.
    pub fn withdraw_later(&mut self, employer_key: Option<&str>, thread: &[&str], now: Timestamp) -> Result<Vec<i64>> {
        let tx = self.begin()?;
        let open: Vec<i64> = tx
            .prepare_cached(LATER)?
            .query_map(params![employer_key, Json(thread)], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for draft in &open {
            let remark = "they have written meanwhile";
            step(&tx, &Step { remark, ..Step::new(*draft, DraftEvent::Supersede, now) })?;
        }
        tx.commit()?;
        Ok(open)
    }

    /// The draft whose reply carries this `Message-ID`, or got it from the person's mail program: for answers to it, and for mail of ours that comes back.
    pub fn draft_by_message_id(&self, message_id: &str) -> Result<Option<i64>> {
        Ok(self.db.prepare_cached(DRAFT_BY_MESSAGE_ID)?.query_row([message_id], |row| row.get(0)).optional()?)
    }

    /// Changes wording or recipient: a new revision; an approval is void. Gives the digest to approve.
    pub fn edit(&mut self, draft: i64, rewrite: Rewrite<'_>, now: Timestamp) -> Result<Digest> {
        let tx = self.begin()?;
        let (state, revision) = standing(&tx, draft)?;
        transition(state, DraftEvent::Edit)?;
        let digest = insert_revision(&tx, draft, revision + 1, rewrite, now)?;
        step(&tx, &Step::new(draft, DraftEvent::Edit, now))?;
        tx.commit()?;
        Ok(digest)
    }

    /// Drops a draft.
    pub fn discard(&mut self, draft: i64, now: Timestamp) -> Result<DraftState> {
        self.record(draft, DraftEvent::Discard, "", now)
    }

    /// Takes a dropped or withdrawn draft back, unless another one answers the mail by now.
    pub fn restore(&mut self, draft: i64, now: Timestamp) -> Result<DraftState> {
        let tx = self.begin()?;
        let (state, _) = standing(&tx, draft)?;
        transition(state, DraftEvent::Restore)?;
        let (outcome, kind) = tx.query_row("SELECT outcome, kind FROM draft WHERE id = ?1", [draft], |row| {
            Ok((row.get::<_, i64>("outcome")?, row.get::<_, Word<DraftKind>>("kind")?.0))
        })?;
        if let Some(other) = in_the_way(&tx, outcome, kind)? {
            return Err(StoreError::OtherDraft { other });
        }
        let state = step(&tx, &Step::new(draft, DraftEvent::Restore, now))?;
        tx.commit()?;
        Ok(state)
    }

    /// Records what happened to a draft, with the server's words or another short remark. Steps that have checks of
    /// their own (approve, edit, take, restore, lapse) have their own methods.
    pub fn record(&mut self, draft: i64, event: DraftEvent, remark: &str, now: Timestamp) -> Result<DraftState> {
        if matches!(
            event,
            DraftEvent::Approve | DraftEvent::Edit | DraftEvent::Take | DraftEvent::Restore | DraftEvent::Lapse
        ) {
            return Err(StoreError::NotByItself { event: event.as_str() });
        }
        let tx = self.begin()?;
        let state = step(&tx, &Step { remark, ..Step::new(draft, event, now) })?;
        tx.commit()?;
        Ok(state)
    }
}

/// ?1: the employer's key; ?2: ids of a thread, as a JSON array. Drafts of later kinds that have not gone out.
pub(super) const LATER: &str = "
    WITH found (outcome) AS (
        SELECT o.id FROM outcome AS o WHERE o.employer_key = ?1
        UNION
        SELECT o.id FROM message AS m JOIN outcome AS o ON o.message = m.id
        WHERE m.message_id IN (SELECT value FROM json_each(?2))
    )
    SELECT d.id
    FROM found CROSS JOIN draft AS d
    WHERE d.outcome = found.outcome AND d.kind IN ('follow-up', 'keep-in-touch')
      AND (SELECT s.state FROM draft_now AS s WHERE s.draft = d.id) IN ('pending', 'approved', 'failed')
    ORDER BY d.id";

pub(super) const DRAFT_BY_MESSAGE_ID: &str = "SELECT draft FROM draft_revision WHERE message_id = ?1
     UNION
     SELECT draft FROM sent_mail WHERE message_id = ?1 AND draft IS NOT NULL
     ORDER BY draft DESC LIMIT 1";

/// A draft, its latest revision, where it stands, and the approval that holds.
pub(super) const DRAFT_VIEW: &str = "
    SELECT d.id, d.outcome, m.message_id AS answers, d.kind, d.language, d.policy_row, d.template, d.at AS proposed_at,
           s.state, r.n, r.envelope_from, r.envelope_to, r.message_id, r.bytes, r.digest, r.cautions,
           e.at AS changed_at, coalesce(e.detail ->> 'remark', '') AS remark,
           approval.at AS approved_at,
           (SELECT count(*) FILTER (WHERE t.event = 'take') - count(*) FILTER (WHERE t.event = 'release')
            FROM draft_event AS t WHERE t.draft = d.id AND t.id > approval.id) AS attempts
    FROM draft AS d
    JOIN outcome AS o ON o.id = d.outcome
    LEFT JOIN message AS m ON m.id = o.message
    JOIN draft_now AS s ON s.draft = d.id
    JOIN draft_revision AS r ON r.draft = d.id AND r.n = s.revision
    JOIN event AS e ON e.id = s.event_id
    LEFT JOIN event AS approval
        ON s.state IN ('approved', 'sending', 'placed', 'sent', 'failed', 'unconfirmed')
        AND approval.id = (SELECT max(a.id) FROM draft_event AS a
                           WHERE a.draft = d.id AND a.event IN ('approve', 'resolve_retry'))";

fn view(row: &Row<'_>) -> rusqlite::Result<DraftView> {
    Ok(DraftView {
        id: row.get("id")?,
        outcome: row.get("outcome")?,
        answers: row.get("answers")?,
        kind: row.get::<_, Word<_>>("kind")?.0,
        language: row.get("language")?,
        row: row.get("policy_row")?,
        template: row.get("template")?,
        state: row.get::<_, Word<_>>("state")?.0,
        revision: row.get("n")?,
        envelope: Envelope { from: row.get("envelope_from")?, to: row.get("envelope_to")? },
        message_id: row.get("message_id")?,
        bytes: row.get("bytes")?,
        digest: digest(row, "digest")?,
        cautions: row.get::<_, Json<_>>("cautions")?.0,
        proposed_at: row.get::<_, At>("proposed_at")?.0,
        changed_at: row.get::<_, At>("changed_at")?.0,
        remark: row.get("remark")?,
        approved_at: row.get::<_, Option<At>>("approved_at")?.map(|at| at.0),
        attempts: row.get("attempts")?,
    })
}

/// A digest column.
pub(super) fn digest(row: &Row<'_>, column: &str) -> rusqlite::Result<Digest> {
    let text: String = row.get(column)?;
    Digest::try_from(text).map_err(|e| {
        let index = row.as_ref().column_index(column).unwrap_or(0);
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, e.into())
    })
}

/// Stores a proposed draft for the last row of a chain. `None`, with a row in the log, when another one answers the
/// mail: ingest must not fail over it.
pub(super) fn propose(tx: &Connection, outcome: i64, draft: &ProposedDraft, now: Timestamp) -> Result<Option<i64>> {
    if let Some(other) = in_the_way(tx, outcome, draft.kind)? {
        let entry = Entry { outcome: Some(outcome), draft: Some(other), ..Entry::new(EventKind::DraftLeftOut, now) };
        log(tx, &entry)?;
        return Ok(None);
    }
    tx.prepare_cached(
        "INSERT INTO draft (outcome, kind, language, policy_row, template, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![outcome, Word(draft.kind), draft.language, draft.row, draft.template, At(now)])?;
    let id = tx.last_insert_rowid();
    let ProposedDraft { envelope, message_id, bytes, cautions, .. } = draft;
    let digest = insert_revision(tx, id, 1, Rewrite { envelope, message_id, bytes, cautions }, now)?;
    let first = DraftState::Pending;
    let detail = json!({ "event": PROPOSE, "state": first });
    let entry = Entry { outcome: Some(outcome), draft: Some(id), detail, ..Entry::new(EventKind::Draft, now) };
    let event = log(tx, &entry)?;
    insert_event(tx, event, id, PROPOSE, first, (1, digest))?;
    Ok(Some(id))
}

/// The event every draft begins with; the only one that is no [`DraftEvent`], as no state precedes it.
const PROPOSE: &str = "propose";

/// Moves a draft by one event, the only way there is: asks [`transition`], writes log and state.
pub(super) fn step(tx: &Connection, step: &Step<'_>) -> Result<DraftState> {
    let (state, revision) = standing(tx, step.draft)?;
    let next = transition(state, step.event)?;
    // An edit has written its revision just before.
    let latest = tx
        .prepare_cached("SELECT n, digest FROM draft_revision WHERE draft = ?1 AND n >= ?2 ORDER BY n DESC LIMIT 1")?
        .query_row(params![step.draft, revision], |row| Ok((row.get("n")?, digest(row, "digest")?)))?;
    let remark = clean::line_within(step.remark, REMARK_CHARS_MAX);
    let detail = if remark.is_empty() {
        json!({ "event": step.event, "state": next })
    } else {
        json!({ "event": step.event, "state": next, "remark": remark })
    };
    let kind = EventKind::Draft;
    let entry = Entry { outcome: step.outcome, draft: Some(step.draft), detail, ..Entry::new(kind, step.at) };
    let event = log(tx, &entry)?;
    insert_event(tx, event, step.draft, step.event.as_str(), next, latest)?;
    Ok(next)
}

fn insert_event(
    tx: &Connection,
    id: i64,
    draft: i64,
    event: &str,
    state: DraftState,
    latest: (u32, Digest),
) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO draft_event (id, draft, event, state, revision, digest, newest_message)
         VALUES (:id, :draft, :event, :state, :revision, :digest, (SELECT coalesce(max(id), 0) FROM message))",
    )?
    .execute(named_params! {
        ":id": id,
        ":draft": draft,
        ":event": event,
        ":state": Word(state),
        ":revision": latest.0,
        ":digest": latest.1.to_string(),
    })?;
    Ok(())
}

fn insert_revision(tx: &Connection, draft: i64, n: u32, rewrite: Rewrite<'_>, now: Timestamp) -> Result<Digest> {
    let digest = Digest::of(rewrite.envelope, rewrite.bytes);
    tx.prepare_cached(
        "INSERT INTO draft_revision (draft, n, envelope_from, envelope_to, message_id, bytes, digest, cautions, at)
         VALUES (:draft, :n, :envelope_from, :envelope_to, :message_id, :bytes, :digest, :cautions, :at)",
    )?
    .execute(named_params! {
        ":draft": draft,
        ":n": n,
        ":envelope_from": rewrite.envelope.from,
        ":envelope_to": rewrite.envelope.to,
        ":message_id": rewrite.message_id,
        ":bytes": rewrite.bytes,
        ":digest": digest.to_string(),
        ":cautions": Json(rewrite.cautions),
        ":at": At(now),
    })?;
    Ok(digest)
}

/// State and latest revision that the last event knew.
pub(super) fn standing(tx: &Connection, draft: i64) -> Result<(DraftState, u32)> {
    tx.prepare_cached(STANDING)?
        .query_row([draft], |row| Ok((row.get::<_, Word<_>>("state")?.0, row.get("revision")?)))
        .optional()?
        .ok_or(StoreError::NotFound { what: "draft", id: draft })
}

pub(super) const STANDING: &str = "SELECT state, revision FROM draft_now WHERE draft = ?1";

/// The drafts of an outcome's whole chain with their states, oldest first.
pub(super) fn drafts_of(tx: &Connection, outcome: i64) -> Result<Vec<(i64, DraftState)>> {
    let ids = chain(tx, outcome)?;
    let mut statement = tx.prepare_cached(
        "SELECT d.id, s.state FROM draft AS d JOIN draft_now AS s ON s.draft = d.id
         WHERE d.outcome IN (SELECT value FROM json_each(?1))
         ORDER BY d.id",
    )?;
    let rows = statement.query_map([Json(ids)], |row| Ok((row.get("id")?, row.get::<_, Word<_>>("state")?.0)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The draft of an outcome's chain that a new one of this kind would compete with: one reply answers a mail, and what is
/// written later waits only for what has not gone out.
fn in_the_way(tx: &Connection, outcome: i64, kind: DraftKind) -> Result<Option<i64>> {
    for (draft, state) in drafts_of(tx, outcome)? {
        let other: DraftKind = tx
            .prepare_cached("SELECT kind FROM draft WHERE id = ?1")?
            .query_row([draft], |row| Ok(row.get::<_, Word<_>>("kind")?.0))?;
        let open = state.is_live() && !matches!(state, DraftState::Placed | DraftState::Sent);
        if open || (state.is_live() && kind.is_reply() && other.is_reply()) {
            return Ok(Some(draft));
        }
    }
    Ok(None)
}

/// The draft of an outcome's chain that answers the mail or still may.
pub(super) fn live_draft(tx: &Connection, outcome: i64) -> Result<Option<i64>> {
    Ok(drafts_of(tx, outcome)?.into_iter().find(|(_, state)| state.is_live()).map(|(id, _)| id))
}
