//! Outcomes and what takes their place: every outcome is one chain of immutable rows, of which the last one holds.
//!
//! A number the person knows stays good: every function takes any number of a chain and acts on its last row.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::json;

use super::{
    Store,
    drafts::{Step, drafts_of, live_draft, propose, step},
    error::{Result, StoreError},
    events::{Entry, EventKind, log},
    ingest::{NewOutcome, insert_note, leave_out},
    lessons::{NewLesson, Taught, restore_label, teach},
    value::{At, Word},
};
use crate::{
    draft::{DraftEvent, DraftState, transition},
    note::Note,
    outcome::{Origin, Outcome, employer_key},
    reply::{NoDraft, ProposedDraft},
};

/// What a correction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superseded {
    /// The number of the row that holds now.
    pub outcome: i64,
    /// Drafts that were withdrawn.
    pub withdrawn: Vec<i64>,
    /// Drafts that wait for the person again.
    pub restored: Vec<i64>,
    /// The new draft, where one was given and kept.
    pub draft: Option<i64>,
}

/// A correction by the person with what follows from it.
#[derive(Clone, Copy)]
pub struct Correction<'a> {
    /// What holds from now on.
    pub new: NewOutcome<'a>,
    /// The reply.
    pub draft: Option<&'a ProposedDraft>,
    /// Why there is no reply though the outcome could have one.
    pub no_draft: Option<NoDraft>,
    /// The note.
    pub note: Option<&'a Note>,
    /// What is learned from it; `None` where they did not say what the mail is.
    pub lesson: Option<NewLesson<'a>>,
}

/// A row that takes the place of the last one of a chain.
pub(super) struct Superseding<'a> {
    pub earlier: i64,
    pub message: Option<i64>,
    pub new: NewOutcome<'a>,
    pub kind: EventKind,
    pub now: Timestamp,
}

/// A row of the table as it stands.
struct Stored {
    message: Option<i64>,
    supersedes: Option<i64>,
    outcome: Outcome,
    detected_at: Timestamp,
    tell_at: Option<Timestamp>,
    draft_due_at: Option<Timestamp>,
}

impl Store {
    /// Stores an outcome that the person enters by hand: no mail belongs to it.
    pub fn add_outcome(&mut self, new: NewOutcome<'_>, now: Timestamp) -> Result<i64> {
        let tx = self.begin()?;
        let id = insert_outcome(&tx, None, None, new, EventKind::Outcome, now)?;
        tx.commit()?;
        Ok(id)
    }

    /// Corrects an outcome: a new row takes its place, its drafts that wait or are approved are withdrawn, and the
    /// given draft and note belong to the new row. A correction by the person counts as told.
    pub fn supersede(
        &mut self,
        id: i64,
        new: NewOutcome<'_>,
        draft: Option<&ProposedDraft>,
        note: Option<&Note>,
        now: Timestamp,
    ) -> Result<Superseded> {
        self.correct(id, Correction { new, draft, no_draft: None, note, lesson: None }, now)
    }

    /// [`Store::supersede`], and what is learned from it, in one transaction.
    pub fn correct(&mut self, id: i64, correction: Correction<'_>, now: Timestamp) -> Result<Superseded> {
        let Correction { new, draft, no_draft, note, lesson } = correction;
        let tx = self.begin()?;
        let earlier = head(&tx, id)?;
        let Stored { message, outcome: before, .. } = stored(&tx, earlier)?;
        let (outcome, withdrawn) =
            supersede_in(&tx, &Superseding { earlier, message, new, kind: EventKind::Supersede, now })?;
        let draft = draft.map(|draft| propose(&tx, outcome, draft, now)).transpose()?.flatten();
        if let Some(why) = no_draft {
            leave_out(&tx, outcome, why, now)?;
        }
        if let Some(note) = note {
            insert_note(&tx, outcome, note, now)?;
        }
        if let (Some(message), Some(lesson)) = (message, lesson) {
            teach(&tx, &Taught { message, outcome, before: before.category, lesson, now })?;
        }
        tx.commit()?;
        Ok(Superseded { outcome, withdrawn, restored: Vec::new(), draft })
    }

    /// Goes back to what held before the last correction, by another row. Drafts that the correction withdrew wait
    /// for the person again. A later mail whose outcome had taken the place keeps its outcome, as one of its own.
    pub fn undo(&mut self, id: i64, now: Timestamp) -> Result<Superseded> {
        let tx = self.begin()?;
        let last = head(&tx, id)?;
        let undone = stored(&tx, last)?;
        let earlier = undone.supersedes.ok_or(StoreError::NothingToUndo { id: last })?;
        let before = stored(&tx, earlier)?;
        let (outcome, withdrawn) = supersede_in(
            &tx,
            &Superseding {
                earlier: last,
                message: before.message,
                new: before.again(Origin::Person),
                kind: EventKind::Undo,
                now,
            },
        )?;
        if undone.message != before.message {
            insert_outcome(&tx, undone.message, None, undone.again(Origin::Person), EventKind::Outcome, now)?;
        }
        let restored = restore_withdrawn_by(&tx, last, outcome, now)?;
        if let Some(message) = before.message {
            restore_label(&tx, message, (earlier, undone.outcome.category), outcome, now)?;
        }
        tx.commit()?;
        Ok(Superseded { outcome, withdrawn, restored, draft: None })
    }

    /// Adds a reply to an outcome that has none, e.g. after a correction. `None` when another one answers the mail.
    pub fn add_draft(&mut self, outcome: i64, draft: &ProposedDraft, now: Timestamp) -> Result<Option<i64>> {
        let tx = self.begin()?;
        let head = head(&tx, outcome)?;
        let draft = propose(&tx, head, draft, now)?;
        tx.commit()?;
        Ok(draft)
    }

    /// Records that the person was told of outcomes, and how (`digest`, `notification`, ...).
    pub fn mark_told(&mut self, outcomes: &[i64], channel: &str, now: Timestamp) -> Result<()> {
        let tx = self.begin()?;
        for outcome in outcomes {
            let exists: Option<i64> = tx
                .prepare_cached("SELECT id FROM outcome WHERE id = ?1")?
                .query_row([outcome], |row| row.get(0))
                .optional()?;
            exists.ok_or(StoreError::NotFound { what: "item", id: *outcome })?;
            tell(&tx, *outcome, channel, now)?;
        }
        tx.commit()?;
        Ok(())
    }
}

impl Stored {
    /// The same outcome as a new row.
    fn again(&self, origin: Origin) -> NewOutcome<'_> {
        NewOutcome {
            outcome: &self.outcome,
            origin,
            detected_at: self.detected_at,
            tell_at: self.tell_at,
            draft_due_at: self.draft_due_at,
        }
    }
}

/// All numbers of the chain that holds ?1, oldest first: a row always has a higher number than the one it supersedes.
pub(super) const CHAIN: &str = "
    WITH RECURSIVE
        older (id, supersedes) AS (
            SELECT id, supersedes FROM outcome WHERE id = ?1
            UNION ALL
            SELECT o.id, o.supersedes FROM outcome AS o JOIN older ON o.id = older.supersedes
        ),
        newer (id) AS (
            SELECT id FROM outcome WHERE supersedes = ?1
            UNION ALL
            SELECT o.id FROM outcome AS o JOIN newer ON o.supersedes = newer.id
        )
    SELECT id FROM older UNION ALL SELECT id FROM newer ORDER BY id";

/// The numbers of a chain, oldest first; never empty.
pub(super) fn chain(db: &Connection, id: i64) -> Result<Vec<i64>> {
    let ids: Vec<i64> =
        db.prepare_cached(CHAIN)?.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if ids.is_empty() { Err(StoreError::NotFound { what: "item", id }) } else { Ok(ids) }
}

/// The last row of the chain that holds `id`.
pub(super) fn head(db: &Connection, id: i64) -> Result<i64> {
    chain(db, id)?.last().copied().ok_or(StoreError::NotFound { what: "item", id })
}

/// Writes an outcome and its row of the log.
pub(super) fn insert_outcome(
    tx: &Connection,
    message: Option<i64>,
    supersedes: Option<i64>,
    new: NewOutcome<'_>,
    kind: EventKind,
    now: Timestamp,
) -> Result<i64> {
    let outcome = new.outcome;
    let key = outcome.employer.as_deref().map(employer_key).filter(|key| !key.is_empty());
    tx.prepare_cached(
        "INSERT INTO outcome (message, supersedes, origin, category, decided, stage, reason, employer, employer_key,
                              role, requisition_id, contact, detected_at, tell_at, draft_due_at, at)
         VALUES (:message, :supersedes, :origin, :category, :decided, :stage, :reason, :employer, :employer_key,
                 :role, :requisition_id, :contact, :detected_at, :tell_at, :draft_due_at, :at)",
    )?
    .execute(named_params! {
        ":message": message,
        ":supersedes": supersedes,
        ":origin": Word(new.origin),
        ":category": Word(outcome.category),
        ":decided": outcome.decided,
        ":stage": Word(outcome.stage),
        ":reason": Word(outcome.reason),
        ":employer": outcome.employer,
        ":employer_key": key,
        ":role": outcome.role,
        ":requisition_id": outcome.requisition_id,
        ":contact": outcome.contact,
        ":detected_at": At(new.detected_at),
        ":tell_at": new.tell_at.map(At),
        ":draft_due_at": new.draft_due_at.map(At),
        ":at": At(now),
    })?;
    let id = tx.last_insert_rowid();
    let detail = json!({ "category": outcome.category, "origin": new.origin, "supersedes": supersedes });
    log(tx, &Entry { message, outcome: Some(id), detail, ..Entry::new(kind, now) })?;
    Ok(id)
}

/// Adds a row to a chain and withdraws the drafts that wait or are approved. Gives the row and those drafts.
pub(super) fn supersede_in(tx: &Connection, with: &Superseding<'_>) -> Result<(i64, Vec<i64>)> {
    let ids = chain(tx, with.earlier)?;
    let outcome = insert_outcome(tx, with.message, ids.last().copied(), with.new, with.kind, with.now)?;
    let mut withdrawn = Vec::new();
    for (draft, state) in drafts_of(tx, outcome)? {
        if transition(state, DraftEvent::Supersede).is_ok() {
            step(tx, &Step { outcome: Some(outcome), ..Step::new(draft, DraftEvent::Supersede, with.now) })?;
            withdrawn.push(draft);
        }
    }
    if with.new.origin == Origin::Person {
        // They said it themselves.
        tell(tx, outcome, "person", with.now)?;
    }
    Ok((outcome, withdrawn))
}

/// Restores the drafts that `by` withdrew, now for `outcome`; at most one, as one draft answers a mail.
fn restore_withdrawn_by(tx: &Connection, by: i64, outcome: i64, now: Timestamp) -> Result<Vec<i64>> {
    let mut restored = Vec::new();
    for (draft, state) in drafts_of(tx, outcome)? {
        let withdrawer: Option<i64> = tx
            .prepare_cached(
                "SELECT event.outcome FROM draft_now JOIN event ON event.id = draft_now.event_id
                 WHERE draft_now.draft = ?1 AND draft_now.event = 'supersede'",
            )?
            .query_row([draft], |row| row.get(0))
            .optional()?
            .flatten();
        if state == DraftState::Withdrawn && withdrawer == Some(by) && live_draft(tx, outcome)?.is_none() {
            step(tx, &Step { outcome: Some(outcome), ..Step::new(draft, DraftEvent::Restore, now) })?;
            restored.push(draft);
        }
    }
    Ok(restored)
}

fn tell(tx: &Connection, outcome: i64, channel: &str, now: Timestamp) -> Result<()> {
    tx.prepare_cached("INSERT OR IGNORE INTO told (outcome, at, channel) VALUES (?1, ?2, ?3)")?.execute(params![
        outcome,
        At(now),
        channel
    ])?;
    log(
        tx,
        &Entry { outcome: Some(outcome), detail: json!({ "channel": channel }), ..Entry::new(EventKind::Told, now) },
    )?;
    Ok(())
}

fn stored(tx: &Connection, id: i64) -> Result<Stored> {
    tx.prepare_cached(
        "SELECT message, supersedes, category, decided, stage, reason, employer, role, requisition_id, contact,
                detected_at, tell_at, draft_due_at
         FROM outcome WHERE id = ?1",
    )?
    .query_row([id], |row| {
        Ok(Stored {
            message: row.get("message")?,
            supersedes: row.get("supersedes")?,
            outcome: outcome(row)?,
            detected_at: row.get::<_, At>("detected_at")?.0,
            tell_at: row.get::<_, Option<At>>("tell_at")?.map(|at| at.0),
            draft_due_at: row.get::<_, Option<At>>("draft_due_at")?.map(|at| at.0),
        })
    })
    .optional()?
    .ok_or(StoreError::NotFound { what: "item", id })
}

/// The columns that say what an outcome means.
pub(super) fn outcome(row: &Row<'_>) -> rusqlite::Result<Outcome> {
    Ok(Outcome {
        category: row.get::<_, Word<_>>("category")?.0,
        decided: row.get("decided")?,
        stage: row.get::<_, Word<_>>("stage")?.0,
        reason: row.get::<_, Word<_>>("reason")?.0,
        employer: row.get("employer")?,
        role: row.get("role")?,
        requisition_id: row.get("requisition_id")?,
        contact: row.get("contact")?,
    })
}
