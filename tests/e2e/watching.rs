//! Sixty mails, half of them while nobody watched.

use super::{
    assert_all_logged_once, assert_discreet, deliver, uids_and_flags, untouched, wait_for_look, wait_for_messages,
};
use crate::support::{dovecot::Dovecot, home::Home};

#[test]
fn every_mail_is_logged_once_and_every_no_is_answered() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-watching";
    let home = Home::with_account(dovecot, user);

    let daemon = home.start();
    wait_for_look(&home);
    deliver(dovecot, user, 0..30);
    // The next poll is ten minutes away: IDLE brings them.
    wait_for_messages(&home, 30);
    daemon.stop();
    assert_eq!(home.one(&[])["running"], false);

    deliver(dovecot, user, 30..60);
    assert_eq!(uids_and_flags(dovecot, user, "INBOX"), untouched(60));
    let daemon = home.start();
    wait_for_messages(&home, 60);
    assert_eq!(home.one(&[])["running"], true);
    daemon.stop();

    assert_all_logged_once(&home, 60);
    assert_eq!(uids_and_flags(dovecot, user, "INBOX"), untouched(60), "no flag set, nothing moved, nothing added");
    for mailbox in ["Drafts", "Sent", "Junk", "Trash", "Archive"] {
        assert_eq!(uids_and_flags(dovecot, user, mailbox), [], "nothing was approved: {mailbox}");
    }
    assert_discreet(&home);
}
