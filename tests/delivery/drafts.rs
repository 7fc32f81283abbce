//! Placing in Drafts: once, whatever happens on the way, and with a reason while it cannot be done.

use futures::StreamExt as _;
use onward::{
    app::submit::Delivered,
    config::Tls,
    draft::DraftState,
    io::{
        imap::{AppendFlags, Session},
        store::EventFilter,
    },
    secret::Secret,
};

use super::Desk;
use crate::{
    e2e::{approve, item, wait_for_draft},
    support::{
        dovecot::{Dovecot, PASSWORD},
        fake_imap::{Act, FakeImap},
        home::Home,
        mail::sample,
        proxy::{From, Proxy},
        wait_until_or,
    },
};

/// How many messages lie in a mailbox of a user.
fn count(dovecot: &Dovecot, user: &str, mailbox: &str) -> usize {
    let said = dovecot.run(user, &[&format!("EXAMINE \"{mailbox}\"")]);
    let exists = said.lines().find_map(|line| line.strip_prefix("* ")?.strip_suffix(" EXISTS"));
    exists.unwrap().parse().unwrap()
}

fn mailboxes(dovecot: &Dovecot, user: &str) -> Vec<String> {
    let said = dovecot.run(user, &["LIST \"\" \"*\""]);
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// E1, E2: a connection that is cut at any byte, on either way, leaves one draft in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_at_any_byte_leaves_one_draft() {
    let Some(dovecot) = Dovecot::start() else { return };
    let port = dovecot.server(Tls::NoneLoopback).port;
    let proxy = Proxy::start(port, None).await;
    let desk = Desk::imap(proxy.port, "cut-never", "", "", 1);
    desk.approve(1);
    assert!(matches!(desk.deliver().await[0].1, Delivered::Placed { .. }));
    let [said, heard] = proxy.passed().map(|bytes| String::from_utf8(bytes).unwrap());
    let append = said.find("APPEND").unwrap();
    let before = heard.find("* SEARCH").unwrap();
    // Every byte from the APPEND on, and some of what comes before it.
    let up = (1..append).step_by(17).chain(append..=said.len()).map(|bytes| (From::Client, bytes));
    let down = (1..before).step_by(97).chain((before..heard.len()).step_by(3)).map(|bytes| (From::Server, bytes));
    let cuts: Vec<(From, usize)> = up.chain(down).collect();
    assert!(cuts.len() > 100, "{}", cuts.len());
    let runs = cuts.into_iter().enumerate().map(|(n, cut)| async move {
        let user = format!("cut-{n}");
        let proxy = Proxy::start(port, Some(cut)).await;
        let desk = Desk::imap(proxy.port, &user, "", "", 1);
        desk.approve(1);
        let first = desk.deliver().await;
        if !matches!(first[0].1, Delivered::Placed { .. }) {
            proxy.first_is_over().await;
            let view = desk.draft(1);
            assert_eq!(view.state, DraftState::Approved, "{cut:?}: {first:?}");
            assert!(view.remark.starts_with("not placed yet: "), "{cut:?}: {}", view.remark);
            let second = desk.deliver().await;
            assert!(matches!(second[0].1, Delivered::Placed { other_text: false, .. }), "{cut:?}: {second:?}");
        }
        assert_eq!((desk.state(1), count(dovecot, &user, "Drafts")), (DraftState::Placed, 1), "{cut:?}");
    });
    futures::stream::iter(runs).buffer_unordered(8).collect::<Vec<()>>().await;
}

/// E1, E2: news before the `+`, and the end of the connection when all was sent: one draft.
#[tokio::test]
async fn news_and_ends_around_an_append_leave_one_draft() {
    for act in [Act::First("* 5 EXISTS\r\n* 1 RECENT\r\n".to_owned()), Act::Close] {
        let server = FakeImap::start().await;
        server.fails("APPEND", 1, act);
        let desk = Desk::imap(server.port(), "ada", "drafts = \"Drafts\"", "", 1);
        desk.approve(1);
        desk.deliver().await;
        desk.deliver().await;
        assert_eq!(desk.state(1), DraftState::Placed);
        let appended = server.with(|state| state.appended.clone());
        assert_eq!(appended, [("\"Drafts\" (\\Draft \\Seen)".to_owned(), desk.draft(1).bytes)]);
    }
}

/// E3: a refusal is told with its code, leaves the draft approved, and is tried again; the same reason is one row.
#[tokio::test]
async fn a_refused_append_is_told_and_tried_again() {
    for code in ["TRYCREATE", "OVERQUOTA", "LIMIT"] {
        let server = FakeImap::start().await;
        server.fails("APPEND", 3, Act::Say(format!("$tag NO [{code}] not now\r\n")));
        let desk = Desk::imap(server.port(), "ada", "drafts = \"Drafts\"", "", 1);
        desk.approve(1);
        for _ in 0..3 {
            let done = desk.deliver().await;
            assert!(matches!(&done[0].1, Delivered::Later(why) if why.contains(code)), "{done:?}");
            let view = desk.draft(1);
            assert_eq!((view.state, view.attempts), (DraftState::Approved, 0));
            assert!(view.remark.contains(code) && view.remark.contains("not now"), "{}", view.remark);
        }
        let steps = desk.store().events(&EventFilter { draft: Some(1), ..EventFilter::default() }).unwrap();
        assert_eq!(steps.len(), 3, "proposed, approved, and one reason");
        desk.deliver().await;
        assert_eq!((desk.state(1), server.with(|state| state.appended.len())), (DraftState::Placed, 1));
    }
}

/// E3 with a real quota: the person sees the reason, and with room the daemon goes on by itself.
#[test]
fn a_full_mailbox_is_told_and_room_lets_the_draft_in() {
    let quota = "mail_plugins = quota\nprotocol imap {\n  mail_plugins = quota imap_quota\n}\n\
                 plugin {\n  quota = maildir:User quota\n  quota_rule = *:messages=1\n}\n";
    let Some(dovecot) = &Dovecot::with(quota, true) else { return };
    let home = Home::with_account(dovecot, "full");
    dovecot.deliver("full", &sample(0).bytes);
    assert_eq!(home.one(&["once"])["stored"], 1);
    let draft = approve(&home, &item(&home, &sample(0)));
    let daemon = home.start();
    let told = || home.one(&["draft", "show", &draft])["remark"].as_str().unwrap().contains("OVERQUOTA");
    wait_until_or("the reason stands with the draft", || home.logs(), told);
    assert!(home.verb(&["draft", "show", &draft]).out.contains("[OVERQUOTA]"));
    assert!(home.verb(&[]).out.contains("not placed yet"), "{}", home.verb(&[]).out);
    assert_eq!(home.one(&[])["waits"][0]["draft"].to_string(), draft);
    dovecot.doveadm(&["expunge", "-u", "full", "mailbox", "INBOX", "all"]);
    wait_for_draft(&home, &draft, "placed");
    daemon.stop();
    assert_eq!(count(dovecot, "full", "Drafts"), 1);
}

/// E4: without a mark the name tells, in its own script; a name of the person's goes before; where nothing tells, the
/// person is told, and no mailbox is made.
#[tokio::test(flavor = "multi_thread")]
async fn drafts_is_found_by_name_or_named_and_never_made() {
    let Some(dovecot) = &Dovecot::with("", false) else { return };
    let port = dovecot.server(Tls::NoneLoopback).port;
    for (user, made, configured, expected) in [
        ("german", "Entw&APw-rfe", "", Ok("Entwürfe")),
        ("gmail", "[Gmail]/Brouillons", "", Ok("[Gmail]/Brouillons")),
        ("japanese", "&ZeVnLIqe-", "drafts = \"日本語\"", Ok("日本語")),
        ("own", "Later &- more", "drafts = \"Later & more\"", Ok("Later & more")),
        ("nobody", "Papers", "", Err("name yours with `drafts = ")),
        ("wrong", "Papers", "drafts = \"Entwürfe\"", Err("doesn't exist")),
    ] {
        dovecot.run(user, &[&format!("CREATE \"{made}\"")]);
        let before = mailboxes(dovecot, user);
        let desk = Desk::imap(port, user, configured, "", 1);
        desk.approve(1);
        let done = desk.deliver().await.remove(0).1;
        match expected {
            Ok(name) => assert_eq!(done, Delivered::Placed { mailbox: name.to_owned(), other_text: false }, "{user}"),
            Err(expected) => {
                let Delivered::Later(why) = done else { panic!("{user}: {done:?}") };
                assert!(why.contains(expected), "{user}: {why}");
                let view = desk.draft(1);
                assert!(view.remark.contains(expected), "{user}: {}", view.remark);
                assert_eq!(view.state, DraftState::Approved);
            }
        }
        assert_eq!(mailboxes(dovecot, user), before, "{user}: no mailbox is ever made");
    }
}

/// F13: a server that takes leave badly changes nothing of what was placed.
#[tokio::test]
async fn how_a_mailbox_is_left_changes_nothing() {
    for act in [Act::Close, Act::Say("$tag BAD \r\n".to_owned()), Act::Say("garbage\r\n".to_owned())] {
        let server = FakeImap::start().await;
        server.fails("LOGOUT", 1, act);
        let desk = Desk::imap(server.port(), "ada", "drafts = \"Drafts\"", "", 1);
        desk.approve(1);
        assert!(matches!(desk.deliver().await[0].1, Delivered::Placed { .. }));
        assert_eq!((server.heard("LOGOUT"), desk.state(1)), (1, DraftState::Placed));
    }
}

/// E6: what lies in Drafts is the letter to the byte, as a draft and read.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_drafts_is_the_letter_to_the_byte() {
    let Some(dovecot) = Dovecot::start() else { return };
    let server = dovecot.server(Tls::NoneLoopback);
    let desk = Desk::imap(server.port, "to-the-byte", "", "", 1);
    desk.approve(1);
    desk.deliver().await;
    let connected = Session::connect(&server).await.unwrap();
    let mut session = connected.login("to-the-byte", &Secret::new(PASSWORD.to_owned())).await.unwrap();
    session.examine("Drafts").await.unwrap();
    let found = session.fetch(&[1], 1_000_000).await.unwrap();
    assert_eq!(found.messages[0].body.as_ref(), Some(&desk.draft(1).bytes));
    let flags = dovecot.run("to-the-byte", &["EXAMINE Drafts", "UID FETCH 1 (FLAGS)"]);
    assert!(flags.contains("\\Seen") && flags.contains("\\Draft"), "{flags}");
}

/// E1: an APPEND whose end nobody saw, and then a change: what lies there is the person's, nothing is put beside it, and
/// they are told that it says something else.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_got_there_before_it_was_changed_is_left_and_told_of() {
    let Some(dovecot) = Dovecot::start() else { return };
    let server = dovecot.server(Tls::NoneLoopback);
    let letter = |text: &str| format!("Message-ID: <re1@example.net>\r\n\r\n{text}\r\n");
    for (user, there, other_text) in [
        ("older-text", letter("Thanks."), true),
        // The same words, as a server that encodes mail anew keeps them.
        ("same-text", letter("Thank  you.\r\n"), false),
    ] {
        let desk = Desk::imap(server.port, user, "", "", 1);
        desk.approve(1);
        let connected = Session::connect(&server).await.unwrap();
        let mut session = connected.login(user, &Secret::new(PASSWORD.to_owned())).await.unwrap();
        session.append("Drafts", AppendFlags::Draft, there.as_bytes()).await.unwrap();
        let done = desk.deliver().await.remove(0).1;
        assert_eq!(done, Delivered::Placed { mailbox: "Drafts".to_owned(), other_text });
        let view = desk.draft(1);
        assert_eq!((view.state, view.remark.contains("another text")), (DraftState::Placed, other_text));
        assert_eq!(count(dovecot, user, "Drafts"), 1);
        session.examine("Drafts").await.unwrap();
        let found = session.fetch(&[1], 1_000_000).await.unwrap();
        assert_eq!(found.messages[0].body.as_deref(), Some(there.as_bytes()), "{user}");
    }
}
