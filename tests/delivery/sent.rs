//! What the Sent mailbox settles and gets: doubt, and copies.

use std::time::Duration;

use onward::{
    app::submit::Delivered,
    draft::{DraftEvent, DraftState},
    io::store::{EventFilter, EventKind},
};

use super::Desk;
use crate::{
    e2e::{approve, item, wait_for_draft},
    support::{
        dovecot::Dovecot,
        fake_imap::{Act, FakeImap},
        home::Home,
        mail::sample,
        postfix::Postfix,
        smtp_sink::{Fault, Mode, Sink, Step},
        wait_until_or,
    },
};

/// Longer than a server gets to file a copy itself.
const LATER: Duration = Duration::from_secs(6 * 60);
/// The reply of these tests as its server files it, and as Exchange does.
const FILED: &str = "Message-ID: <re1@example.net>\r\n\r\nThank you.\r\n";
const FILED_BY_EXCHANGE: &str =
    "Message-ID: <x@outlook.example>\r\nX-Microsoft-Original-Message-ID: <re1@example.net>\r\n\r\nThank you.\r\n";

/// A reply that was sent, with the server its copy belongs to.
async fn sent(account: &str, before: impl FnOnce(&FakeImap)) -> (Sink, FakeImap, Desk) {
    let (sink, imap) = (Sink::start(Mode::Plain, &[]).await, FakeImap::start().await);
    before(&imap);
    let desk = Desk::smtp(&sink, &imap, account, 1);
    desk.approve(1);
    assert_eq!(desk.deliver().await, [(1, Delivered::Sent)]);
    (sink, imap, desk)
}

fn copies(imap: &FakeImap) -> Vec<(String, Vec<u8>)> {
    imap.with(|state| state.appended.clone())
}

/// F14: a server of which nothing is known gets its time; then one copy is filed, whatever restarts come.
#[tokio::test]
async fn a_copy_is_filed_once_where_the_server_files_none() {
    let (_sink, imap, desk) = sent("", |_| {}).await;
    assert_eq!((copies(&imap).len(), imap.heard("UID SEARCH HEADER Message-ID")), (0, 1), "it looked at once");
    desk.deliver().await;
    assert_eq!(copies(&imap), []);
    desk.pass_time(LATER);
    for _ in 0..3 {
        desk.deliver().await;
        assert_eq!(copies(&imap), [("\"Sent\" (\\Seen)".to_owned(), desk.draft(1).bytes)]);
    }
    let said = imap.heard("UID SEARCH");
    desk.deliver().await;
    assert_eq!(imap.heard("UID SEARCH"), said, "it is settled");
    assert_eq!(desk.state(1), DraftState::Sent);
}

/// F14: what the server files is found, at once or later, and not filed again.
#[tokio::test]
async fn a_copy_that_the_server_files_is_found() {
    for (filed, at_once) in [(FILED, true), (FILED, false), (FILED_BY_EXCHANGE, true), (FILED_BY_EXCHANGE, false)] {
        let deliver = |imap: &FakeImap| {
            imap.deliver(filed);
        };
        let (_sink, imap, desk) = sent("", |imap| {
            if at_once {
                deliver(imap)
            }
        })
        .await;
        if !at_once {
            deliver(&imap);
            desk.pass_time(LATER);
            desk.deliver().await;
        }
        assert_eq!(copies(&imap), []);
        let seen = desk.store().events(&EventFilter { draft: Some(1), ..EventFilter::default() }).unwrap();
        assert_eq!(
            seen.last().map(|event| (event.kind, &event.detail["filed"])),
            Some((EventKind::Copy, &false.into()))
        );
    }
}

/// F14: the person may want a copy always or never, whatever the server does.
#[tokio::test]
async fn the_person_says_whether_there_is_a_copy() {
    let (_sink, imap, desk) = sent("sent_copy = \"always\"", |_| {}).await;
    assert_eq!(copies(&imap).len(), 1, "at once");
    desk.deliver().await;
    assert_eq!(copies(&imap).len(), 1);
    let (_sink, imap, desk) = sent("sent_copy = \"never\"", |_| {}).await;
    desk.pass_time(LATER);
    desk.deliver().await;
    assert_eq!((copies(&imap).len(), imap.with(|state| state.connections)), (0, 0));
}

/// F13, F14: trouble with the copy is not trouble with the reply. It is tried again for a day, and not filed twice where
/// only the answer was lost.
#[tokio::test]
async fn trouble_with_a_copy_changes_nothing() {
    for (act, filed) in [(Act::Say("$tag NO [OVERQUOTA] full\r\n".to_owned()), 0), (Act::Close, 1)] {
        let (_sink, imap, desk) = sent("sent_copy = \"always\"", |imap| imap.fails("APPEND", 1, act)).await;
        assert_eq!((desk.state(1), copies(&imap).len()), (DraftState::Sent, filed));
        desk.deliver().await;
        assert_eq!((desk.state(1), copies(&imap).len()), (DraftState::Sent, 1));
    }
    let (_sink, imap, desk) = sent("", |imap| imap.fails("greeting", 1, Act::Close)).await;
    assert_eq!(desk.state(1), DraftState::Sent);
    desk.pass_time(Duration::from_secs(25 * 3600));
    desk.deliver().await;
    assert_eq!(copies(&imap), [], "a copy a day later would only surprise");
}

/// F14 with real servers: Postfix files nothing, and Dovecot gets one copy, read.
#[test]
fn a_copy_lies_in_a_real_sent_mailbox_once() {
    let Some(dovecot) = Dovecot::start() else { return };
    let Some(postfix) = Postfix::start(&dovecot.neighbour()) else { return };
    let user = "sent-copy";
    let home = Home::with_account(dovecot, user);
    home.write_config(&home.config(dovecot, user, Some(postfix)));
    home.prove_smtp();
    dovecot.deliver(user, &sample(0).bytes);
    assert_eq!(home.one(&["once"])["stored"], 1);
    let draft = approve(&home, &item(&home, &sample(0)));
    let daemon = home.start();
    wait_for_draft(&home, &draft, "sent");
    let flags = || {
        let said = dovecot.run(user, &["EXAMINE Sent", "UID FETCH 1:* (FLAGS)"]);
        said.lines().filter(|line| line.contains("FETCH")).collect::<String>()
    };
    assert!(flags().is_empty(), "the server still has its time");
    home.pass_time(LATER);
    daemon.wait_for("A copy of a sent reply was put into Sent.");
    wait_until_or("the copy is filed", || home.logs(), || !flags().is_empty());
    assert!(flags().contains("\\Seen") && !flags().contains("\\Draft"), "{}", flags());
    daemon.stop();
    home.start().stop();
    assert_eq!(home.verb(&["send"]).code, 0);
    assert_eq!(flags().matches("FETCH").count(), 1);
    assert_eq!(home.one(&["draft", "show", &draft])["state"], "sent");
}

/// F2: a letter whose receipt got lost is not sent again; found in Sent, by its own Message-ID or by the one Exchange keeps,
/// it was sent; else the person says what became of it.
#[tokio::test]
async fn doubt_is_settled_by_sent_or_by_the_person_and_never_by_sending() {
    for (filed, settled) in
        [(FILED, true), (FILED_BY_EXCHANGE, true), ("Message-ID: <other@example.net>\r\n\r\nElse.\r\n", false)]
    {
        let (sink, imap) = (Sink::start(Mode::Plain, &[(Step::Dot, Fault::Close)]).await, FakeImap::start().await);
        let desk = Desk::smtp(&sink, &imap, "", 1);
        desk.approve(1);
        assert!(matches!(desk.deliver().await[0].1, Delivered::Unconfirmed(_)));
        assert_eq!(desk.state(1), DraftState::Unconfirmed, "nothing lies in Sent yet");
        imap.deliver(filed);
        for _ in 0..3 {
            desk.deliver().await;
        }
        let view = desk.draft(1);
        if settled {
            assert_eq!((view.state, view.remark.as_str()), (DraftState::Sent, "it lies in Sent"));
        } else {
            assert_eq!(view.state, DraftState::Unconfirmed);
            let mut store = desk.store();
            store.record(1, DraftEvent::ResolveSent, "said by the person", jiff::Timestamp::now()).unwrap();
            desk.deliver().await;
        }
        assert_eq!((sink.accepted().len(), copies(&imap).len()), (1, 0), "no second letter, no second copy");
    }
}

/// F2: a mailbox that cannot be looked into settles nothing.
#[tokio::test]
async fn doubt_stays_while_sent_cannot_be_read() {
    let no = Act::Say("$tag NO [UNAVAILABLE] no\r\n".to_owned());
    for (at, act) in [("UID SEARCH", no), ("EXAMINE", Act::Close), ("UID SEARCH", Act::Close)] {
        let (sink, imap) = (Sink::start(Mode::Plain, &[(Step::Dot, Fault::Close)]).await, FakeImap::start().await);
        imap.fails(at, usize::MAX, act);
        imap.deliver(FILED);
        let desk = Desk::smtp(&sink, &imap, "", 1);
        desk.approve(1);
        for _ in 0..3 {
            desk.deliver().await;
            assert_eq!((desk.state(1), sink.accepted().len()), (DraftState::Unconfirmed, 1));
        }
    }
}
