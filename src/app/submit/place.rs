//! Into the Drafts mailbox: once, however often it is tried, and with the reason at hand while it cannot be done.

use anyhow::{Context as _, Result};

use super::{Delivered, Outbox, held, pace::Shown, sessions::Sessions};
use crate::{
    app::reading::FETCH_OCTETS,
    clean,
    config::Account,
    draft::DraftEvent,
    io::{
        clock,
        imap::{AppendFlags, ImapError, Session},
        store::{DraftView, StoreError},
    },
    message::{self, Message, MessageId},
};

/// Longest reason kept with a draft, in characters: it is kept whole, so that the same one is known again.
const REASON_CHARS_MAX: usize = 280;
/// What is said of a draft that got there before it was changed here, or was changed there.
pub const OTHER_TEXT: &str = "a reply with another text lies there already, from an earlier attempt, and was left as it \
                              is; compare it with `onward draft show` before you send it";

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
    let other_text = match there.first() {
        Some(uid) => {
            let fetched = session.fetch(&[*uid], FETCH_OCTETS).await?;
            let found = fetched.messages.first().and_then(|message| message.body.as_deref());
            found.is_some_and(|found| !same_text(found, ready.bytes()))
        }
        None => {
            if let Some(why) = held(outbox.dir()) {
                return Ok(Delivered::Later(why));
            }
            session.append(mailbox, AppendFlags::Draft, ready.bytes()).await?;
            false
        }
    };
    let remark = if other_text { format!("{mailbox}: {OTHER_TEXT}") } else { mailbox.to_owned() };
    db.call(move |store| store.record(id, DraftEvent::Place, &remark, clock::now())).await?;
    tracing::info!(draft = id, "A reply was placed in Drafts.");
    Ok(Delivered::Placed { mailbox: mailbox.to_owned(), other_text })
}

/// Whether two messages say the same, however their servers fold and encode them.
fn same_text(one: &[u8], other: &[u8]) -> bool {
    let [one, other] = [one, other].map(|bytes| Message::parse(bytes, message::Fetched::Whole));
    let words = |message: &Message| -> Vec<String> {
        message.blocks.iter().flat_map(|block| block.text.split_whitespace().map(str::to_owned)).collect()
    };
    words(&one) == words(&other)
}
