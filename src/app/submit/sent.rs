//! What the Sent mailbox tells and gets: whether a reply in doubt left after all, and a copy of what was sent where the
//! server files none.
//!
//! All of it is due by the log alone, so that a restart changes nothing; who delivers does it, under the same lock, so that
//! no copy is filed twice. Whatever goes wrong here is only logged: it must not change what is known of a delivery, except
//! that a reply which lies in Sent was sent.

use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::{
    Outbox, account_of, held,
    pace::{Pace, Resting},
    sessions::Sessions,
};
use crate::{
    app::{
        login::{Matter, PERSON_EVERY, tries},
        pulse::Pulse,
    },
    config::{Account, Source, providers::Provider},
    delivery::{self, COPY_DUE_WITHIN, CopyStep},
    draft::{DraftEvent, DraftState},
    io::{clock, imap::AppendFlags, store::StoreError},
    message::MessageId,
};

/// The rest after the last look; nothing comes after it.
const LAST_LOOK_REST: Duration = Duration::from_secs(24 * 60 * 60);

/// The rest of a copy that could be filed but for a pause of all delivery.
const HELD_REST: Duration = Duration::from_secs(60);

/// Something to look for in Sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Whether this draft was sent after all; in doubt since then.
    Confirm(i64, Timestamp),
    /// Whether a copy of this one is there; `append` it when it is not.
    Copy { draft: i64, append: bool },
}

impl Task {
    fn draft(self) -> i64 {
        let (Task::Confirm(draft, _) | Task::Copy { draft, .. }) = self;
        draft
    }
}

/// What is due now.
pub(super) async fn tasks(outbox: &Outbox<'_>, pace: &Pace) -> Result<Vec<Task>> {
    let now = clock::now();
    let (doubtful, copies) = outbox
        .db
        .call(move |store| Ok((store.drafts(&[DraftState::Unconfirmed])?, store.copies_due(now - COPY_DUE_WITHIN)?)))
        .await?;
    let mut tasks = Vec::new();
    for draft in &doubtful {
        let task = Task::Confirm(draft.id, draft.changed_at);
        if is_due(pace, task) && delivery::look_again(now.duration_since(draft.changed_at)).is_some() {
            tasks.extend(account_of(outbox, draft).await?.filter(|account| can_look(pace, account)).map(|_| task));
        }
    }
    for (draft, sent_at) in copies {
        let view = outbox.db.call(move |store| store.draft(draft)).await?;
        let Some(account) = account_of(outbox, &view).await?.filter(|account| can_look(pace, account)) else {
            continue;
        };
        let files = account.provider().and_then(Provider::files_sent);
        let looked = pace.has_rested(&Resting::Look(draft));
        let step = delivery::copy_step(account.sent_copy, files, now.duration_since(sent_at), looked);
        let CopyStep::Look { append } = step else { continue };
        let task = Task::Copy { draft, append };
        if !append || is_due(pace, task) {
            tasks.push(task);
        }
    }
    Ok(tasks)
}

fn is_due(pace: &Pace, task: Task) -> bool {
    !pace.rests(&Resting::Look(task.draft()))
}

fn can_look(pace: &Pace, account: &Account) -> bool {
    matches!(account.source, Source::Imap(_)) && !pace.rests(&Resting::SentOf(account.name.clone()))
}

/// Does what is due.
pub(super) async fn look(outbox: &Outbox<'_>, sessions: &mut Sessions, pace: &mut Pace, pulse: &Pulse) {
    let tasks = match tasks(outbox, pace).await {
        Ok(tasks) => tasks,
        Err(error) => return tracing::warn!(reason = %format!("{error:#}"), "What to look for in Sent is not known."),
    };
    for task in tasks {
        if pulse.is_stopped() {
            return;
        }
        pulse.beat();
        if let Err(error) = one(outbox, sessions, pace, task).await {
            // Not why: that quotes servers.
            tracing::info!(draft = task.draft(), "The Sent mailbox could not be looked into; it is tried again.");
            tracing::debug!(
                draft = task.draft(),
                of_login = Matter::of(&error) == Matter::Refused,
                "Why it could not."
            );
        }
    }
}

async fn one(outbox: &Outbox<'_>, sessions: &mut Sessions, pace: &mut Pace, task: Task) -> Result<()> {
    let id = task.draft();
    let draft = outbox.db.call(move |store| store.draft(id)).await?;
    let Some(account) = account_of(outbox, &draft).await? else { return Ok(()) };
    let resting = Resting::SentOf(account.name.clone());
    // An earlier task may have met the trouble that lets the account rest.
    if pace.rests(&resting) {
        return Ok(());
    }
    let done = in_sent(outbox, account, sessions, &draft.message_id, task).await;
    match &done {
        Ok(()) => pace.calm(&resting),
        Err(error) => {
            let (refused, hint) = match Matter::of(error) {
                Matter::Refused => (tries(error), None),
                Matter::Person => (0, Some(PERSON_EVERY)),
                Matter::Passing(hint) => (0, hint),
            };
            if !pace.has_rested(&resting) {
                // Not why: that quotes servers.
                tracing::info!(draft = id, account = account.name, "Sent could not be looked into; it is tried again.");
            }
            pace.failed(resting, "", refused, hint);
        }
    }
    if done.is_ok() {
        let pause = match task {
            Task::Confirm(_, since) => delivery::look_again(clock::now().duration_since(since))
                .and_then(|pause| Duration::try_from(pause).ok())
                .unwrap_or(LAST_LOOK_REST),
            // The next look comes when the server had its time.
            Task::Copy { append: false, .. } => Duration::ZERO,
            Task::Copy { append: true, .. } => HELD_REST,
        };
        pace.rest(Resting::Look(id), pause);
    }
    Ok(())
}

async fn in_sent(
    outbox: &Outbox<'_>,
    account: &Account,
    sessions: &mut Sessions,
    message_id: &str,
    task: Task,
) -> Result<()> {
    let id = task.draft();
    let message_id = MessageId::new(message_id).context("the draft has no usable Message-ID")?;
    let (session, mailbox) = sessions.sent(account).await?;
    let may_be_rewritten = account.provider().is_none_or(Provider::rewrites_message_id);
    let there = !session.find_sent(&mailbox, &message_id, may_be_rewritten).await?.is_empty();
    match task {
        Task::Confirm(..) if there => {
            let remark = format!("it lies in {mailbox}");
            let seen = outbox.db.call(move |store| store.record(id, DraftEvent::SeenSent, &remark, clock::now())).await;
            match seen {
                Ok(_) => tracing::info!(draft = id, "A reply in doubt was found in Sent: it was sent."),
                // The person was faster, or the look that reads all of Sent.
                Err(StoreError::NotAllowed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Task::Copy { append, .. } if there || append => {
            if !there {
                if held(outbox.dir()).is_some() {
                    return Ok(());
                }
                let letter = outbox.db.call(move |store| store.sent_letter(id)).await?;
                let Some(letter) = letter else { return Ok(()) };
                session.append(&mailbox, AppendFlags::Sent, letter.bytes()).await?;
                tracing::info!(draft = id, "A copy of a sent reply was put into Sent.");
            }
            outbox.db.call(move |store| store.copy_seen(id, &mailbox, !there, clock::now())).await?;
        }
        Task::Confirm(..) | Task::Copy { .. } => {}
    }
    Ok(())
}
