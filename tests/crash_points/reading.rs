//! Fetch, log, draft: a look that is ended anywhere, twice, leaves nothing to explain.

use super::{assert_facts, at_every_point};
use crate::{
    e2e::{uids_and_flags, untouched},
    support::{crash::facts, dovecot::Dovecot, home::Home, mail::sample},
};

/// Mails in the mailbox: each kind, and one of them twice.
const MAILS: usize = 6;
/// Mails in the Maildir, each of which is a step of its own.
const FILES: usize = 3;

/// A fresh home is ended in its first look at each point, and, with `twice`, at the same one in its second; the next look
/// is undisturbed.
fn looked_at_every_point(mails: usize, twice: bool, home: impl Fn() -> Home) {
    let calm = home();
    let whole = calm.run_until(0, &["once"]);
    let expected = facts(&calm.log());
    let noes = (0..mails).filter(|n| sample(*n).kind.is_rejection()).count();
    assert!(noes >= 2);
    assert_eq!(expected[0], format!("{mails} messages"));
    assert_eq!(expected.iter().filter(|line| line.starts_with("draft ")).count(), noes);

    let points = at_every_point(|at| {
        let home = home();
        let first = home.run_until(at, &["once"]);
        if twice {
            home.run_until(at, &["once"]);
        }
        let said = home.verb(&["once"]);
        assert_eq!(said.code, 0, "{said:?} after {:?}", first.points.last());
        assert_facts(&home, &expected, &first);
        // And nothing is left that another look would do again.
        if at % 4 == 0 {
            home.verb(&["once"]);
            assert_facts(&home, &expected, &first);
        }
        first
    });
    assert_eq!(points, whole.points, "every point was tried");
    // Made, attempted, committed, finished.
    assert!(points.len() >= 8, "{points:#?}");
    println!("{} points: {points:#?}", points.len());
}

#[test]
fn a_look_that_ends_at_any_point_leaves_nothing_to_explain() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "crash-points-reading";
    for n in 0..MAILS {
        dovecot.deliver(user, &sample(n).bytes);
    }
    looked_at_every_point(MAILS, true, || Home::with_account(dovecot, user));
    let count = u32::try_from(MAILS).unwrap();
    assert_eq!(uids_and_flags(dovecot, user, "INBOX"), untouched(count), "the mailbox is as it was");
    assert_eq!(uids_and_flags(dovecot, user, "Drafts"), [], "nothing was approved");
}

#[test]
fn a_look_into_a_maildir_that_ends_at_any_point_leaves_nothing_to_explain() {
    // One Maildir for all homes: what is known of a file is its name and its time.
    let host = Home::with_maildir("");
    for n in 0..FILES {
        host.deliver(&format!("{n}.sample"), &sample(n).bytes);
    }
    looked_at_every_point(FILES, false, || host.copy_config());
}
