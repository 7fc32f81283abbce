//! Keeps warnings from flooding the log: the same one is written once a minute, and how often it came is told.
//!
//! It must not swallow what only looks alike: lines are compared whole, and only those of one place in the program that
//! never stops talking are held back by place.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How long a warning that was written is not written again.
const QUIET_FOR: Duration = Duration::from_secs(60);
/// Different lines that one place of the program may write in that time: more than any configuration has problems, and
/// a place whose text changes each time is a flood too.
const LINES_OF_PLACE_MAX: u32 = 100;
/// Lines remembered at most: a flood of different ones must not take the memory either. Twice what fits in a minute for
/// two places that flood.
const REMEMBERED_MAX: usize = 400;

/// What was written lately.
#[derive(Debug, Default)]
pub(super) struct Flood {
    lines: HashMap<String, Said>,
    places: HashMap<&'static str, Said>,
}

/// Something that was written.
#[derive(Debug, Clone, Copy)]
struct Said {
    since: Instant,
    /// Times it was written, for a place, or times it was held back, for a line.
    times: u32,
    held_back: u32,
}

impl Said {
    fn at(now: Instant) -> Said {
        Said { since: now, times: 0, held_back: 0 }
    }

    fn is_over(self, now: Instant) -> bool {
        now.duration_since(self.since) >= QUIET_FOR
    }
}

/// What is to be done with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Write it, and that it, or others from its place, were held back so often since the last time.
    Write {
        /// Times this very line was held back.
        same: u32,
        /// Other lines of its place that were held back.
        others: u32,
    },
    /// Leave it out.
    HoldBack,
}

impl Flood {
    /// Judges a line that a place of the program wants to write.
    pub(super) fn judge(&mut self, place: &'static str, line: &str, now: Instant) -> Verdict {
        if let Some(said) = self.lines.get_mut(line)
            && !said.is_over(now)
        {
            said.held_back = said.held_back.saturating_add(1);
            return Verdict::HoldBack;
        }
        let of_place = self.places.entry(place).or_insert_with(|| Said::at(now));
        let mut others = 0;
        if of_place.is_over(now) {
            others = of_place.held_back;
            *of_place = Said::at(now);
        } else if of_place.times >= LINES_OF_PLACE_MAX {
            of_place.held_back = of_place.held_back.saturating_add(1);
            return Verdict::HoldBack;
        }
        of_place.times += 1;
        if self.lines.len() >= REMEMBERED_MAX {
            self.lines.retain(|_, said| !said.is_over(now));
        }
        let same = self.lines.remove(line).map_or(0, |said| said.held_back);
        if self.lines.len() < REMEMBERED_MAX {
            self.lines.insert(line.to_owned(), Said::at(now));
        }
        Verdict::Write { same, others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_warning_comes_once_a_minute_with_its_number() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        let mut written = Vec::new();
        // A hundred a second for three minutes, and another one among them.
        for n in 0..18_000_u64 {
            let now = start + Duration::from_millis(n * 10);
            if let Verdict::Write { same, .. } = flood.judge("a", "The server is away.", now) {
                written.push(same);
            }
            if n == 50 {
                assert_eq!(flood.judge("a", "The disk is full.", now), Verdict::Write { same: 0, others: 0 });
            }
        }
        assert_eq!(written, [0, 5999, 5999]);
    }

    #[test]
    fn a_place_that_never_repeats_itself_is_bounded_and_others_are_heard() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        let mut written = 0;
        for n in 0..10_000 {
            written += u32::from(flood.judge("a", &format!("port {n}"), start) != Verdict::HoldBack);
        }
        assert_eq!(written, LINES_OF_PLACE_MAX);
        assert_eq!(flood.judge("b", "hello", start), Verdict::Write { same: 0, others: 0 });
        let later = start + QUIET_FOR;
        let others = 10_000 - LINES_OF_PLACE_MAX;
        assert_eq!(flood.judge("a", "port 1", later), Verdict::Write { same: 0, others });
        for place in ["c", "d", "e", "f", "g"] {
            for n in 0..1000 {
                flood.judge(place, &format!("{place} {n}"), later);
            }
        }
        assert!(flood.lines.len() <= REMEMBERED_MAX);
    }
}
