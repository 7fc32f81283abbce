//! How much is drafted and sent, as numbers of the policy file, and the cases in which a no gets no draft.
//!
//! Caps end loops: a machine that answers every answer, or a rule that fires on everything. This module must not count;
//! the numbers come from the log.

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};

use crate::outcome::named;

/// After how many days a no is history: who answers a letter of last month seems to have woken up, and a first look or
/// an import would fill the queue with what is long settled.
pub const OLD_NEWS_DAYS: i64 = 30;

/// A day; caps count hours, so that summer time neither adds nor takes one.
const DAY: SignedDuration = SignedDuration::from_hours(24);

named! {
    /// Why a no gets no draft.
    pub enum NoDraft {
        /// It came too long ago.
        OldNews = "old-news",
        /// The recipient has had as many drafts as a week may bring.
        SenderCap = "drafts-per-sender-a-week",
        /// The person answered it in their own mail program.
        Answered = "answered",
        /// Drafting rests, because the last ones went unused.
        Unused = "unused",
        /// The thread has had as many drafts as a day may bring.
        ThreadCap = "drafts-per-thread-a-day",
    }
}

/// The caps in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Days for which an employer that was asked is not asked again.
    pub ask_again_after_days: u32,
    /// Drafts to one address within seven days.
    pub drafts_per_sender_a_week: u32,
    /// Drafts in one thread within a day.
    pub drafts_per_thread_a_day: u32,
    /// Replies sent by SMTP within a day.
    pub sends_a_day: u32,
    /// Replies sent by SMTP within a minute.
    pub sends_a_minute: u32,
}

/// What was drafted lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drafted {
    /// To this address within [`Caps::WEEK`].
    pub to_sender: u32,
    /// In this thread within a day.
    pub in_thread: u32,
}

impl Caps {
    /// The time [`Caps::drafts_per_sender_a_week`] counts over.
    pub const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
    /// The time [`Caps::drafts_per_thread_a_day`] counts over.
    pub const DAY: SignedDuration = DAY;

    /// How long an employer that was asked is not asked again.
    pub fn ask_again_after(&self) -> SignedDuration {
        DAY.saturating_mul(i32::try_from(self.ask_again_after_days).unwrap_or(i32::MAX))
    }

    /// Why a no that came at `at` gets no draft, if so.
    pub fn no_draft(&self, drafted: Drafted, at: Timestamp, now: Timestamp) -> Option<NoDraft> {
        if now.duration_since(at) > DAY.saturating_mul(i32::try_from(OLD_NEWS_DAYS).unwrap_or(i32::MAX)) {
            Some(NoDraft::OldNews)
        } else if drafted.in_thread >= self.drafts_per_thread_a_day {
            Some(NoDraft::ThreadCap)
        } else if drafted.to_sender >= self.drafts_per_sender_a_week {
            Some(NoDraft::SenderCap)
        } else {
            None
        }
    }

    /// Takes what a `[caps]` table says; gives everything that is wrong in it.
    pub(super) fn take(&mut self, table: &toml::Table) -> Vec<String> {
        let mut wrong = Vec::new();
        for (key, value) in table {
            let Some((place, range)) = self.place(key) else {
                wrong.push(format!("there is no cap `{}`", crate::clean::line_within(key, 40)));
                continue;
            };
            match value.as_integer().and_then(|n| u32::try_from(n).ok()).filter(|n| range.contains(n)) {
                Some(n) => *place = n,
                None => wrong.push(format!("`{key}` goes from {} to {}", range.start(), range.end())),
            }
        }
        wrong
    }

    /// A cap by its name, with the range it makes sense in: 0 would be another key's business (`reply.enabled`), and
    /// above the upper ends providers throttle, or a loop does its harm before it is ended.
    fn place(&mut self, key: &str) -> Option<(&mut u32, RangeInclusive<u32>)> {
        Some(match key {
            "ask_again_after_days" => (&mut self.ask_again_after_days, 30..=3650),
            "drafts_per_sender_a_week" => (&mut self.drafts_per_sender_a_week, 1..=20),
            "drafts_per_thread_a_day" => (&mut self.drafts_per_thread_a_day, 1..=5),
            "sends_a_day" => (&mut self.sends_a_day, 1..=100),
            "sends_a_minute" => (&mut self.sends_a_minute, 1..=10),
            _ => return None,
        })
    }
}

/// The shipped numbers, for where the shipped file could not be read: a test holds both equal.
impl Default for Caps {
    fn default() -> Caps {
        Caps {
            ask_again_after_days: 180,
            drafts_per_sender_a_week: 5,
            drafts_per_thread_a_day: 1,
            sends_a_day: 20,
            sends_a_minute: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_caps_are_those_of_the_program() {
        let shipped: toml::Table = super::super::policy::SHIPPED.1.parse().unwrap();
        let table = shipped["caps"].as_table().unwrap();
        let mut caps = Caps {
            ask_again_after_days: 0,
            drafts_per_sender_a_week: 0,
            drafts_per_thread_a_day: 0,
            sends_a_day: 0,
            sends_a_minute: 0,
        };
        assert_eq!(caps.take(table), Vec::<String>::new());
        assert_eq!(caps, Caps::default());
    }

    #[test]
    fn a_draft_that_would_breach_a_cap_is_not_made() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let days = |n: i64| now - SignedDuration::from_hours(24 * n);
        for (to_sender, in_thread, at, expected) in [
            (0, 0, now, None),
            (4, 0, now, None),
            (5, 0, now, Some(NoDraft::SenderCap)),
            (0, 1, now, Some(NoDraft::ThreadCap)),
            (0, 0, days(30), None),
            (0, 0, days(30) - SignedDuration::from_secs(1), Some(NoDraft::OldNews)),
            (9, 9, days(400), Some(NoDraft::OldNews)),
            // A clock that was set back.
            (0, 0, days(-3), None),
        ] {
            assert_eq!(Caps::default().no_draft(Drafted { to_sender, in_thread }, at, now), expected);
        }
    }
}
