//! What the person did with their own mail program: mails they sent, drafts of ours they sent, changed or threw away.
//!
//! It reads Sent and Drafts as the watched mailboxes are read, without a trace, and hands ids to the log. Nothing here
//! is urgent and nothing depends on it being complete: a mail it misses is an answer that the person is offered once
//! more. It must not keep text or addresses of what was sent.

use std::time::Duration;

use anyhow::Result;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::{mailboxes, pulse::Pulse, watch};
use crate::{
    config::Account,
    draft::{DraftEvent, DraftState},
    io::{
        clock,
        imap::{ImapError, Kind, Phase, Session},
        store::{SentMail, Store},
    },
    message::{MessageId, ThreadIds},
    sync::{self, Cursor, SyncPlan},
};
use watch::Desk;

/// How often Sent is looked at: an answer of the person's own is noticed before they come to the queue.
const LOOK_EVERY: Duration = Duration::from_secs(5 * 60);
/// First octets of a sent mail that are read: its headers, in all but odd cases.
const HEAD_OCTETS: u32 = 16 * 1024;
/// Sent mails asked for in one command.
const BATCH: usize = 100;
/// How long after it was placed a draft is looked for: some servers find a new mail late.
const PLACED_SETTLES: SignedDuration = SignedDuration::from_mins(10);
/// How long a placed draft is looked for: later it is forgotten in Drafts, and no longer news.
const PLACED_WATCHED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Most placed drafts looked for at one look, two commands each.
const PLACED_MAX: usize = 20;
/// What is known from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    looked: Option<Instant>,
    /// Where sent mail lies; the inner `None` where the server has no such mailbox.
    mailbox: Option<Option<String>>,
}

impl Memory {
    /// Takes over what another look at the list of mailboxes found.
    pub(super) fn known(&mut self, mailbox: Option<String>) {
        self.mailbox = Some(mailbox);
    }
}

/// Looks at Sent, and for placed drafts at Drafts, if it is time. Only a connection that fails is an error.
pub(super) async fn look(
    desk: &Desk,
    account: &Account,
    session: &mut Session,
    memory: &mut Memory,
    pulse: &Pulse,
) -> Result<()> {
    if memory.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
        return Ok(());
    }
    let mailbox = match &memory.mailbox {
        Some(known) => known.clone(),
        None => {
            let found = match mailboxes::sent_if_any(session, account).await {
                Ok(found) => found,
                // A server that will not list its mailboxes has none for sent mail.
                Err(error) if watch::is_refusal(&error) => None,
                Err(error) => return Err(error.into()),
            };
            memory.mailbox.insert(found).clone()
        }
    };
    // Whoever watches Sent itself reads it as mail.
    let Some(mailbox) = mailbox.filter(|mailbox| !account.mailboxes.contains(mailbox)) else {
        memory.looked = Some(Instant::now());
        return Ok(());
    };
    pulse.beat();
    match read(desk, account, session, &mailbox).await {
        Ok(()) => {}
        Err(error) => {
            let refused = error.downcast_ref::<ImapError>().is_some_and(|error| {
                error.phase == Phase::Examine && matches!(error.kind, Kind::Refused { .. }) && !error.is_transient()
            });
            memory.looked = Some(Instant::now());
            if !refused {
                return Err(error);
            }
            // It was renamed or is not to be read; each try costs a login, so it rests until mailboxes are listed again.
            memory.mailbox = Some(None);
            tracing::info!(account = account.name, "The mailbox of sent mail cannot be opened.");
            return Ok(());
        }
    }
    pulse.beat();
    look_for_placed(desk, account, session).await?;
    memory.looked = Some(Instant::now());
    Ok(())
}

/// Reads the ids of what is new in Sent.
async fn read(desk: &Desk, account: &Account, session: &mut Session, mailbox: &str) -> Result<()> {
    let selected = session.examine(mailbox).await?;
    let (name, of) = (account.name.clone(), mailbox.to_owned());
    let cursor = desk.db.call(move |store| store.cursor(&name, &of)).await?;
    let plan = sync::plan(cursor, &selected, watch::look_back(account, clock::now()));
    let uids = match plan {
        SyncPlan::Nothing if cursor.is_some() => return Ok(()),
        SyncPlan::Baseline | SyncPlan::Nothing => Vec::new(),
        SyncPlan::FirstLook { since } | SyncPlan::Reread { since, .. } => session.uids_since(since).await?,
        SyncPlan::From { last_uid } => session.uids_above(last_uid).await?,
    };
    for batch in uids.chunks(BATCH) {
        let fetched = session.fetch(batch, HEAD_OCTETS).await?;
        let mails: Vec<SentMail> = fetched
            .messages
            .iter()
            .filter_map(|message| {
                let ThreadIds { own, references } = ThreadIds::of(message.body.as_deref()?);
                let sent_at = message.internal_date.unwrap_or_else(clock::now);
                Some(SentMail { ids: own, references, sent_at })
            })
            .collect();
        let name = account.name.clone();
        let moved = desk.db.call(move |store| store.seen_sent(&name, &mails, clock::now())).await?;
        for (draft, state) in moved {
            tracing::info!(draft, state = state.as_str(), "A mail in Sent tells what became of a draft.");
        }
    }
    // Without UIDNEXT the end is what was found.
    let highest = uids.last().copied().or(cursor.map(|c| c.last_uid)).unwrap_or(0);
    let end = match plan {
        SyncPlan::From { last_uid } => {
            Cursor { uid_validity: selected.uid_validity.unwrap_or(0), last_uid: last_uid.max(highest) }
        }
        _ => selected.cursor_at_end(highest),
    };
    let (name, of) = (account.name.clone(), mailbox.to_owned());
    let anew = matches!(plan, SyncPlan::Reread { .. });
    let work = move |store: &mut Store| match anew {
        true => store.reset_cursor(&name, &of, end, clock::now()),
        false => store.advance_cursor(&name, &of, end, clock::now()).map(|_| ()),
    };
    Ok(desk.db.call(work).await?)
}

/// Looks whether placed drafts still lie in Drafts. One that does not, and is not in Sent, was thrown away. Where it comes
/// up in Sent later after all (a client may take it out of Drafts first), it counts as sent then.
async fn look_for_placed(desk: &Desk, account: &Account, session: &mut Session) -> Result<()> {
    let name = account.name.clone();
    let placed = desk.db.call(move |store| placed(store, &name)).await?;
    if placed.is_empty() {
        return Ok(());
    }
    // Without a Drafts mailbox nothing was placed by us; whoever configured one is told when a draft is delivered.
    let Some(drafts) = mailboxes::drafts_if_any(session, account).await? else { return Ok(()) };
    for (draft, id, parent) in placed {
        let mut there = session.find_by_message_id(&drafts, &id).await?;
        if there.is_empty()
            && let Some(parent) = parent
        {
            // Clients give a changed draft another Message-ID.
            there = session.find_answers(&drafts, &parent).await?;
        }
        if there.is_empty() {
            let remark = "it is no longer in Drafts, and not in Sent";
            let work = move |store: &mut Store| store.record(draft, DraftEvent::Gone, remark, clock::now());
            desk.db.call(work).await?;
            tracing::info!(draft, "A placed draft was thrown away.");
        }
    }
    Ok(())
}

/// The placed drafts of an account that are looked for: number, Message-ID, and the mail they answer.
fn placed(store: &Store, account: &str) -> crate::io::store::Result<Vec<(i64, MessageId, Option<MessageId>)>> {
    let now = clock::now();
    let mut found = Vec::new();
    for draft in store.drafts(&[DraftState::Placed])? {
        let placed_for = now.duration_since(draft.changed_at);
        if placed_for < PLACED_SETTLES || placed_for > PLACED_WATCHED || found.len() == PLACED_MAX {
            continue;
        }
        let of = store.item(draft.outcome)?.row.mail.map(|mail| mail.account);
        if of.is_none_or(|of| of == account)
            && let Some(id) = MessageId::new(&draft.message_id)
        {
            found.push((draft.id, id, ThreadIds::of(&draft.bytes).references.pop()));
        }
    }
    Ok(found)
}
