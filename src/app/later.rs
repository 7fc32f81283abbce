//! Offers what nobody waits for: a question after a silence, a sign of life after a no.
//!
//! It gathers what the log knows of each application, asks `reply::later`, and stores drafts that wait like any other.
//! It must not decide when.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    ingest::{self, Mail},
    kit::Kit,
    past,
    queue::mail_of,
};
use crate::{
    classify::Classification,
    io::store::{self, Filter, Item, OutcomeRow, Store},
    message::{Address, Message, Remembered},
    outcome::{Category, employer_key},
    reply::later::{self, Standing},
};

/// How far back applications are looked at: past the longest time after which something is offered.
const REACH: SignedDuration = SignedDuration::from_hours(400 * 24);
/// Most drafts offered in one run, so that a first look at a long history does not fill the queue.
const OFFERS_MAX: usize = 3;

/// Offers what is due for mail of this account. Gives the drafts.
pub fn offer(store: &mut Store, kit: &Kit, account: &str, now: Timestamp) -> store::Result<Vec<i64>> {
    let mut offered = Vec::new();
    if !kit.drafts || ingest::drafting_rests(store, now)? {
        return Ok(offered);
    }
    let categories = vec![Category::Acknowledgement, Category::Interview, Category::Assessment, Category::Rejection];
    let since = now.checked_sub(REACH).unwrap_or(Timestamp::UNIX_EPOCH);
    let rows = store.list(&Filter { categories, decided: Some(true), since: Some(since), ..Filter::default() })?;
    for row in rows.iter().filter(|row| row.mail.as_ref().is_some_and(|mail| mail.account == account)) {
        if offered.len() == OFFERS_MAX {
            break;
        }
        let due = later::may_be_due(row.outcome.category, row.detected_at, &kit.later, now);
        if !due || !is_last_word(store, row)? {
            continue;
        }
        let item = store.item(row.id)?;
        let Some((message, classification)) = known_of(store, &item)? else { continue };
        let thread = past::thread(store, &message)?;
        let standing = standing(store, &item, &message, &classification, &thread)?;
        let Some(what) = later::offer(&standing, &kit.later, now) else { continue };
        let warnings = ingest::warnings(kit, account, &message, &classification);
        let arrived = item.row.detected_at;
        let mail =
            Mail { message: &message, classification: &classification, thread: &thread, warnings: &warnings, arrived };
        let draft = ingest::later_draft(store, kit, mail, &item.row.outcome, what, 0, now)?;
        if let Some(draft) = draft
            && let Some(draft) = store.add_draft(row.id, &draft, now)?
        {
            tracing::info!(draft, kind = what.0.as_str(), "Something to write was offered.");
            offered.push(draft);
        }
    }
    Ok(offered)
}

/// The mail of an item, or what is left of it when its text was purged.
fn known_of(store: &Store, item: &Item) -> store::Result<Option<(Message, Classification)>> {
    if let Some(whole) = mail_of(store, item)? {
        return Ok(Some(whole));
    }
    let (Some(mail), Some((classification, _))) = (&item.row.mail, &item.classification) else { return Ok(None) };
    let to = item.draft.as_ref().map(|draft| Address { name: String::new(), email: draft.envelope.from.clone() });
    let remembered = store.remembered(mail.message)?.map(|known| Message::remembered(Remembered { to, ..known }));
    Ok(remembered.map(|message| (message, classification.clone())))
}

/// Whether nothing came from this employer after it that may be about the same application.
fn is_last_word(store: &Store, row: &OutcomeRow) -> store::Result<bool> {
    let Some(key) = row.outcome.employer.as_deref().map(employer_key).filter(|key| !key.is_empty()) else {
        return Ok(false);
    };
    let later = store.history_for_employer(&key, row.detected_at)?;
    Ok(!later.outcomes.iter().any(|other| {
        other.outcome != row.id
            && (other.at, other.outcome) > (row.detected_at, row.id)
            && !matches!(other.category, Category::JobAlert | Category::Unrelated)
    }))
}

fn standing(
    store: &Store,
    item: &Item,
    message: &Message,
    classification: &Classification,
    thread: &[store::ThreadMail],
) -> store::Result<Standing> {
    let mut ids: Vec<&str> = thread.iter().filter_map(|mail| mail.message_id.as_deref()).collect();
    ids.extend(message.id.as_ref().map(|id| id.as_str()));
    let drafts = store.drafts_of_item(item.row.id)?;
    Ok(Standing {
        category: item.row.outcome.category,
        stage: item.row.outcome.stage,
        heard_at: item.row.detected_at,
        wrote_at: store.last_sent_in_thread(&ids)?,
        dates: classification.facts.dates.iter().filter_map(|date| date.parse::<Date>().ok()).collect(),
        drafts: drafts.into_iter().map(|draft| (draft.kind, draft.state, draft.changed_at)).collect(),
    })
}
