//! From approval to transport: the only place that makes an [`ApprovedDraft`].
//!
//! An approval is bound to the digest of the exact envelope and bytes. It is checked when it is given and computed
//! anew from the stored bytes when the draft is taken, and taking is committed before a connection opens, so that a
//! letter leaves at most once (`design.md`, invariants 3 and 4).

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::{
    ApprovedDraft, Store,
    drafts::{Step, digest, standing, step},
    error::{Lapse, Result, StoreError},
    events::{Entry, EventKind, log},
    lock::Lock,
    value::{At, Json, Word},
};
use crate::{
    clean,
    draft::{Digest, DraftEvent, DraftState, Envelope, NotAllowed, transition},
    reply::Caution,
};

/// How long an approval to send holds: what seemed right two days ago deserves another look.
pub const APPROVAL_AGE_MAX: SignedDuration = SignedDuration::from_hours(48);

/// What is noted with a draft that was taken. A version that did not write down when the message was about to leave noted
/// nothing, and what it took may have left.
const NOTHING_LEFT_YET: &str = "nothing of it has left yet";

/// Longest name of a mailbox kept in the log, in characters: a server decides how long they are.
const MAILBOX_CHARS_MAX: usize = 200;

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
        step(&tx, &Step { remark: NOTHING_LEFT_YET, ..Step::new(draft, DraftEvent::Take, now) })?;
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

    /// At the start, before anything is sent: a draft that is still `sending` was on its way when the process ended. If
    /// the message was about to leave, nobody knows how far it came, and it is one of those that are given back; before
    /// that nothing left, and it is approved as it was. The lock proves that no other process is sending now.
    pub fn recover(&mut self, _lock: &Lock, now: Timestamp) -> Result<Vec<i64>> {
        let tx = self.begin()?;
        let open: Vec<(i64, bool)> = tx
            .prepare_cached(
                "SELECT s.draft, s.event = ?2 AND e.detail ->> 'remark' IS ?3 AS here
                 FROM draft_now AS s JOIN event AS e ON e.id = s.event_id
                 WHERE s.state = ?1 ORDER BY s.draft",
            )?
            .query_map(params![Word(DraftState::Sending), Word(DraftEvent::Take), NOTHING_LEFT_YET], |row| {
                Ok((row.get("draft")?, row.get("here")?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut lost = Vec::new();
        for (draft, here) in open {
            let (event, remark) = if here {
                (DraftEvent::Release, "onward ended before anything of it left")
            } else {
                lost.push(draft);
                (DraftEvent::Lost, "onward ended while it was being sent")
            };
            step(&tx, &Step { remark, ..Step::new(draft, event, now) })?;
        }
        tx.commit()?;
        Ok(lost)
    }

    /// The replies that a server took by SMTP from `since` on, with the moment, whose copy in Sent nobody has seen or filed
    /// yet; oldest first.
    pub fn copies_due(&self, since: Timestamp) -> Result<Vec<(i64, Timestamp)>> {
        let mut statement = self.db.prepare_cached(
            "SELECT s.draft, e.at FROM draft_now AS s JOIN event AS e ON e.id = s.event_id
             WHERE s.event = ?1 AND e.at >= ?2
               AND NOT EXISTS (SELECT 1 FROM event AS c WHERE c.id > e.id AND c.kind = ?3 AND c.draft = s.draft)
             ORDER BY s.event_id",
        )?;
        let rows = statement
            .query_map(params![Word(DraftEvent::Accepted), At(since), Word(EventKind::Copy)], |row| {
                Ok((row.get("draft")?, row.get::<_, At>("at")?.0))
            })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A reply as the server took it, for its copy in Sent; `None` when it is not known to be sent.
    pub fn sent_letter(&self, draft: i64) -> Result<Option<ApprovedDraft>> {
        self.require_room()?;
        let _moment = self.one_moment()?;
        let (state, n) = standing(&self.db, draft)?;
        if state != DraftState::Sent {
            return Ok(None);
        }
        Ok(as_approved(&self.db, draft, n)?.map(|(letter, _)| letter))
    }

    /// Writes down that the copy of a sent reply lies in this mailbox: `filed` by us, or found there. Nothing is done about
    /// it from then on.
    pub fn copy_seen(&mut self, draft: i64, mailbox: &str, filed: bool, now: Timestamp) -> Result<()> {
        let tx = self.begin()?;
        let detail = json!({ "mailbox": clean::line_within(mailbox, MAILBOX_CHARS_MAX), "filed": filed });
        log(&tx, &Entry { draft: Some(draft), detail, ..Entry::new(EventKind::Copy, now) })?;
        tx.commit()?;
        Ok(())
    }

    /// How many attempts to send were made from `since` on, those aside of which nothing was to leave: for limits by
    /// minute and by day.
    pub fn taken_since(&self, since: Timestamp) -> Result<u32> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT count(*) FROM event AS e JOIN draft_event AS t ON t.id = e.id
                 WHERE e.at >= ?1 AND t.event = ?2
                   AND (SELECT next.event FROM draft_event AS next
                        WHERE next.draft = t.draft AND next.id > t.id ORDER BY next.id LIMIT 1) IS NOT ?3",
            )?
            .query_row(params![At(since), Word(DraftEvent::Take), Word(DraftEvent::Release)], |row| row.get(0))?)
    }
}

/// An approved draft for a step that its state must allow.
fn approved(tx: &Connection, draft: i64, event: DraftEvent) -> Result<(ApprovedDraft, Approval)> {
    let (state, n) = standing(tx, draft)?;
    transition(state, event)?;
    as_approved(tx, draft, n)?.ok_or_else(|| NotAllowed { state, event }.into())
}

/// The one constructor of [`ApprovedDraft`]: approval, revision and the digest of the stored bytes must agree. `None`
/// without an approval.
fn as_approved(tx: &Connection, draft: i64, n: u32) -> Result<Option<(ApprovedDraft, Approval)>> {
    let Some(approval) = approval(tx, draft)? else { return Ok(None) };
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
    Ok(Some((ready, approval)))
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
