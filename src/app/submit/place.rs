//! Into the Drafts mailbox: once, however often it is tried, and with the reason at hand while it cannot be done.

use anyhow::{Context as _, Result};

use super::{Delivered, Outbox, held, pace::Shown, sessions::Sessions};
use crate::{
    clean,
    config::Account,
    draft::DraftEvent,
    io::{
        clock,
        imap::{AppendFlags, ImapError, Session},
        store::{DraftView, StoreError},
    },
    message::MessageId,
};

/// Longest reason kept with a draft, in characters: it is kept whole, so that the same one is known again.
const REASON_CHARS_MAX: usize = 280;

/// Puts an approved draft into Drafts. Why it cannot be is written down with it, once for each reason.
pub(super) async fn place(
    outbox: &Outbox<'_>,
    account: &Account,
    sessions: &mut Sessions,
    draft: &DraftView,
) -> Result<(Delivered, Shown)> {
    let (done, shown) = match sessions.drafts(account).await {
        Ok((session, mailbox)) => match into(outbox, session, &mailbox, draft.id).await {
            Ok(delivered) => (Ok(delivered), Shown::AccountFine),
            Err(error) => {
                let hint = error.downcast_ref::<ImapError>().and_then(ImapError::retry_after);
                (Err(error), Shown::DraftTrouble(hint))
            }
        },
        Err(error) => (Err(error), Shown::Nothing),
    };
    let error = match done {
        Ok(delivered) => return Ok((delivered, shown)),
        Err(error) => error,
    };
    let why = clean::line_within(&format!("not placed yet: {error:#}"), REASON_CHARS_MAX);
    if why != draft.remark {
        let (id, remark) = (draft.id, why.clone());
        // A log that takes no row now will be told of soon enough.
        let noted = outbox.db.call(move |store| store.record(id, DraftEvent::Deferred, &remark, clock::now())).await;
        if let Err(error) = noted {
            tracing::debug!(draft = id, %error, "Why a draft was not placed was not written down.");
        }
    }
    match shown {
        Shown::Nothing => Err(error),
        _ => Ok((Delivered::Later(why), shown)),
    }
}

/// Puts it there, unless it lies there already from an attempt whose end nobody saw.
async fn into(outbox: &Outbox<'_>, session: &mut Session, mailbox: &str, id: i64) -> Result<Delivered> {
    let db = &outbox.db;
    let ready = match db.call(move |store| store.approved_for_drafts(id)).await {
        Ok(ready) => ready,
        Err(error @ (StoreError::StaleDigest | StoreError::NotAllowed(_))) => {
            return Ok(Delivered::Not(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let message_id = MessageId::new(ready.message_id()).context("the draft has no usable Message-ID")?;
    let there = session.find_by_message_id(mailbox, &message_id).await?;
    if there.is_empty() {
        if let Some(why) = held(outbox.dir()) {
            return Ok(Delivered::Later(why));
        }
        session.append(mailbox, AppendFlags::Draft, ready.bytes()).await?;
    }
    let remark = mailbox.to_owned();
    db.call(move |store| store.record(id, DraftEvent::Place, &remark, clock::now())).await?;
    tracing::info!(draft = id, "A reply was placed in Drafts.");
    Ok(Delivered::Placed { mailbox: mailbox.to_owned() })
}
