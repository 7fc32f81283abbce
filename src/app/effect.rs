//! What a change of rules does to mail: which verdicts flip. Reads mail, changes nothing.

use serde::Serialize;

use crate::{
    classify::classify,
    clean,
    io::store::{Filter, Store, StoreError},
    message::{Fetched, Message},
    outcome::Category,
    rules::RuleSet,
};

/// One mail that two rule sets judge differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// The file, or the item of the log.
    pub mail: String,
    /// Its subject, cleaned.
    pub subject: String,
    /// What it is by the one set, and whether that is decided.
    pub before: (Category, bool),
    /// By the other one.
    pub after: (Category, bool),
}

impl Flip {
    /// Whether a mail that was a decided no or offer is something else now, or became one: the costly kind.
    pub fn is_final(&self) -> bool {
        let decided = |(category, decided): (Category, bool)| {
            decided && matches!(category, Category::Rejection | Category::Offer)
        };
        decided(self.before) || decided(self.after)
    }
}

/// What two sets make of one mail, where they differ.
pub fn flip(before: &RuleSet, after: &RuleSet, mail: &str, message: &Message) -> Option<Flip> {
    let verdict = |rules| {
        let verdict = classify(rules, message);
        (verdict.category, verdict.decided)
    };
    let (before, after) = (verdict(before), verdict(after));
    (before != after).then(|| Flip { mail: clean::line(mail), subject: clean::line(&message.subject), before, after })
}

/// What a set would say today to the mails of the log, where it differs from what the log says.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Past {
    /// Mails whose text is still stored.
    pub judged: usize,
    /// Mails whose text was removed.
    pub gone: usize,
    /// Decisions that would change. `before` is what the log says now, corrections included.
    pub flips: Vec<Flip>,
}

/// Judges the mails of the log anew.
pub fn past(store: &Store, rules: &RuleSet) -> Result<Past, StoreError> {
    let mut past = Past::default();
    for row in store.list(&Filter::default())? {
        let Some(mail) = &row.mail else { continue };
        let Some(raw) = store.raw(mail.message)? else {
            past.gone += 1;
            continue;
        };
        past.judged += 1;
        let message = Message::parse(&raw, Fetched::of(mail.truncated));
        let verdict = classify(rules, &message);
        let (before, after) = ((row.outcome.category, row.outcome.decided), (verdict.category, verdict.decided));
        if before != after {
            past.flips.push(Flip { mail: format!("item {}", row.id), subject: mail.subject.clone(), before, after });
        }
    }
    Ok(past)
}
