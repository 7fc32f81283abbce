//! Junk: what is made of mail that lies there.
//!
//! Invitations land in Junk, and so does every fraud that calls itself an employer. It is watched as any mailbox, and a
//! stranger's mail in it is never taken for certain. It must not open mailboxes nor judge what a mail means.

use super::mailboxes;
use crate::{
    classify::{Ask, Classification},
    config::{Account, Config, Junk},
    outcome::Category,
};

/// Whether a mail that lies in this mailbox of the account lies in Junk, as far as names tell.
pub fn is_of(account: Option<&Account>, mailbox: &str) -> bool {
    match account.map(|account| &account.junk) {
        Some(Junk::Named(name)) => name == mailbox,
        Some(Junk::Never) => false,
        Some(Junk::Auto) | None => mailboxes::is_called_junk(mailbox),
    }
}

/// Whether a mail that was found in these places (account, mailbox) lies in Junk and nowhere else.
pub fn holds(places: &[(String, String)], config: Option<&Config>) -> bool {
    let account = |name: &str| config.and_then(|config| config.account(name));
    !places.is_empty() && places.iter().all(|(name, mailbox)| is_of(account(name), mailbox))
}

/// What a verdict on a mail in Junk comes to. Of somebody who is in conversation with the person, or who relays mail for
/// employers, it is what it is. A stranger's is asked about, or, where it would ask nothing of the person, left alone:
/// `None`. What the rules take for nothing stays that.
pub fn judged(verdict: Classification, known: bool) -> Option<Classification> {
    if known || verdict.facts.ats.is_some() {
        return Some(verdict);
    }
    match verdict.category {
        // Advertisements and offers of work by strangers are what spam is made of.
        Category::Outreach | Category::JobAlert | Category::OtherJob | Category::Unrelated => None,
        _ => {
            let mut asks = verdict.asks;
            asks.push(Ask::InJunk);
            Some(Classification { decided: false, asks, ..verdict })
        }
    }
}
