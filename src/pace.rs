//! When to try again, to log in again and to look again: decisions about time, made of times that are handed in.
//!
//! It must not read a clock nor wait.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// How long to wait before trying an account again: longer after each failure, and never at the same moment for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Ceiling of the first wait.
    pub const FIRST: Duration = Duration::from_secs(2);
    /// Ceiling of any wait: mail is never later than this by our own doing.
    pub const MAX: Duration = Duration::from_secs(5 * 60);
    /// Shortest wait, so that chance cannot turn a dead server into a busy loop.
    pub const MIN: Duration = Duration::from_secs(1);

    /// The wait after one more failure: `jitter` out of `u16::MAX` parts of a ceiling that doubles each time (full
    /// jitter), at least [`Backoff::MIN`].
    pub fn failed(&mut self, jitter: u16) -> Duration {
        let ceiling = Backoff::FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(Backoff::MAX);
        self.failures = self.failures.saturating_add(1);
        (ceiling * u32::from(jitter) / u32::from(u16::MAX)).max(Backoff::MIN)
    }

    /// A look was completed, tagged OK and all. A connection alone is no success: servers that accept and hang up
    /// would be called without pause.
    pub fn completed(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last completed look.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// How often an account may log in, whether the logins succeed or not: a server that lets us in and then fails is not
/// called without pause, and providers lock out those who do (`reliability.md` A12).
#[derive(Debug, Clone, Copy, Default)]
pub struct Logins {
    /// When the account would have logged in often enough to rest, had it kept the pace.
    even_at: Option<Instant>,
}

impl Logins {
    /// Logins that may follow each other at once.
    pub const AT_ONCE: u32 = 2;
    /// One more may follow after so long.
    pub const EVERY: Duration = Duration::from_secs(60);

    /// Takes up one login and tells how long to wait before it.
    pub fn next(&mut self, now: Instant) -> Duration {
        let even_at = self.even_at.unwrap_or(now).max(now);
        self.even_at = Some(even_at + Logins::EVERY);
        even_at.duration_since(now).saturating_sub(Logins::EVERY * (Logins::AT_ONCE - 1))
    }
}

/// A time that is a fifth shorter or longer by chance (`jitter` out of `u16::MAX` parts), so that many who began
/// together do not go on together.
pub fn around(time: Duration, jitter: u16) -> Duration {
    time * 4 / 5 + time * 2 / 5 * u32::from(jitter) / u32::from(u16::MAX)
}

/// Two clocks read at one moment: one that stands still while the machine sleeps, and the one on the wall.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    /// CLOCK_MONOTONIC, by which every wait in this program goes.
    pub running: Instant,
    /// The time of day.
    pub wall: Timestamp,
}

impl Clocks {
    /// From how far on the clocks disagree in earnest; an adjustment by NTP is below that.
    pub const LEAP_MIN: Duration = Duration::from_secs(30);

    /// How far the wall clock went more, or less, than the other since `before`: the machine slept, or somebody set the
    /// time. Connections are not to be trusted then, and no wait of ours has noticed (tokio's timers stand still with
    /// the machine).
    pub fn leap(self, before: Clocks) -> Option<Duration> {
        let running = self.running.saturating_duration_since(before.running);
        let leap = self.wall.duration_since(before.wall) - jiff::SignedDuration::try_from(running).unwrap_or_default();
        Some(leap.unsigned_abs()).filter(|leap| *leap >= Clocks::LEAP_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_ceiling_and_only_a_completed_look_resets_them() {
        let mut backoff = Backoff::default();
        let seconds: Vec<u64> = (0..10).map(|_| backoff.failed(u16::MAX).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(backoff.failed(0), Backoff::MIN);
        assert_eq!(backoff.failed(u16::MAX / 2).as_secs(), 149);
        for _ in 0..100 {
            backoff.failed(u16::MAX);
        }
        backoff.completed();
        assert_eq!(backoff.failed(u16::MAX), Backoff::FIRST);
    }

    #[test]
    fn logins_come_two_at_once_and_then_one_a_minute() {
        let begun = Instant::now();
        let mut logins = Logins::default();
        let mut now = begun;
        let mut at = Vec::new();
        // Every login succeeds and everything after it fails at once.
        while now < begun + Duration::from_secs(600) {
            now += logins.next(now);
            at.push(now.duration_since(begun).as_secs());
        }
        assert_eq!(at, [0, 0, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600]);
        let rested = begun + Duration::from_secs(3600);
        assert_eq!([0; 3].map(|_: u8| logins.next(rested).as_secs()), [0, 0, 60], "a pause restores what was used up");
    }

    #[test]
    fn a_time_by_chance_stays_within_a_fifth() {
        let minute = Duration::from_secs(60);
        assert_eq!([0, u16::MAX].map(|jitter| around(minute, jitter).as_secs()), [48, 72]);
    }

    #[test]
    fn a_sleep_and_a_set_clock_are_noticed_and_an_adjustment_is_not() {
        let (running, wall) = (Instant::now(), Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365));
        let year = 365 * 24 * 3600;
        for (ran, went, expected) in [
            (10, 10, None),
            (10, 12, None),
            (10, -5, None),
            (10, 10 + 8 * 3600, Some(8 * 3600)),
            (10, 10 + year, Some(year as u64)),
            (10, 10 - year, Some(year as u64)),
            (3600, 3600, None),
            (10, 40, Some(30)),
        ] {
            let now = Clocks {
                running: running + Duration::from_secs(ran),
                wall: wall + jiff::SignedDuration::from_secs(went),
            };
            assert_eq!(now.leap(Clocks { running, wall }), expected.map(Duration::from_secs), "{ran} {went}");
        }
    }
}
