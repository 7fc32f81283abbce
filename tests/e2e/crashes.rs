//! The daemon dies at any moment, and nothing is lost or done twice.

use std::{thread, time::Duration};

use serde_json::Value;

use super::{
    approve, assert_all_logged_once, assert_discreet, deliver, items, uids_and_flags, untouched, wait_for_draft,
    wait_for_messages,
};
use crate::support::{dovecot::Dovecot, home::Home, wait_until_or};

/// How often the daemon is killed, and how many mails arrive around each time.
const KILLS: usize = 10;
const MAILS: usize = 6;
/// Where the series of random moments begins. A failure names its moment; the seed repeats it as far as clocks do.
const SEED: u64 = 0x5eed_0417;

/// Xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn a_kill_at_any_moment_changes_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-crashes";
    let home = Home::with_account(dovecot, user);
    let mut random = Random(SEED);
    let mut approved = Vec::new();
    for round in 0..KILLS {
        // The kernel frees a dead process's lock: the next daemon starts at once.
        let daemon = home.start();
        let arrivals = round * MAILS..(round + 1) * MAILS;
        thread::scope(|scope| {
            scope.spawn(|| deliver(dovecot, user, arrivals));
            // At some moment of the start, or after some of the mails.
            let logged = usize::try_from(random.below(5)).unwrap();
            let lines = || daemon.log().matches("A mail was logged.").count();
            wait_until_or(&format!("{logged} mails are logged"), || home.logs(), || lines() >= logged);
            // The moment itself; this is no wait for anything.
            thread::sleep(Duration::from_millis(random.below(60)));
            daemon.kill();
        });
        // The next daemon finds an approved draft, and may die while it delivers it.
        approved.extend(approve_all(&home));
    }
    let daemon = home.start();
    wait_for_messages(&home, 60);
    for draft in &approved {
        wait_for_draft(&home, draft, "placed");
    }
    daemon.stop();

    assert!(approved.len() > 3, "drafts were approved on the way: {approved:?}");
    assert_eq!(uids_and_flags(dovecot, user, "Drafts").len(), approved.len(), "each draft lies there once");
    assert_all_logged_once(&home, KILLS * MAILS);
    assert_eq!(uids_and_flags(dovecot, user, "INBOX"), untouched(60));
    assert_discreet(&home);

    // The same mailbox read in one go, by somebody who was never disturbed.
    let calm = Home::with_account(dovecot, user);
    assert_eq!(calm.verb(&["once"]).code, 0);
    assert_eq!(facts(&calm), facts(&home), "the same end state");
}

/// Approves every draft to a person that waits.
fn approve_all(home: &Home) -> Vec<String> {
    let waits = |item: &&Value| item["draft"]["state"] == "pending" && item["mail"]["from_name"] == "Edith Marlow";
    items(home).values().filter(waits).map(|item| approve(home, item)).collect()
}

/// What is known of each mail, without what depends on when it was read.
fn facts(home: &Home) -> Vec<(String, Vec<Value>)> {
    let fields = ["category", "decided", "stage", "reason", "employer", "role", "contact"];
    let of = |item: Value| fields.iter().map(|field| item[field].clone()).collect();
    items(home).into_iter().map(|(id, item)| (id, of(item))).collect()
}
