//! Rules made from mail: gathers the mail a proposal has to stand up to, and tells what it would change of what was
//! decided before. It must not write rules (that is [`crate::learn`]) nor files (that is `io`).

use anyhow::{Context as _, Result, bail};

use super::{
    effect::{self, Flip},
    import,
};
use crate::{
    io::store::{Filter, OutcomeRow, Store},
    learn::Labelled,
    message::{Fetched, Message},
    outcome::{Category, Origin},
    rules::RuleSet,
};

/// Most labelled mails that a proposal is verified with, the newest ones.
pub const LABELLED_MAX: usize = 300;
/// Most stored mails that are judged again to tell what would change, the newest ones.
pub const PAST_MAX: u32 = 1_000;

/// A mail that a proposal is about.
pub struct Example {
    /// How the person knows it: `item 12`, or a file's name.
    pub name: String,
    /// The mail.
    pub message: Message,
    /// Its row in the log; `None` for a file.
    pub row: Option<i64>,
    /// What the person said that it is.
    pub label: Option<Category>,
}

impl Example {
    /// The same for the learner.
    pub fn labelled(&self, label: Category) -> Labelled<'_> {
        Labelled { name: &self.name, message: &self.message, label }
    }
}

/// A decision that would be another one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// What would change.
    #[serde(flatten)]
    pub flip: Flip,
    /// What the person said that the mail is.
    pub label: Option<Category>,
}

/// Reads a mail named by an item's number or a file.
pub fn example(store: Option<&Store>, what: &str) -> Result<Example> {
    let Ok(number) = what.parse::<i64>() else {
        let found = import::messages(what.as_ref()).next().with_context(|| format!("there is no mail in {what}"))?;
        let mail = found?;
        let message = Message::parse(&mail.bytes, Fetched::of(mail.oversized));
        return Ok(Example { name: mail.path, message, row: None, label: None });
    };
    let store = store.with_context(|| format!("nothing is logged yet, so there is no item {number}"))?;
    let row = store.item(number)?.row;
    let Some(message) = stored(store, &row)? else {
        bail!("the mail of item {number} is not stored: name its file instead")
    };
    let said = row.origin == Origin::Person && row.outcome.decided;
    let label = said.then_some(row.outcome.category);
    Ok(Example { name: format!("item {number}"), message, row: row.mail.map(|mail| mail.message), label })
}

fn stored(store: &Store, row: &OutcomeRow) -> Result<Option<Message>> {
    let Some(mail) = &row.mail else { return Ok(None) };
    let raw = store.raw(mail.message)?;
    Ok(raw.map(|raw| Message::parse(&raw, Fetched::of(mail.truncated))))
}

/// The mails that the person labelled and that are still stored, without those named.
pub fn labelled(store: &Store, without: &[i64]) -> Result<Vec<Example>> {
    let rows = store.labels()?;
    let mut out = Vec::new();
    for row in rows.iter().rev().filter(|row| !without.contains(&row.message)).take(LABELLED_MAX) {
        let item = store.item(row.item)?.row;
        if let Some(message) = stored(store, &item)? {
            out.push(Example { name: format!("item {}", row.item), message, row: Some(row.message), label: row.label });
        }
    }
    Ok(out)
}

/// The stored mails that would be judged differently, newest first, and how many were looked at. By the rules alone:
/// what was learned of a text says already what a rule made of it is to say.
pub fn changes(store: &Store, now: &RuleSet, then: &RuleSet) -> Result<(Vec<Change>, usize)> {
    let rows = store.list(&Filter { limit: Some(PAST_MAX), ..Filter::default() })?;
    let labels = store.labels()?;
    let (mut changes, mut looked) = (Vec::new(), 0);
    for row in rows {
        let Some(message) = stored(store, &row)? else { continue };
        looked += 1;
        if let Some(flip) = effect::flip(now, then, &format!("item {}", row.id), &message) {
            let of = row.mail.as_ref().map(|mail| mail.message);
            let label = labels.iter().find(|label| Some(label.message) == of).and_then(|label| label.label);
            changes.push(Change { flip, label });
        }
    }
    Ok((changes, looked))
}
