//! From approval to transport: the only place that makes an [`ApprovedDraft`].
//!
//! An approval is bound to the digest of the exact envelope and bytes. It is checked when it is given and computed
//! anew from the stored bytes when the draft is taken, and taking is committed before a connection opens, so that a
//! letter leaves at most once (`design.md`, invariants 3 and 4).

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    ApprovedDraft, Store,
    drafts::{Step, digest, standing, step},
    error::{Lapse, Result, StoreError},
    lock::Lock,
    value::{At, Json, Word},
};
use crate::{
    draft::{Digest, DraftEvent, DraftState, Envelope, NotAllowed, transition},
    reply::Caution,
};

/// How long an approval to send holds: what seemed right two days ago deserves another look.
pub const APPROVAL_AGE_MAX: SignedDuration = SignedDuration::from_hours(48);

/// The latest wording of a draft, as stored.
struct Revision {
    envelope: Envelope,
    message_id: String,
    bytes: Vec<u8>,
    digest: Digest,
    cautions: Vec<Caution>,
}

/// The approval that holds.
struct Approval {
    digest: Digest,
    given_at: Timestamp,
    newest_message: i64,
}

impl Store {
    /// Approves a draft as shown: `digest` has to be that of its latest revision. Of any number of callers with the
    /// same digest one succeeds. Refused without a recipient and while a caution stops it.
    pub fn approve(&mut self, draft: i64, digest: Digest, now: Timestamp) -> Result<()> {
        let tx = self.begin()?;
        let (state, n) = standing(&tx, draft)?;
        transition(state, DraftEvent::Approve)?;
        let revision = revision(&tx, draft, n)?;
        if revision.digest != digest || Digest::of(&revision.envelope, &revision.bytes) != digest {
            return Err(StoreError::StaleDigest);
        }
        if revision.envelope.to.as_deref().is_none_or(str::is_empty) {
            return Err(StoreError::NoRecipient);
        }
        if let Some(caution) = revision.cautions.into_iter().find(|caution| caution.stops) {
            return Err(StoreError::Stopped { code: caution.code });
        }
        step(&tx, &Step::new(draft, DraftEvent::Approve, now))?;
        tx.commit()?;
        Ok(())
    }

    /// Takes an approved draft to send it by SMTP: it is `sending` on disk before this returns. An approval that is
    /// too old, or older than a mail of the same thread, lapses instead ([`StoreError::Lapsed`]).
    /// Without room for what comes of it nothing is taken.
    pub fn take(&mut self, draft: i64, now: Timestamp) -> Result<ApprovedDraft> {
        self.require_room()?;
        let tx = self.begin()?;
        let (ready, approval) = approved(&tx, draft, DraftEvent::Take)?;
        if let Some(why) = lapse(&tx, draft, &approval, now)? {
            let remark = why.to_string();
            step(&tx, &Step { remark: &remark, ..Step::new(draft, DraftEvent::Lapse, now) })?;
            tx.commit()?;
            return Err(StoreError::Lapsed { why });
        }
        step(&tx, &Step::new(draft, DraftEvent::Take, now))?;
        tx.commit()?;
        Ok(ready)
    }

    /// An approved draft to be placed in Drafts. Its state does not change until `place` is recorded: APPEND can be
    /// repeated safely by its Message-ID, and it is the person who sends.
    pub fn approved_for_drafts(&self, draft: i64) -> Result<ApprovedDraft> {
        self.require_room()?;
        let _moment = self.one_moment()?;
        approved(&self.db, draft, DraftEvent::Place).map(|(ready, _)| ready)
    }

    /// At the start, before anything is sent: a draft that is still `sending` was on its way when the process ended,
    /// and nobody knows how far it came. The lock proves that no other process is sending now.
    pub fn recover(&mut self, _lock: &Lock, now: Timestamp) -> Result<Vec<i64>> {
        let tx = self.begin()?;
        let lost: Vec<i64> = tx
            .prepare_cached("SELECT draft FROM draft_now WHERE state = ?1 ORDER BY draft")?
            .query_map([Word(DraftState::Sending)], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for draft in &lost {
            let remark = "onward ended while it was being sent";
            step(&tx, &Step { remark, ..Step::new(*draft, DraftEvent::Lost, now) })?;
        }
        tx.commit()?;
        Ok(lost)
    }

    /// How many attempts to send were made from `since` on: for limits by minute and by day.
    pub fn taken_since(&self, since: Timestamp) -> Result<u32> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT count(*) FROM event JOIN draft_event ON draft_event.id = event.id
                 WHERE event.at >= ?1 AND draft_event.event = ?2",
            )?
            .query_row(params![At(since), Word(DraftEvent::Take)], |row| row.get(0))?)
    }
}

/// The one constructor of [`ApprovedDraft`]: the state must allow `event`, and approval, revision and the digest of
/// the stored bytes must agree.
fn approved(tx: &Connection, draft: i64, event: DraftEvent) -> Result<(ApprovedDraft, Approval)> {
    let (state, n) = standing(tx, draft)?;
    transition(state, event)?;
    let approval = approval(tx, draft)?.ok_or(NotAllowed { state, event })?;
    let revision = revision(tx, draft, n)?;
    let actual = Digest::of(&revision.envelope, &revision.bytes);
    if actual != approval.digest || actual != revision.digest {
        return Err(StoreError::StaleDigest);
    }
    let to = revision.envelope.to.filter(|to| !to.is_empty()).ok_or(StoreError::NoRecipient)?;
    let ready = ApprovedDraft {
        id: draft,
        from: revision.envelope.from,
        to,
        message_id: revision.message_id,
        bytes: revision.bytes,
        digest: actual,
    };
    Ok((ready, approval))
}

fn approval(tx: &Connection, draft: i64) -> Result<Option<Approval>> {
    Ok(tx
        .prepare_cached(
            "SELECT d.digest, d.newest_message, e.at
             FROM draft_event AS d JOIN event AS e ON e.id = d.id
             WHERE d.draft = ?1 AND d.event IN ('approve', 'resolve_retry')
             ORDER BY d.id DESC LIMIT 1",
        )?
        .query_row([draft], |row| {
            Ok(Approval {
                digest: digest(row, "digest")?,
                given_at: row.get::<_, At>("at")?.0,
                newest_message: row.get("newest_message")?,
            })
        })
        .optional()?)
}

fn revision(tx: &Connection, draft: i64, n: u32) -> Result<Revision> {
    Ok(tx
        .prepare_cached(
            "SELECT envelope_from, envelope_to, message_id, bytes, digest, cautions
             FROM draft_revision WHERE draft = ?1 AND n = ?2",
        )?
        .query_row(params![draft, n], |row| {
            Ok(Revision {
                envelope: Envelope { from: row.get("envelope_from")?, to: row.get("envelope_to")? },
                message_id: row.get("message_id")?,
                bytes: row.get("bytes")?,
                digest: digest(row, "digest")?,
                cautions: row.get::<_, Json<_>>("cautions")?.0,
            })
        })?)
}

/// Why an approval no longer counts, if so.
fn lapse(tx: &Connection, draft: i64, approval: &Approval, now: Timestamp) -> Result<Option<Lapse>> {
    if now.duration_since(approval.given_at) > APPROVAL_AGE_MAX {
        return Ok(Some(Lapse::TooOld));
    }
    let newer: bool =
        tx.prepare_cached(NEWER_IN_THREAD)?.query_row(params![draft, approval.newest_message], |row| row.get(0))?;
    Ok(newer.then_some(Lapse::NewMail))
}

/// Whether a message stored after row ?2 refers to the mail that draft ?1 answers, or to one that mail refers to.
pub(super) const NEWER_IN_THREAD: &str = "
    SELECT EXISTS (
        SELECT 1 FROM message_reference AS later
        WHERE later.message > ?2
          AND later.message_id IN (
              SELECT m.message_id FROM message AS m
              WHERE m.id = (SELECT o.message FROM outcome AS o JOIN draft AS d ON d.outcome = o.id WHERE d.id = ?1)
                AND m.message_id IS NOT NULL
              UNION ALL
              SELECT r.message_id FROM message_reference AS r
              WHERE r.message = (SELECT o.message FROM outcome AS o JOIN draft AS d ON d.outcome = o.id WHERE d.id = ?1)
          )
    )";
