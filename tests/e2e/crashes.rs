//! The daemon dies at any moment, and nothing is lost or done twice.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    approve, assert_all_logged_once, assert_discreet, deliver, item, items, messages, uids_and_flags, untouched,
    wait_for_draft, wait_for_messages,
};
use crate::support::{dovecot::Dovecot, home::Home, mail::sample, postfix::Postfix, wait_until_or};

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

/// The moment that matters most for drafts: the server has it, and the daemon has not written that down.
#[test]
fn a_kill_when_a_draft_has_just_been_placed_places_no_second_one() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-crash-drafts";
    let home = Home::with_account(dovecot, user);
    deliver(dovecot, user, [0, 5, 10, 15, 20]);
    assert_eq!(home.one(&["once"])["stored"], 5);
    let drafts = approve_all(&home);
    assert_eq!(drafts.len(), 5);
    let maildir = dovecot.maildir(user).join(".Drafts/cur");
    let placed = || fs::read_dir(&maildir).map_or(0, Iterator::count);
    let mut not_noted = 0;
    while placed() < drafts.len() {
        let before = placed();
        let daemon = home.start();
        wait_until_or("another draft is placed", || home.logs(), || closely(|| placed() > before));
        daemon.kill();
        let noted = home.json(&["draft", "list", "--all"]).iter().filter(|draft| draft["state"] == "placed").count();
        not_noted += usize::from(noted < placed());
    }
    assert!(not_noted > 0, "no kill met the moment");
    let daemon = home.start();
    for draft in &drafts {
        wait_for_draft(&home, draft, "placed");
    }
    daemon.stop();
    assert_eq!(uids_and_flags(dovecot, user, "Drafts").len(), drafts.len(), "each draft lies there once");
}

/// Sending cannot be repeated: whatever the moment, the recipient gets one mail or none, and where nobody can know
/// which, the person is asked.
#[test]
fn a_kill_while_sending_never_sends_twice() {
    let Some(dovecot) = Dovecot::start() else { return };
    let Some(postfix) = Postfix::start(&dovecot.neighbour()) else { return };
    let user = "e2e-crash-smtp";
    let home = Home::with_account(dovecot, user);
    home.write_config(&home.config(dovecot, user, Some(postfix)));
    home.prove_smtp();
    let noes: Vec<usize> = (0..60).step_by(5).collect();
    deliver(dovecot, user, noes.iter().copied());
    assert_eq!(home.one(&["once"])["stored"], noes.len());
    let mut random = Random(SEED);
    let mut unconfirmed = 0;
    for (killed, n) in noes.into_iter().enumerate() {
        if killed >= 5 && unconfirmed > 0 {
            break;
        }
        let draft = approve(&home, &item(&home, &sample(n)));
        // In turn: the connection begins, and the sender is named, which is close to the message itself.
        let mark = [" connect from", "sasl_username="][killed % 2];
        let connections = || postfix.log().matches(mark).count();
        let before = connections();
        let daemon = home.start();
        let shown = || home.one(&["draft", "show", &draft]);
        wait_until_or("the server is called", || home.logs(), || closely(|| connections() > before));
        // The moment itself; this is no wait for anything.
        thread::sleep(Duration::from_millis(random.below(30)));
        daemon.kill();
        let daemon = home.start();
        let settled = || ["sent", "unconfirmed"].contains(&shown()["state"].as_str().unwrap());
        wait_until_or("it is sent, or the person is asked", || home.logs(), settled);
        assert_eq!(home.verb(&["send"]).code, 0, "nothing is tried again");
        let ended = shown();
        assert_eq!(ended["attempts"], 1, "{ended}");
        let arrived = || messages(dovecot, "edith.marlow", "INBOX", ended["message_id"].as_str().unwrap()).len();
        if ended["state"] == "sent" {
            wait_until_or("the reply arrives", || postfix.log(), || arrived() > 0);
        } else {
            unconfirmed += 1;
            assert_eq!(home.verb(&[]).code, 4, "the person is asked");
            let resolved = home.one(&["draft", "resolve", &draft, "discard"]);
            assert_eq!(resolved["state"], "discarded");
        }
        daemon.stop();
        // The next one may leave at once; the log counts in whole seconds.
        home.pass_time(Duration::from_secs(61));
        assert!(arrived() <= 1, "it was sent twice");
    }
    assert!(unconfirmed > 0, "no kill met a draft on its way");
    assert_discreet(&home);
}

/// Looks often for a short while: for moments that are over in milliseconds.
fn closely(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_millis(500);
    while Instant::now() < end {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_micros(100));
    }
    false
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
