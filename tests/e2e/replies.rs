//! What the person approved arrives: once, as approved, in its thread.

use std::thread;

use super::{
    approve, assert_discreet, deliver, item, messages, uids_and_flags, untouched, wait_for_draft, wait_for_messages,
};
use crate::support::{
    dovecot::Dovecot,
    home::{ADDRESS, Home},
    mail::{Sample, sample},
    postfix::Postfix,
    wait_until_or,
};

/// Who gets the replies: the part of the address before the `@` is the name at Dovecot.
const EDITH: &str = "edith.marlow";

#[test]
fn an_approved_reply_lies_in_drafts_once_however_many_deliver_it() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-drafts";
    let home = Home::with_account(dovecot, user);
    deliver(dovecot, user, 0..6);
    let daemon = home.start();
    wait_for_messages(&home, 6);

    let no = sample(0);
    let draft = approve(&home, &item(&home, &no));
    // Whoever is second finds the door closed or the work done; both say so, and neither is a failure.
    thread::scope(|scope| {
        let sends: Vec<_> = (0..2).map(|_| scope.spawn(|| home.verb(&["send"]))).collect();
        for send in sends {
            let said = send.join().unwrap();
            assert!([0, 4].contains(&said.code), "{said:?}");
        }
    });
    wait_for_draft(&home, &draft, "placed");
    assert_eq!(home.verb(&["send"]).code, 0, "nothing is left to do");
    daemon.stop();
    // A new daemon finds nothing to deliver either.
    home.start().stop();

    assert_eq!(uids_and_flags(dovecot, user, "Drafts"), [(1, "\\Seen \\Draft".to_owned())]);
    let shown = home.one(&["draft", "show", &draft]);
    let letter = messages(dovecot, user, "Drafts", shown["message_id"].as_str().unwrap()).remove(0);
    assert_threaded(&letter, &no);
    assert_eq!(header(&letter, "To").as_deref(), Some("\"Edith Marlow\" <edith.marlow@larkfield.example>"));
    assert_eq!(header(&letter, "From"), Some(format!("\"Robin Hale\" <{ADDRESS}>")));
    assert!(header(&letter, "Date").is_some() && header(&letter, "Bcc").is_none(), "{letter}");
    assert_eq!(uids_and_flags(dovecot, user, "INBOX"), untouched(6));
    assert_discreet(&home);
}

#[test]
fn an_approved_reply_is_sent_once() {
    let Some(dovecot) = Dovecot::start() else { return };
    let Some(postfix) = Postfix::start(&dovecot.neighbour()) else { return };
    let user = "e2e-smtp";
    let home = Home::with_account(dovecot, user);
    deliver(dovecot, user, [10, 12]);
    let daemon = home.start();
    wait_for_messages(&home, 2);

    home.write_config(&home.config(dovecot, user, Some(postfix)));
    home.prove_smtp();
    daemon.reload();
    daemon.wait_for("Configuration and rules were read again.");
    let no = sample(10);
    let draft = approve(&home, &item(&home, &no));
    wait_for_draft(&home, &draft, "sent");
    assert_eq!(home.verb(&["send"]).code, 0, "nothing is left to do");
    daemon.stop();

    let shown = home.one(&["draft", "show", &draft]);
    let arrived = || messages(dovecot, EDITH, "INBOX", shown["message_id"].as_str().unwrap());
    wait_until_or("the reply arrives", || format!("{}\n{}", home.logs(), postfix.log()), || !arrived().is_empty());
    assert_eq!(arrived().len(), 1);
    let letter = arrived().remove(0);
    assert_threaded(&letter, &no);
    assert_eq!(header(&letter, "Return-Path"), Some(format!("<{ADDRESS}>")), "the envelope's sender");
    assert_eq!(shown["attempts"], 1, "{shown}");
    assert_eq!(uids_and_flags(dovecot, user, "Drafts"), [], "it was not placed as well");
    assert_eq!(uids_and_flags(dovecot, user, "INBOX"), untouched(2));
    assert_discreet(&home);
}

#[test]
fn a_rehearsal_changes_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-rehearsal";
    let home = Home::with_account(dovecot, user);
    deliver(dovecot, user, [0]);
    let looked = home.json(&["once", "--dry-run"]);
    assert!(looked.iter().any(|said| said["category"] == "rejection"), "it says what it sees: {looked:?}");
    assert!(!home.state_dir().exists(), "a dry look stores nothing");

    assert_eq!(home.one(&["once"])["stored"], 1);
    let draft = approve(&home, &item(&home, &sample(0)));
    let before = home.json(&["log"]);
    let would = home.one(&["send", "--dry-run"]);
    assert_eq!(would["draft"].to_string(), draft);
    assert_eq!(home.one(&["draft", "show", &draft])["state"], "approved");
    assert_eq!(home.json(&["log"]), before, "nothing happened");
    assert_eq!(uids_and_flags(dovecot, user, "Drafts"), []);
}

/// A header field, unfolded.
fn header(message: &str, name: &str) -> Option<String> {
    let head = message.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{}:", name.to_lowercase())))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn assert_threaded(letter: &str, parent: &Sample) {
    let parent_id = Some(format!("<{}>", parent.message_id));
    assert_eq!(header(letter, "In-Reply-To"), parent_id, "{letter}");
    assert_eq!(header(letter, "References"), parent_id, "{letter}");
    assert!(header(letter, "Subject").is_some_and(|subject| subject.starts_with("Re: ")), "{letter}");
}
