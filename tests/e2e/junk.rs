//! An invitation in Junk, at a real server: found, told, and left where it lies.

use super::{uids_and_flags, untouched, wait_for_messages};
use crate::support::{dovecot::Dovecot, home::Home};

#[test]
fn an_invitation_in_junk_is_found_and_left_where_it_lies() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-junk";
    let home = Home::with_account(dovecot, user);
    let text = "From: Edda Voss <edda@larkfield.example>\r\nTo: robin@home.example\r\nSubject: Interview\r\n\
                Message-ID: <invitation@larkfield.example>\r\nDate: Mon, 16 Nov 2026 09:00:00 +0000\r\n\r\n\
                Dear Robin,\r\n\r\nthank you for your application as a Data Analyst. We would like to invite you to an \
                interview next week. Please let us know when you are available.\r\n\r\nKind regards\r\nEdda Voss\r\n";
    dovecot.deliver(user, text.as_bytes());
    dovecot.doveadm(&["move", "-u", user, "Junk", "mailbox", "INBOX", "all"]);
    let daemon = home.start();
    wait_for_messages(&home, 1);
    daemon.stop();
    let status = home.one(&[]);
    assert_eq!(status["in_junk"], 1, "{status}");
    assert!(status["mailboxes"].as_array().unwrap().iter().any(|m| m["mailbox"] == "Junk"), "{status}");
    let id = home.one(&["list"])["id"].to_string();
    let said = home.verb(&["show", &id]);
    assert!(said.out.contains("Junk of") && said.out.contains("took it for spam"), "{}", said.out);
    assert!(home.verb(&["list"]).out.contains("in Junk"));
    assert_eq!(uids_and_flags(dovecot, user, "Junk"), untouched(1), "no flag set, nothing moved");
}
