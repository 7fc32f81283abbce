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

/// So many at once, and one more each time a while has passed: what is done in bursts stays quick, and what never ends
/// becomes slow.
#[derive(Debug, Clone, Copy)]
pub struct Bursts {
    at_once: u32,
    every: Duration,
    /// When so much would have been done, had each come at its time.
    even_at: Option<Instant>,
}

impl Bursts {
    /// How often an account may log in, whether the logins succeed or not: a server that lets us in and then fails is
    /// not called without pause, and providers lock out those who do (`reliability.md` A12).
    pub const LOGINS: Bursts = Bursts { at_once: 2, every: Duration::from_secs(60), even_at: None };
    /// How often a mailbox is looked into because the server has news: a mail is looked at when it is announced, a few
    /// that come one by one are too, and a server that always has news is not asked without pause.
    pub const LOOKS: Bursts = Bursts { at_once: 10, every: Duration::from_secs(1), even_at: None };

    /// Takes up one and tells how long to wait before it.
    pub fn next(&mut self, now: Instant) -> Duration {
        let even_at = self.even_at.unwrap_or(now).max(now);
        self.even_at = Some(even_at + self.every);
        even_at.duration_since(now).saturating_sub(self.every * self.at_once.saturating_sub(1))
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
    fn logins_and_looks_come_in_short_bursts_and_then_at_their_pace() {
        let begun = Instant::now();
        // Every login succeeds and everything after it fails at once; every look is followed by news.
        let times = |mut bursts: Bursts, until: u64| {
            let mut now = begun;
            let mut at = Vec::new();
            while now < begun + Duration::from_secs(until) {
                now += bursts.next(now);
                at.push(now.duration_since(begun).as_secs());
            }
            (at, bursts)
        };
        let (at, mut logins) = times(Bursts::LOGINS, 600);
        assert_eq!(at, [0, 0, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600]);
        let rested = begun + Duration::from_secs(3600);
        assert_eq!([0; 3].map(|_: u8| logins.next(rested).as_secs()), [0, 0, 60], "a pause restores what was used up");
        let (at, _) = times(Bursts::LOOKS, 3);
        assert_eq!(at, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
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
