//! What a test says when something it needs is not on this machine.

use std::io::Write;

/// Says that a test did not run and why, e.g. `skipped("dovecot not found: apt-get install dovecot-imapd")`.
///
/// # Panics
/// Where everything is demanded: `ONWARD_TEST_REQUIRE=all` (set by `make test`) or `CI=true`.
pub fn skipped(why: &str) {
    let set = |name: &str, value: &str| std::env::var(name).is_ok_and(|given| given == value);
    assert!(!set("ONWARD_TEST_REQUIRE", "all") && !set("CI", "true"), "SKIPPED: {why}");
    // Not `eprintln!`: the harness keeps that to itself when a test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
