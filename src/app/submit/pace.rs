//! Who rests after trouble, and how long: accounts that cannot be used, drafts a server would not take, looks into Sent.
//!
//! It must not connect anywhere nor wait.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use tokio::time::Instant;

use super::Delivered;
use crate::{
    app::login::{Matter, PERSON_EVERY, tries},
    clean,
    pace::Backoff,
};

/// The pauses after a refused login: a second try may follow a server's hiccup, more would lock the account.
pub const LOGIN_PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(15 * 60)];
/// The pause once those are used up: delivering waits for the person, who may have to change the password elsewhere.
const LOGIN_PAUSE_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// When what failed may be tried again. An account that cannot be reached rests with all its drafts: a wrong password is
/// not tried once for each of them. A draft that the server would not take rests alone.
#[derive(Debug, Default)]
pub struct Pace(BTreeMap<Resting, Paused>);

/// What rests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resting {
    /// Delivery for an account.
    Account(String),
    /// Delivery of a draft.
    Draft(i64),
    /// Looking into the Sent mailbox of an account: trouble there holds up no delivery.
    SentOf(String),
    /// Looking for a draft in Sent.
    Look(i64),
}

#[derive(Debug, Default)]
struct Paused {
    until: Option<Instant>,
    why: String,
    backoff: Backoff,
    refused: usize,
}

impl Pace {
    /// Why a draft of this account is left alone now, if it is.
    pub(super) fn paused(&self, account: &str, draft: i64) -> Option<&str> {
        let now = Instant::now();
        [Resting::Account(account.to_owned()), Resting::Draft(draft)]
            .iter()
            .filter_map(|what| self.0.get(what))
            .find(|paused| paused.until.is_some_and(|until| now < until))
            .map(|paused| paused.why.as_str())
    }

    /// Whether this is left alone now.
    pub(super) fn rests(&self, what: &Resting) -> bool {
        self.0.get(what).and_then(|paused| paused.until).is_some_and(|until| Instant::now() < until)
    }

    /// Whether this was told to rest before, however long ago.
    pub(super) fn has_rested(&self, what: &Resting) -> bool {
        self.0.contains_key(what)
    }

    /// The trouble is over.
    pub(super) fn calm(&mut self, what: &Resting) {
        self.0.remove(what);
    }

    /// Lets something rest for so long, without trouble.
    pub(super) fn rest(&mut self, what: Resting, pause: Duration) {
        self.0.entry(what).or_default().until = Some(Instant::now() + pause);
    }

    /// Lets something rest, longer each time; `refused` is how many tries at a login were not accepted.
    pub(super) fn failed(&mut self, what: Resting, why: &str, refused: usize, hint: Option<Duration>) {
        let paused = self.0.entry(what).or_default();
        why.clone_into(&mut paused.why);
        let pause = if refused > 0 {
            paused.refused += refused;
            LOGIN_PAUSES.get(paused.refused - 1).copied().unwrap_or(LOGIN_PAUSE_MAX)
        } else {
            hint.unwrap_or_else(|| paused.backoff.failed(jitter()))
        };
        paused.until = Some(Instant::now() + pause);
    }
}

/// Full jitter, so that many daemons do not knock at a server that comes back all at once.
pub fn jitter() -> u16 {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
}

/// What an attempt showed apart from what became of the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The account can be used.
    AccountFine,
    /// The server took the user, or what was shown for them, for wrong.
    LoginRefused {
        /// How many tries at the login that took.
        tries: usize,
    },
    /// The account can be used, but not for this draft; how long the server wants to be left alone, if it said so.
    DraftTrouble(Option<Duration>),
    /// Nothing.
    Nothing,
}

/// Lets the account, or the draft, rest after trouble. An error is trouble with the account.
pub(super) fn keep_pace(pace: &mut Pace, account: &str, draft: i64, done: &Result<(Delivered, Shown)>) {
    let account = Resting::Account(account.to_owned());
    match done {
        Ok((Delivered::Later(why), Shown::LoginRefused { tries })) => pace.failed(account, why, *tries, None),
        Ok((Delivered::Later(why), Shown::DraftTrouble(hint))) => {
            pace.failed(Resting::Draft(draft), why, 0, *hint);
        }
        Ok((_, Shown::AccountFine)) => {
            pace.0.remove(&account);
        }
        Ok(_) => {}
        Err(error) => {
            let why = clean::line(&format!("{error:#}"));
            match Matter::of(error) {
                Matter::Refused => pace.failed(account, &why, tries(error), None),
                Matter::Person => pace.failed(account, &why, 0, Some(PERSON_EVERY)),
                Matter::Passing(hint) => pace.failed(account, &why, 0, hint),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(why: &str) -> Delivered {
        Delivered::Later(why.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_password_is_tried_three_times_whatever_waits() {
        // A password takes one try; a token and the fresh one two at first, and one from then on.
        for first in [1, 2] {
            let mut pace = Pace::default();
            let mut tried = 0;
            let day = Instant::now() + Duration::from_secs(6 * 60 * 60);
            while Instant::now() < day {
                for draft in 1..=10 {
                    if pace.paused("a", draft).is_none() {
                        let tries = if tried == 0 { first } else { 1 };
                        tried += tries;
                        keep_pace(&mut pace, "a", draft, &Ok((later("535 no"), Shown::LoginRefused { tries })));
                    }
                    assert_eq!(pace.paused("b", draft), None, "another account goes on");
                }
                tokio::time::advance(Duration::from_secs(2)).await;
            }
            assert_eq!(tried, 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_in_trouble_rests_with_all_its_drafts_and_a_draft_alone() {
        let mut pace = Pace::default();
        keep_pace(&mut pace, "a", 1, &Err(anyhow::anyhow!("no password from the command `pass`")));
        assert_eq!(pace.paused("a", 2), Some("no password from the command `pass`"));
        tokio::time::advance(Backoff::MAX).await;
        assert_eq!(pace.paused("a", 1), None);
        keep_pace(&mut pace, "a", 1, &Ok((later("over quota"), Shown::DraftTrouble(None))));
        assert_eq!((pace.paused("a", 1), pace.paused("a", 2)), (Some("over quota"), None));
        keep_pace(&mut pace, "a", 2, &Err(anyhow::anyhow!("down")));
        keep_pace(&mut pace, "a", 2, &Ok((Delivered::Sent, Shown::AccountFine)));
        assert_eq!(pace.paused("a", 2), None);
    }
}
