//! The same client against Dovecot.

use std::future::{pending, ready};
use std::time::Duration;

use onward::config::Tls;
use onward::io::imap::{AppendFlags, IdleEnd, ImapError, Kind, Phase, Session, SpecialUse};
use onward::io::tls::TlsError;
use onward::message::MessageId;
use onward::secret::Secret;
use onward::sync::{Cursor, LookBack, SyncPlan, Void, plan};

use crate::support::certificates::certificates;
use crate::support::dovecot::{Dovecot, PASSWORD};

/// Longer than Dovecot's half second of gathering news.
const NEWS_WITHIN: Duration = Duration::from_secs(20);

async fn log_in(dovecot: &Dovecot, tls: Tls, user: &str, password: &str) -> Result<Session, ImapError> {
    Session::connect(&dovecot.server(tls)).await?.login(user, &Secret::new(password.to_owned())).await
}

fn mail(n: usize, body: &str) -> Vec<u8> {
    format!(
        "From: HR <hr@example.com>\r\nTo: ann@example.org\r\nSubject: Number {n}\r\nMessage-ID: <{n}@example.com>\r\n\
         Date: Thu, 5 Nov 2026 10:00:00 +0100\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_in_by_every_protection_and_refuses_what_it_must() {
    let Some(dovecot) = Dovecot::start() else { return };
    for tls in [Tls::Implicit, Tls::StartTls, Tls::NoneLoopback] {
        let mut session = log_in(dovecot, tls, "login", PASSWORD).await.unwrap();
        assert!(session.can("IDLE") && session.can("UIDPLUS"), "capabilities after the login");
        session.noop().await.unwrap();
        session.logout().await;
        let error = log_in(dovecot, tls, "login", "wrong").await.unwrap_err();
        assert!(error.is_authentication() && error.phase == Phase::Login, "{error:?}");
        assert!(!error.to_string().contains("wrong\""), "{error}");
    }
    let password = "pä\"ss\\wörd";
    assert!(log_in(dovecot, Tls::Implicit, "login", password).await.unwrap_err().is_authentication());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_authority_is_refused_before_the_password() {
    let Some(dovecot) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let ca_file = dir.path().join("other.pem");
    std::fs::write(&ca_file, certificates(&["localhost"]).ca).unwrap();
    for tls in [Tls::Implicit, Tls::StartTls] {
        let mut server = dovecot.server(tls);
        server.ca_file = Some(ca_file.clone());
        let error = Session::connect(&server).await.unwrap_err();
        assert!(matches!(&error.kind, Kind::Tls(TlsError::UnknownIssuer(_))), "{error}");
    }
    // IMAP where TLS is expected.
    let mut server = dovecot.server(Tls::Implicit);
    server.port = dovecot.server(Tls::StartTls).port;
    let error = Session::connect(&server).await.unwrap_err();
    assert!(error.to_string().contains("`port` and `tls`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_without_a_trace() {
    let Some(dovecot) = Dovecot::start() else { return };
    for n in 1..=5 {
        dovecot.deliver("reader", &mail(n, "Thank you for your application."));
    }
    dovecot.deliver("reader", &mail(6, &"long line\r\n".repeat(20_000)));
    let look = ["EXAMINE INBOX", "UID FETCH 1:* (UID FLAGS)"];
    let before = dovecot.run("reader", &look);

    let mut session = log_in(dovecot, Tls::Implicit, "reader", PASSWORD).await.unwrap();
    let selected = session.examine("INBOX").await.unwrap();
    assert_eq!((selected.exists, selected.uid_next), (6, Some(7)));
    let uids = session.uids_above(0).await.unwrap();
    assert_eq!(uids, [1, 2, 3, 4, 5, 6]);
    assert_eq!(session.uids_above(4).await.unwrap(), [5, 6]);
    assert_eq!(session.uids_above(6).await.unwrap(), [0_u32; 0]);
    let today = jiff::Zoned::now().date();
    assert_eq!(session.uids_since(today.yesterday().unwrap()).await.unwrap(), uids);
    assert_eq!(session.uids_since(today.tomorrow().unwrap().tomorrow().unwrap()).await.unwrap(), [0_u32; 0]);

    let batch = session.fetch(&[6, 1, 99], 65_536).await.unwrap();
    assert_eq!(batch.missing, [99]);
    let [long, short] = batch.messages.as_slice() else { panic!("two messages") };
    assert_eq!((long.uid, short.uid), (6, 1), "in the order asked for");
    assert_eq!(long.body.as_ref().unwrap().len(), 65_536);
    assert!(long.is_truncated(65_536) && long.size > 200_000);
    let text = String::from_utf8(short.body.clone().unwrap()).unwrap();
    assert!(text.contains("Subject: Number 1\r\n") && text.ends_with("application.\r\n"));
    assert_eq!(short.size as usize, text.len());
    let age = jiff::Timestamp::now().duration_since(short.internal_date.unwrap());
    assert!(age.as_secs().abs() < 600, "{age:?}");
    session.logout().await;

    assert_eq!(dovecot.run("reader", &look), before, "flags and UIDs are as they were");
    assert!(before.contains("FLAGS ()") || before.contains("FLAGS (\\Recent)"), "{before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hears_of_new_mail_and_of_being_wanted_elsewhere() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.deliver("waiter", &mail(1, "hello"));
    let mut session = log_in(dovecot, Tls::Implicit, "waiter", PASSWORD).await.unwrap();
    session.examine("INBOX").await.unwrap();
    let delivery = tokio::task::spawn_blocking(|| dovecot.deliver("waiter", &mail(2, "news")));
    assert_eq!(session.idle(NEWS_WITHIN, pending()).await.unwrap(), IdleEnd::Changed);
    delivery.await.unwrap();
    // The delivery before IDLE began may have been the news; what counts is that asking finds it.
    assert_eq!(session.uids_above(1).await.unwrap(), [2]);
    assert_eq!(session.idle(NEWS_WITHIN, ready(())).await.unwrap(), IdleEnd::Stopped);
    assert_eq!(session.idle(Duration::from_millis(100), pending()).await.unwrap(), IdleEnd::Deadline);

    let kick = tokio::task::spawn_blocking(|| dovecot.doveadm(&["kick", "waiter"]));
    let error = session.idle(NEWS_WITHIN, pending()).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Bye(_) | Kind::Lost), "{error:?}");
    kick.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn places_a_draft_and_finds_it_again() {
    let Some(dovecot) = Dovecot::start() else { return };
    let mut session = log_in(dovecot, Tls::StartTls, "writer", PASSWORD).await.unwrap();
    let special = session.special_use().await.unwrap();
    let drafts = special.iter().find(|mailbox| mailbox.is(SpecialUse::Drafts)).unwrap().name.clone();
    let id = MessageId::new("<42@example.com>").unwrap();
    assert_eq!(session.find_by_message_id(&drafts, &id).await.unwrap(), [0_u32; 0]);
    // One that is sent at once, and one the server must agree to.
    for (body, n) in [("short".to_owned(), 1), ("long line\r\n".repeat(10_000), 2)] {
        let bytes = mail(42, &body);
        let appended = session.append(&drafts, AppendFlags::Draft, &bytes).await.unwrap();
        assert_eq!(appended.uid, Some(n));
        let found = session.find_by_message_id(&drafts, &id).await.unwrap();
        assert_eq!(found.last(), appended.uid.as_ref());
        let selected = session.examine(&drafts).await.unwrap();
        assert_eq!(selected.uid_validity, appended.uid_validity);
        let batch = session.fetch(&[n], 1_000_000).await.unwrap();
        assert_eq!(batch.messages[0].body.as_deref(), Some(bytes.as_slice()), "to the byte");
    }
    let flags = dovecot.run("writer", &["EXAMINE Drafts", "UID FETCH 1 (FLAGS)"]);
    assert!(flags.contains("\\Seen") && flags.contains("\\Draft"), "{flags}");

    let error = session.append("Nowhere", AppendFlags::Draft, b"x").await.unwrap_err();
    assert!(matches!(&error.kind, Kind::Refused { code: Some(code), .. } if code == "TRYCREATE"), "{error:?}");
    assert!(!session.is_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_mailboxes_whose_names_are_not_ascii() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.run("names", &["CREATE \"Entw&APw-rfe\"", "CREATE \"R&-D/&ZeVnLIqe-\""]);
    let mut session = log_in(dovecot, Tls::Implicit, "names", PASSWORD).await.unwrap();
    let names: Vec<String> = session.list().await.unwrap().into_iter().map(|mailbox| mailbox.name).collect();
    for name in ["INBOX", "Entwürfe", "R&D/日本語"] {
        assert!(names.iter().any(|listed| listed == name), "{name} in {names:?}");
        assert_eq!(session.examine(name).await.unwrap().exists, 0);
    }
    let error = session.examine("Missing").await.unwrap_err();
    assert!(matches!(error.kind, Kind::Refused { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_that_a_mailbox_was_renumbered() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.deliver("moved", &mail(1, "hello"));
    let look_back = LookBack { first: None, again: jiff::civil::date(2026, 1, 1) };
    let mut session = log_in(dovecot, Tls::Implicit, "moved", PASSWORD).await.unwrap();
    let selected = session.examine("INBOX").await.unwrap();
    let cursor = selected.cursor_at_end(1);
    assert_eq!(plan(Some(cursor), &selected, look_back), SyncPlan::Nothing);
    session.logout().await;

    dovecot.doveadm(&[
        "mailbox",
        "update",
        "-u",
        "moved",
        "--uid-validity",
        "4242",
        "--min-next-uid",
        "4294967290",
        "INBOX",
    ]);
    dovecot.deliver("moved", &mail(2, "hello"));
    let mut session = log_in(dovecot, Tls::Implicit, "moved", PASSWORD).await.unwrap();
    let selected = session.examine("INBOX").await.unwrap();
    let void = Void::UidValidity { was: cursor.uid_validity, is: 4242 };
    let reread = SyncPlan::Reread { why: void, since: look_back.again };
    assert_eq!(plan(Some(cursor), &selected, look_back), reread);
    let high = *session.uids_above(1).await.unwrap().last().unwrap();
    assert!(high >= 4_294_967_290, "{high}");
    assert_eq!(session.fetch(&[high], 100).await.unwrap().messages[0].uid, high);
    assert_eq!(selected.cursor_at_end(high), Cursor { uid_validity: 4242, last_uid: high });
}
