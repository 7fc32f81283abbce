//! What a provider lets be fetched in a day, and how much of it is used.
//!
//! A first look at a large mailbox can go beyond what providers allow, and they then shut out every program of the
//! person's for a day. The count lives as long as the account's task: it bounds what Onward does by itself, and is no
//! bookkeeping. It must not decide what is fetched, nor wait.

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Bytes fetched on a day, and how many there may be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Budget {
    limit: Option<u64>,
    day: Option<Date>,
    used: u64,
}

/// The day's bytes are used; nothing is fetched before the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {limit} bytes that this provider's row in providers.toml allows for a day are fetched; it goes on at {until}"
)]
pub struct UsedUp {
    /// How many there may be.
    pub limit: u64,
    /// When the next day begins (UTC).
    pub until: Timestamp,
    /// How long that is.
    pub rest: Duration,
}

impl Budget {
    /// So much may be fetched from now on; what was fetched stays counted.
    pub fn limit_to(&mut self, limit: Option<u64>) {
        self.limit = limit;
    }

    /// Whether there is a limit.
    pub fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// So much was fetched.
    pub fn spend(&mut self, bytes: u64, now: Timestamp) {
        let today = day(now);
        if self.day != Some(today) {
            (self.day, self.used) = (Some(today), 0);
        }
        self.used = self.used.saturating_add(bytes);
    }

    /// Whether there is nothing left today. The batch that goes beyond the limit is the last one.
    pub fn used_up(&self, now: Timestamp) -> Option<UsedUp> {
        let limit = self.limit.filter(|limit| self.day == Some(day(now)) && self.used >= *limit)?;
        let tomorrow = day(now).tomorrow().and_then(|date| date.to_zoned(TimeZone::UTC)).ok()?.timestamp();
        let rest = Duration::try_from(tomorrow.duration_since(now)).unwrap_or_default();
        Some(UsedUp { limit, until: tomorrow, rest })
    }
}

/// The day by which providers are taken to count: UTC, as everything that is limited by days here.
fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_is_used_up_ends_at_midnight() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (noon, evening, next) =
            (at("2026-11-16T12:00:00Z"), at("2026-11-16T23:59:00Z"), at("2026-11-17T00:00:00Z"));
        let mut budget = Budget::default();
        budget.spend(u64::MAX, noon);
        assert_eq!(budget.used_up(noon), None, "no limit, no end");
        let mut budget = Budget::default();
        budget.limit_to(Some(1000));
        budget.spend(600, noon);
        assert_eq!(budget.used_up(noon), None);
        budget.spend(600, evening);
        let used_up = UsedUp { limit: 1000, until: next, rest: Duration::from_secs(60) };
        assert_eq!(budget.used_up(evening), Some(used_up));
        assert_eq!(budget.used_up(next), None);
        budget.spend(1, next);
        assert_eq!(budget.used_up(next), None);
    }
}
