//! Answers no real server gives when a test asks for them.

use std::future::{pending, ready};
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt as _;
use onward::config::Tls;
use onward::io::imap::{AppendFlags, Appended, Deadlines, IdleEnd, ImapError, Kind, Session, SpecialUse};
use onward::message::MessageId;
use onward::sync::Selected;

use super::{log_in, session, session_within, short};
use crate::support::imap_script::{Script, Step, expect, logged_in, send};

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<String, ImapError>> + Send + 'a>>;
/// Whether an error is the one expected.
type Judge = fn(&Kind) -> bool;
type Operation = fn(&mut Session) -> Outcome<'_>;

fn shown<T: std::fmt::Debug>(result: Result<T, ImapError>) -> Result<String, ImapError> {
    result.map(|value| format!("{value:?}"))
}

/// Every operation, and how its command begins.
const OPERATIONS: &[(&str, Operation)] = &[
    ("EXAMINE \"INBOX\"", |s| Box::pin(async { shown(s.examine("INBOX").await) })),
    ("LIST", |s| Box::pin(async { shown(s.list().await) })),
    ("UID SEARCH UID 8:*", |s| Box::pin(async { shown(s.uids_above(7).await) })),
    ("UID SEARCH SINCE 1-Nov-2026", |s| Box::pin(async { shown(s.uids_since(jiff::civil::date(2026, 11, 1)).await) })),
    ("UID FETCH 8 (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.100>)", |s| {
        Box::pin(async { shown(s.fetch(&[8], 100).await) })
    }),
    ("IDLE", |s| Box::pin(async { shown(s.idle(Duration::from_secs(60), pending()).await) })),
    ("APPEND \"Drafts\" (\\Draft \\Seen) {2}", |s| {
        Box::pin(async { shown(s.append("Drafts", AppendFlags::Draft, b"hi").await) })
    }),
    ("NOOP", |s| Box::pin(async { shown(s.noop().await) })),
];

#[tokio::test]
async fn whatever_goes_wrong_is_an_error_and_closes_the_session() {
    let answers: &[(&str, Vec<Step>, Judge)] = &[
        ("NO", vec![send("$tag NO [SERVERBUG] out of order\r\n")], |k| {
            matches!(k, Kind::Refused { code, text } if code.as_deref() == Some("SERVERBUG") && text == "out of order")
                || matches!(k, Kind::NotSupported(_))
        }),
        ("BAD without text", vec![send("$tag BAD \r\n")], |k| {
            matches!(k, Kind::Refused { .. } | Kind::NotSupported(_))
        }),
        ("BYE", vec![send("* BYE shutting down\r\n")], |k| matches!(k, Kind::Bye(text) if text == "shutting down")),
        ("the end of the stream", vec![Step::Close], |k| matches!(k, Kind::Lost | Kind::Network(_))),
        ("the end after data", vec![send("* 3 EXISTS\r\n* SEARCH 9\r\n"), Step::Close], |k| {
            matches!(k, Kind::Lost | Kind::Network(_))
        }),
        ("silence", vec![Step::Stall], |k| matches!(k, Kind::Timeout(_))),
        ("silence after a warning", vec![send("* NO disk is filling up\r\n"), Step::Stall], |k| {
            matches!(k, Kind::Timeout(_))
        }),
        ("another tag", vec![send("X99 OK done\r\n")], |k| matches!(k, Kind::Protocol(_) | Kind::NotSupported(_))),
        ("garbage", vec![send("* secret mail text that is no IMAP\r\n"), Step::Stall], |k| {
            matches!(k, Kind::Protocol(_))
        }),
        (
            "an endless literal",
            vec![send("* 1 FETCH (UID 8 BODY[] {400000000}\r\n"), Step::Stall],
            |k| matches!(k, Kind::Protocol(text) if text.contains("400000000")),
        ),
        (
            "nesting",
            vec![send(&format!("* 1 FETCH {}\r\n", "(".repeat(50_000))), Step::Stall],
            |k| matches!(k, Kind::Protocol(text) if text.contains("nested")),
        ),
        ("a wide character after a code", vec![send("$tag NO [ALERT]é\r\n")], |k| {
            matches!(k, Kind::Refused { .. } | Kind::NotSupported(_))
        }),
    ];
    let attempts = OPERATIONS.iter().flat_map(|operation| answers.iter().map(move |answer| (operation, answer)));
    let attempts = attempts.map(|((command, operation), (what, steps, expected))| async move {
        let mut script = vec![expect(command)];
        script.extend(steps.iter().cloned());
        let stalls = script.iter().any(|step| matches!(step, Step::Stall));
        let deadlines = if stalls { short() } else { Deadlines::default() };
        let (mut session, server) = session_within(deadlines, "", script).await;
        let error = operation(&mut session).await.expect_err(&format!("{command} answered by {what}"));
        assert!(expected(&error.kind), "{command} answered by {what}: {error:?}");
        assert!(!error.to_string().contains("secret mail text"), "{error}");
        assert!(!session.is_open(), "{command} answered by {what}");
        assert!(matches!(session.noop().await.unwrap_err().kind, Kind::Closed));
        server.lines().await;
    });
    futures::stream::iter(attempts).buffer_unordered(16).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn a_cancelled_operation_closes_the_session_too() {
    let (mut session, server) = session("", vec![expect("UID SEARCH"), send("* SEARCH 8 9\r\n"), Step::Stall]).await;
    tokio::select! {
        _ = session.uids_above(7) => panic!("nothing was answered"),
        () = tokio::time::sleep(Duration::from_millis(20)) => {}
    }
    assert!(!session.is_open());
    server.lines().await;
}

#[tokio::test]
async fn untagged_refusals_are_warnings_and_missing_numbers_are_no_zeros() {
    let (mut session, server) = session(
        "",
        vec![
            expect("EXAMINE \"INBOX\""),
            send("* FLAGS (\\Seen)\r\n* NO [ALERT] disk is 90 % full\r\n* BAD tired\r\n* 3 EXISTS\r\n$tag OK done\r\n"),
            expect("EXAMINE \"Entw&APw-rfe\""),
            send(
                "* 5 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n* OK [UIDNEXT 4294967295]\r\n$tag OK [READ-ONLY] done\r\n",
            ),
            expect("EXAMINE"),
            send("$tag OK done\r\n"),
        ],
    )
    .await;
    let bare = session.examine("INBOX").await.unwrap();
    assert_eq!(bare, Selected { uid_validity: None, uid_next: None, exists: 3 });
    let full = session.examine("Entwürfe").await.unwrap();
    assert_eq!(full, Selected { uid_validity: Some(7), uid_next: Some(u32::MAX), exists: 5 });
    assert!(matches!(session.examine("INBOX").await.unwrap_err().kind, Kind::Protocol(_)), "no EXISTS");
    server.lines().await;
}

#[tokio::test]
async fn fetched_messages_are_matched_by_uid() {
    let (mut session, server) = session(
        "",
        vec![
            expect("UID FETCH 2:4,9 ("),
            send(
                "* 1 FETCH (UID 9 INTERNALDATE \" 5-Nov-2026 10:00:00 +0100\" RFC822.SIZE 70 BODY[]<0> {5}\r\nhello)\r\n\
                 * 7 FETCH (FLAGS (\\Seen) UID 3)\r\n\
                 * 8 FETCH (UID 77 RFC822.SIZE 4 BODY[] {4}\r\nelse)\r\n\
                 * 9 FETCH (RFC822.SIZE 4 BODY[] {4}\r\nwho?)\r\n\
                 * 3 FETCH (UID 2 RFC822.SIZE 2 BODY[] NIL)\r\n\
                 * 4 FETCH (UID 4 RFC822.SIZE 2)\r\n\
                 * 4 FETCH (UID 4 BODY[] \"ok\" X-NEW (1 2))\r\n\
                 * 4 FETCH (UID 4 FLAGS (\\Seen))\r\n\
                 * 12 EXISTS\r\n$tag OK done\r\n",
            ),
        ],
    )
    .await;
    let batch = session.fetch(&[9, 4, 3, 2], 5).await.unwrap();
    assert_eq!(batch.missing, [3]);
    let found: Vec<_> = batch.messages.iter().map(|m| (m.uid, m.size, m.body.as_deref())).collect();
    assert_eq!(found, [(9, 70, Some(&b"hello"[..])), (4, 2, Some(b"ok")), (2, 2, None)]);
    assert_eq!(batch.messages[0].internal_date.unwrap().to_string(), "2026-11-05T09:00:00Z");
    assert_eq!(batch.messages.iter().map(|m| m.is_truncated(5)).collect::<Vec<_>>(), [true, false, false]);
    server.lines().await;
}

#[tokio::test]
async fn a_fetch_that_is_refused_half_way_is_no_short_list() {
    let (mut session, server) = session(
        "",
        vec![
            expect("UID FETCH 1:2"),
            send("* 1 FETCH (UID 1 RFC822.SIZE 2 BODY[] {2}\r\nhi)\r\n$tag NO [UNAVAILABLE] later\r\n"),
        ],
    )
    .await;
    let error = session.fetch(&[1, 2], 100).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Refused { .. }), "{error}");
    server.lines().await;
}

#[tokio::test]
async fn batches_are_asked_for_ahead_and_told_apart_in_whatever_order_they_come() {
    let (mut session, server) = session(
        "",
        vec![
            expect("UID FETCH 1:2"),
            expect("UID FETCH 3"),
            send(
                "* 1 FETCH (UID 1 RFC822.SIZE 2 BODY[] {2}\r\nhi)\r\n* 3 FETCH (UID 3 RFC822.SIZE 2 BODY[] {2}\r\nyo)\r\n\
                 $tag OK done\r\n* 2 FETCH (UID 2 RFC822.SIZE 2 BODY[] {2}\r\nho)\r\n$before OK done\r\n",
            ),
            expect("NOOP"),
            send("$tag OK done\r\n"),
        ],
    )
    .await;
    let mut fetching = session.fetching().unwrap();
    fetching.ask(&[1, 2], 100).await.unwrap();
    fetching.ask(&[3], 100).await.unwrap();
    assert_eq!(fetching.under_way(), 2);
    let mut batches = Vec::new();
    while let Some(batch) = fetching.next().await.unwrap() {
        assert_eq!(batch.missing, [0; 0]);
        batches.push(batch.messages.into_iter().map(|m| (m.uid, m.body.unwrap())).collect::<Vec<_>>());
    }
    assert_eq!(batches, [vec![(1, b"hi".to_vec()), (2, b"ho".to_vec())], vec![(3, b"yo".to_vec())]]);
    fetching.end();
    session.noop().await.unwrap();
    server.lines().await;
}

#[tokio::test]
async fn a_batch_that_was_asked_for_and_not_read_takes_the_connection_along() {
    let (mut session, server) = session("", vec![expect("UID FETCH 1"), Step::Stall]).await;
    let mut fetching = session.fetching().unwrap();
    fetching.ask(&[1], 100).await.unwrap();
    fetching.end();
    assert!(!session.is_open());
    server.lines().await;
}

#[tokio::test]
async fn a_slow_literal_is_waited_for_as_long_as_bytes_come() {
    let mut steps = vec![expect("UID FETCH"), send("* 1 FETCH (UID 1 RFC822.SIZE 8 BODY[] {8}\r\n")];
    // Together they take longer than the time without progress.
    steps.extend((0..8).flat_map(|_| [Step::Pause(short().progress / 4), send("x")]));
    steps.push(send(")\r\n$tag OK done\r\n"));
    let (mut session, server) = session_within(short(), "", steps).await;
    assert_eq!(session.fetch(&[1], 100).await.unwrap().messages[0].body.as_deref(), Some(&b"xxxxxxxx"[..]));
    server.lines().await;
}

#[tokio::test]
async fn searches_are_filtered_and_sorted() {
    let (mut session, server) = session(
        "",
        vec![
            expect("UID SEARCH UID 8:*"),
            send("* SEARCH 12 9\r\n* 4 EXISTS\r\n* SEARCH 9 7 0\r\n$tag OK done\r\n"),
            expect("UID SEARCH UID 100:*"),
            send("* SEARCH 12\r\n$tag OK done\r\n"),
            expect("UID SEARCH UID 13:*"),
            send("* SEARCH\r\n$tag OK done\r\n"),
        ],
    )
    .await;
    assert_eq!(session.uids_above(7).await.unwrap(), [9, 12]);
    assert_eq!(session.uids_above(99).await.unwrap(), [0_u32; 0], "`n:*` holds the last message whatever n is");
    assert_eq!(session.uids_above(12).await.unwrap(), [0_u32; 0]);
    assert_eq!(session.uids_above(u32::MAX).await.unwrap(), [0_u32; 0], "nothing is above, nothing is asked");
    server.lines().await;
}

#[tokio::test]
async fn nothing_of_ours_can_end_a_line() {
    for hostile in ["INBOX\r\nZ1 DELETE \"INBOX\"", "a\0b", &"x".repeat(600)] {
        let (mut session, server) = session("", vec![Step::Stall]).await;
        assert!(matches!(session.examine(hostile).await.unwrap_err().kind, Kind::Argument(_)));
        let lines = server.lines().await;
        assert!(lines.iter().all(|line| !line.contains("EXAMINE") && !line.contains("DELETE")), "{lines:?}");
    }
    let id = MessageId::new(r#"<a"b\c@example.org>"#).unwrap();
    let (mut session, server) = session(
        "",
        vec![
            expect("EXAMINE"),
            send("* 0 EXISTS\r\n$tag OK done\r\n"),
            expect(r#"UID SEARCH HEADER Message-ID "<a\"b\\c@example.org>""#),
            send("* SEARCH 3\r\n$tag OK done\r\n"),
        ],
    )
    .await;
    assert_eq!(session.find_by_message_id("Sent", &id).await.unwrap(), [3]);
    server.lines().await;
}

#[tokio::test]
async fn news_before_the_plus_is_not_lost() {
    for early in ["* 4 EXISTS\r\n", "* 1 EXPUNGE\r\n", "* 2 FETCH (FLAGS (\\Seen))\r\n", "* 1 RECENT\r\n"] {
        let steps = vec![
            expect("IDLE"),
            send(early),
            send("+ idling\r\n"),
            Step::ExpectLine("DONE".to_owned()),
            send("$tag OK done\r\n"),
        ];
        let (mut session, server) = session("IDLE", steps).await;
        assert!(session.can("idle"));
        assert_eq!(session.idle(Duration::from_secs(60), pending()).await.unwrap(), IdleEnd::Changed, "{early}");
        assert!(session.is_open());
        server.lines().await;
    }
}

#[tokio::test]
async fn idle_ends_by_news_by_the_caller_and_by_its_deadline() {
    let idling = |after: &str, done: &str| {
        vec![
            expect("IDLE"),
            send("* OK Still here\r\n+ idling\r\n* OK Still here\r\n"),
            send(after),
            Step::ExpectLine("DONE".to_owned()),
            send(done),
        ]
    };
    let far = Duration::from_secs(60);
    let near = Duration::from_millis(50);
    let (mut waiting, server) = session("", idling("* 4 EXISTS\r\n", "$tag OK done\r\n")).await;
    assert_eq!(waiting.idle(far, pending()).await.unwrap(), IdleEnd::Changed);
    server.lines().await;
    let (mut waiting, server) = session("", idling("", "$tag OK done\r\n")).await;
    assert_eq!(waiting.idle(far, ready(())).await.unwrap(), IdleEnd::Stopped);
    server.lines().await;
    // Keepalives do not prolong it.
    let (mut waiting, server) = session("", idling("* OK Still here\r\n", "$tag OK done\r\n")).await;
    assert_eq!(waiting.idle(near, pending()).await.unwrap(), IdleEnd::Deadline);
    server.lines().await;
    let (mut waiting, server) = session("", idling("", "* 5 EXISTS\r\n$tag OK done\r\n")).await;
    assert_eq!(waiting.idle(near, pending()).await.unwrap(), IdleEnd::Changed, "news behind DONE");
    server.lines().await;
}

#[tokio::test]
async fn an_idle_that_does_not_end_well_is_an_error() {
    let begun = |rest: Vec<Step>| [vec![expect("IDLE"), send("+ idling\r\n")], rest].concat();
    let done = Step::ExpectLine("DONE".to_owned());
    let cases: &[(Vec<Step>, Judge)] = &[
        (begun(vec![Step::Close]), |k| matches!(k, Kind::Lost)),
        (begun(vec![send("* BYE timeout\r\n")]), |k| matches!(k, Kind::Bye(_))),
        (begun(vec![done.clone(), Step::Stall]), |k| matches!(k, Kind::Timeout(_))),
        (begun(vec![done.clone(), send("$tag BAD what?\r\n")]), |k| matches!(k, Kind::NotSupported(_))),
        (begun(vec![done, Step::Close]), |k| matches!(k, Kind::Lost)),
        (begun(vec![send("$tag NO not here\r\n")]), |k| matches!(k, Kind::NotSupported(_))),
    ];
    for (steps, expected) in cases {
        let (mut session, server) = session_within(short(), "", steps.clone()).await;
        let error = session.idle(Duration::from_millis(80), pending()).await.unwrap_err();
        assert!(expected(&error.kind), "{error:?} after {steps:?}");
        assert!(!session.is_open());
        server.lines().await;
    }
}

#[tokio::test]
async fn append_waits_its_turn_and_reports_where_the_message_went() {
    let placed = Appended { uid_validity: Some(7), uid: Some(42) };
    let nowhere = Appended { uid_validity: None, uid: None };
    let waiting = |answer: &str| {
        let command = expect("APPEND \"Drafts\" (\\Draft \\Seen) {5}");
        vec![command, send("* 5 EXISTS\r\n* OK busy\r\n+ go\r\n"), Step::Take(7), send(answer)]
    };
    for (capabilities, steps, expected) in [
        ("UIDPLUS", waiting("* 6 EXISTS\r\n$tag OK [APPENDUID 7 42] done\r\n"), placed),
        ("", waiting("$tag OK done\r\n"), nowhere),
        (
            "LITERAL+",
            vec![
                expect("APPEND \"Drafts\" (\\Draft \\Seen) {5+}"),
                Step::Take(7),
                send("$tag OK [APPENDUID 7 42]\r\n"),
            ],
            placed,
        ),
    ] {
        let (mut session, server) = session(capabilities, steps).await;
        assert_eq!(session.append("Drafts", AppendFlags::Draft, b"draft").await.unwrap(), expected);
        assert!(session.is_open());
        server.lines().await;
    }
}

#[tokio::test]
async fn the_reason_of_a_refused_append_is_told() {
    for (text, expected) in [("[TRYCREATE] no such mailbox", "TRYCREATE"), ("[OVERQUOTA] full", "OVERQUOTA")] {
        for before in [true, false] {
            let answer = send(&format!("$tag NO {text}\r\n"));
            let steps = if before {
                vec![expect("APPEND"), answer]
            } else {
                vec![expect("APPEND"), send("+\r\n"), Step::Take(4), answer]
            };
            let (mut session, server) = session("", steps).await;
            let error = session.append("Drafts", AppendFlags::Sent, b"hi").await.unwrap_err();
            assert!(matches!(&error.kind, Kind::Refused { code: Some(code), .. } if code == expected), "{error:?}");
            assert!(error.to_string().contains(expected), "{error}");
            server.lines().await;
        }
    }
}

#[tokio::test]
async fn special_uses_are_read_and_names_decoded() {
    let (mut session, server) = session(
        "SPECIAL-USE LIST-EXTENDED",
        vec![
            expect("LIST \"\" \"*\" RETURN (SPECIAL-USE)"),
            send(
                "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\HasNoChildren \\Drafts) \"/\" \"Entw&APw-rfe\"\r\n\
                 * LIST (\\Noselect \\All) \"/\" \"[Gmail]\"\r\n* LIST (\\Sent) \"/\" {4}\r\nSent\r\n\
                 * LIST (\\Junk) \"/\" \"a\\\"b\\\\c\"\r\n* LIST (\\Trash) \"/\" \"broken &name\"\r\n$tag OK done\r\n",
            ),
        ],
    )
    .await;
    let listed = session.special_use().await.unwrap();
    let names: Vec<_> = listed.iter().map(|mailbox| mailbox.name.as_str()).collect();
    assert_eq!(names, ["Entwürfe", "Sent", r#"a"b\c"#], "one that cannot be opened or named again is left out");
    assert!(listed[0].is(SpecialUse::Drafts) && !listed[0].is(SpecialUse::Sent));
    server.lines().await;
}

#[tokio::test]
async fn refused_logins_are_told_apart_from_busy_servers() {
    // answer, wrong password, waits
    let answers: &[(&str, bool, bool)] = &[
        ("$tag NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", true, false),
        ("$tag NO [ALERT] Invalid credentials (Failure)\r\n", true, false),
        ("$tag NO Login failed\r\n", true, false),
        ("$tag NO [UNAVAILABLE] Backend down\r\n", false, false),
        ("$tag NO [LIMIT] Too many sessions\r\n", false, true),
        ("$tag NO [ALERT] Too many simultaneous connections. (Failure)\r\n", false, true),
        ("$tag BAD Request is throttled. Suggested Backoff Time: 201317 milliseconds\r\n", false, true),
        ("* BYE too many connections from your address\r\n", false, true),
    ];
    for (answer, wrong, waits) in answers {
        let mut steps = logged_in("");
        steps.truncate(4);
        steps.push(send(answer));
        let server = Script::start(steps).await;
        let error = log_in(&server, short()).await.unwrap_err();
        assert_eq!((error.is_authentication(), error.retry_after().is_some()), (*wrong, *waits), "{answer}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("hun"), "{error:?}");
        server.lines().await;
    }
    for last in [Step::Close, Step::Stall] {
        let mut steps = logged_in("");
        steps.truncate(4);
        steps.push(last);
        let server = Script::start(steps).await;
        assert!(!log_in(&server, short()).await.unwrap_err().is_authentication());
        server.lines().await;
    }
}

#[tokio::test]
async fn the_login_a_server_offers_is_the_one_that_is_used() {
    let plain = "AGFubkBleGFtcGxlLm9yZwBodW4gdGVyMg==";
    let script = |offered: &str, login: Vec<Step>| {
        let capability = send(&format!("* CAPABILITY IMAP4rev1 {offered}\r\n$tag OK done\r\n"));
        let before = vec![send("* OK [CAPABILITY IMAP4rev1 IDLE] hi\r\n"), expect("CAPABILITY"), capability];
        let after = vec![
            send("$tag OK [CAPABILITY IMAP4rev1] in\r\n"),
            expect("CAPABILITY"),
            send("* CAPABILITY IMAP4rev1 ID\r\n$tag OK done\r\n"),
            expect("ID (\"name\" \"onward\""),
            send("* ID NIL\r\n$tag BAD no such command\r\n"),
        ];
        [before, login, after].concat()
    };
    for (offered, login) in [
        ("AUTH=PLAIN SASL-IR", vec![expect(&format!("AUTHENTICATE PLAIN {plain}"))]),
        (
            "AUTH=PLAIN LOGINDISABLED",
            vec![expect("AUTHENTICATE PLAIN"), send("+ \r\n"), Step::ExpectLine(plain.to_owned())],
        ),
        ("IDLE", vec![expect("LOGIN \"ann@example.org\" \"hun ter2\"")]),
    ] {
        let server = Script::start(script(offered, login)).await;
        let session = log_in(&server, short()).await.unwrap();
        assert!(session.can("ID") && !session.can("IDLE"), "what counts is what is said after the login");
        server.lines().await;
    }
    let capability = send("* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n$tag OK done\r\n");
    let server = Script::start(vec![send("* OK hi\r\n"), expect("CAPABILITY"), capability, Step::Stall]).await;
    assert!(matches!(log_in(&server, short()).await.unwrap_err().kind, Kind::NotSupported(_)));
    assert_eq!(server.lines().await.len(), 1, "no password was sent");
}

#[tokio::test]
async fn bad_greetings_end_the_attempt() {
    let greetings: &[(Vec<Step>, Judge)] = &[
        (vec![send("* BYE overloaded\r\n")], |k| matches!(k, Kind::Bye(_))),
        (vec![send("* PREAUTH welcome\r\n")], |k| matches!(k, Kind::Unprotected(_))),
        (vec![send("220 mail.example.org ESMTP\r\n"), Step::Stall], |k| matches!(k, Kind::Protocol(_))),
        (vec![Step::Close], |k| matches!(k, Kind::Lost)),
        (vec![Step::Stall], |k| matches!(k, Kind::Timeout(_))),
    ];
    for (steps, expected) in greetings {
        let server = Script::start(steps.clone()).await;
        let error = Session::connect_within(&server.server(Tls::NoneLoopback), short()).await.unwrap_err();
        assert!(expected(&error.kind), "{error:?}");
        server.lines().await;
    }
}

#[tokio::test]
async fn a_line_without_end_is_not_read_to_its_end() {
    let server = Script::start(vec![send(&"x".repeat(1_100_000)), Step::Stall]).await;
    let error = Session::connect(&server.server(Tls::NoneLoopback)).await.unwrap_err();
    assert!(matches!(&error.kind, Kind::Protocol(text) if text.contains("longer than")), "{error:?}");
    server.lines().await;
}

#[tokio::test]
async fn starttls_is_demanded_and_nothing_can_be_slipped_in() {
    let greeted = |answer: &str| vec![send("* OK hi\r\n"), expect("STARTTLS"), send(answer), Step::Stall];
    let cases: &[(Vec<Step>, Judge)] = &[
        (vec![send("* PREAUTH welcome\r\n"), Step::Stall], |k| matches!(k, Kind::Unprotected(_))),
        (greeted("$tag NO not today\r\n"), |k| matches!(k, Kind::Unprotected(_))),
        (greeted("$tag BAD what?\r\n"), |k| matches!(k, Kind::Unprotected(_))),
        (greeted("$tag OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"), |k| matches!(k, Kind::Unprotected(_))),
        (greeted("* BYE no\r\n"), |k| matches!(k, Kind::Bye(_))),
        (greeted(""), |k| matches!(k, Kind::Timeout(_))),
    ];
    for (steps, expected) in cases {
        let server = Script::start(steps.clone()).await;
        let error = Session::connect_within(&server.server(Tls::StartTls), short()).await.unwrap_err();
        assert!(expected(&error.kind), "{error:?}");
        let lines = server.lines().await;
        assert!(lines.iter().all(|line| line.ends_with("STARTTLS")), "{lines:?}");
    }
}

#[tokio::test]
async fn logout_never_fails_and_never_hangs() {
    for last in [send("* BYE bye\r\n$tag OK done\r\n"), Step::Close, Step::Stall] {
        let (session, server) = session_within(short(), "", vec![expect("LOGOUT"), last]).await;
        session.logout().await;
        server.lines().await;
    }
}
