//! Points at which a test ends the process: before and after everything that is durable or leaves the machine.
//!
//! `tests/crash_points` runs a verb once to its end, and then once for each point it passed, ended there without a last
//! word, as `kill -9` and a power cut do. What comes of a restart has to be what came of the run that nobody disturbed.
//!
//! Only a build with debug assertions has the points: a release has no code here, so that no variable, setting or mail can
//! end it. That costs no second build, as a feature of cargo would. It must do nothing but count, note down and end.

/// A point: `what` is about to happen, or has just happened, in the code that calls this.
#[cfg(debug_assertions)]
#[track_caller]
pub fn point(what: &str) {
    armed::pass(what, std::panic::Location::caller());
}

/// A point, which a release does not have.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_what: &str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        env,
        fs::{File, OpenOptions},
        io::Write as _,
        panic::Location,
        process,
        sync::{Mutex, OnceLock, PoisonError},
    };

    /// The number of the point to end at, from 1; 0 for none.
    const AT: &str = "ONWARD_CRASH_AT";
    /// The file that every point is noted in, one a line.
    const NOTES: &str = "ONWARD_CRASH_NOTES";

    /// What the test asks of this process.
    struct Plan {
        at: usize,
        passed: usize,
        notes: File,
    }

    impl Plan {
        /// `None` where the environment asks for nothing, or for nothing that can be done: the test misses the notes.
        fn of_environment() -> Option<Plan> {
            let at = env::var(AT).ok()?.parse().ok()?;
            let notes = OpenOptions::new().create(true).append(true).open(env::var_os(NOTES)?).ok()?;
            Some(Plan { at, passed: 0, notes })
        }
    }

    pub fn pass(what: &str, place: &Location<'_>) {
        static PLAN: OnceLock<Option<Mutex<Plan>>> = OnceLock::new();
        let Some(plan) = PLAN.get_or_init(|| Plan::of_environment().map(Mutex::new)) else { return };
        // Held to the end: no other thread passes a point after the one that ends the process.
        let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.passed += 1;
        let noted = writeln!(plan.notes, "{what}, {}:{}", place.file(), place.line());
        if noted.is_err() || plan.passed == plan.at {
            // Nothing is unwound, dropped, flushed or closed in order.
            process::abort();
        }
    }
}
