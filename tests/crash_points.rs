//! The process ends at every point there is, one after the other, and a restart makes of it what an undisturbed run
//! makes. The points are those of `io::crash`: before and after everything that is durable or leaves the machine.

mod delivering;
mod reading;
mod verbs;

use crate::support::{
    crash::{Run, facts},
    home::{ADDRESS, Home},
};

/// What no stream may show, whatever the moment: the password, addresses, sentences of mails and replies.
const PRIVATE: &[&str] = &[
    crate::support::dovecot::PASSWORD,
    ADDRESS,
    "edith.marlow",
    "Dear Robin",
    "to another candidate",
    "not to move forward",
    "frost took the early beans",
];

/// Runs `story` ended at the first point, at the second, and so on until it is over before it comes to one. Gives the
/// points there were.
fn at_every_point(mut story: impl FnMut(usize) -> Run) -> Vec<String> {
    for at in 1.. {
        let run = story(at);
        if !run.ended {
            return run.points;
        }
        for private in PRIVATE {
            assert!(!run.said.contains(private), "{private:?} was said before the end at {:?}", run.points.last());
        }
    }
    unreachable!("no run passes that many points")
}

/// Asserts that a log says what it is to say; the difference is shown, and the point that led to it.
fn assert_facts(home: &Home, expected: &[String], run: &Run) {
    let found = facts(&home.log());
    let lacks: Vec<&String> = expected.iter().filter(|line| !found.contains(line)).collect();
    let gained: Vec<&String> = found.iter().filter(|line| !expected.contains(line)).collect();
    assert_eq!(found, expected, "after the end at {:?}: lacks {lacks:#?}, gained {gained:#?}", run.points.last());
}
