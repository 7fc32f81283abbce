//! Replies to the byte: what leaves for a certain mail, as files.

use std::path::Path;

use onward::{
    message::{Fetched, Message},
    reply::SenderKind,
};

use super::{Case, address, fact, thread_mail};
use onward::outcome::Stage;

/// Compares bytes with a file, or writes it with `UPDATE_EXPECT=1`.
fn same(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reply").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    let expected = std::fs::read(&path).unwrap_or_default();
    let shown = String::from_utf8_lossy(bytes);
    assert!(expected == bytes, "{name} differs; UPDATE_EXPECT=1 writes it anew:\n{shown}");
    let head = shown.split("\r\n\r\n").next().unwrap();
    assert!(head.split("\r\n").all(|line| line.len() < 998), "{name}: RFC 5322 §2.1.1");
    let names = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])).filter_map(|l| l.split(':').next());
    let allowed = [
        "Date",
        "From",
        "To",
        "Subject",
        "Message-ID",
        "In-Reply-To",
        "References",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];
    let names: Vec<&str> = names.collect();
    assert!(names.iter().all(|name| allowed.contains(name)), "{name}: {names:?}");
}

/// The case with the headers that a mail with these lines is read to have.
fn parsed(head: &str) -> Case {
    let mail = format!(
        "From: Anna Schmidt <anna.schmidt@kestrel.example>\r\nTo: Sam Roe <sam@roe.example>\r\n{head}\r\nUnfortunately.\r\n"
    );
    let mut case = Case::new();
    let read = Message::parse(mail.as_bytes(), Fetched::Whole);
    case.message = Message { hash: [0; 32], blocks: Vec::new(), ..read };
    case
}

#[test]
fn replies_are_these_bytes() {
    same("ordinary.eml", &Case::new().propose().bytes);

    let mut thread = Case::new().sent_by(SenderKind::NoReply).stage(Stage::AfterFinal);
    thread.thread = vec![thread_mail(2, address("Ben Ito", "ben@kestrel.example"), true)];
    same("thread.eml", &thread.propose().bytes);

    let mut other = Case::new();
    other.message.subject = "Ihre Bewerbung als Prüfingenieurin – Rückmeldung zu Ihrem Gespräch in der Straße 5".into();
    other.message.from = vec![address("Jörg Böhm", "j.boehm@kestrel.example")];
    other.facts.signed_by = fact("Jörg Böhm");
    other.facts.language = "de".into();
    other.identities[0].name = "Zoë Łukasz".into();
    same("beyond-ascii.eml", &other.propose().bytes);
}

#[test]
fn ids_of_a_malformed_parent_are_left_out_or_kept_whole() {
    let long = "x".repeat(1_200);
    let subject = "Subject: Your application\r\n";
    same("parent-without-id.eml", &parsed(subject).propose().bytes);
    // An id with spaces, one that is longer than a line may be, and one that would add a header: none of them stands.
    for id in [
        "<a b@kestrel.example>".to_owned(),
        format!("<{long}@kestrel.example>"),
        "<a@kestrel.example\r\n\tBcc: evil@evil.example>".to_owned(),
        "=?utf-8?q?a=0D=0ABcc:_evil?=".to_owned(),
    ] {
        let reply = parsed(&format!("{subject}Message-ID: {id}\r\nReferences: {id}\r\n")).propose().bytes;
        same("parent-without-id.eml", &reply);
    }
    let garbage = format!(
        "{subject}Message-ID: <no@kestrel.example>\r\nReferences: <first@kestrel.example> (comment) garbage <a b@x.example>\r\n \
         <{long}@x.example> <>, <second@kestrel.example\r\n <third@kestrel.example>\r\n"
    );
    same("references-garbage.eml", &parsed(&garbage).propose().bytes);
    // The first and the last twenty of a long thread, the parent the last of them.
    let many: String = (0..60).map(|n| format!("\r\n <{}{n}@kestrel.example>", "r".repeat(200))).collect();
    let reply = parsed(&format!("{subject}Message-ID: <no@kestrel.example>\r\nReferences:{many}\r\n")).propose().bytes;
    let text = String::from_utf8(reply.clone()).unwrap();
    let kept: Vec<String> = [0].into_iter().chain(41..60).map(|n| format!("r{n}@kestrel.example>")).collect();
    assert!(kept.iter().all(|id| text.contains(id)) && !text.contains("r40@") && !text.contains("r1@"), "{text}");
    assert!(text.contains("<no@kestrel.example>"));
    same("long-thread.eml", &reply);
}

/// A name that brings line ends with it passes parsing, drafting and composing as plain text.
#[test]
fn a_name_with_line_ends_adds_no_header() {
    for name in ["=?utf-8?q?HR=0D=0ABcc:_evil?=", "=?utf-8?q?HR=00=0A?=", "=?utf-8?b?SFINCkJjYzogZXZpbEB4?="] {
        let mail = format!(
            "From: {name} <hr@kestrel.example>\r\nTo: sam@roe.example\r\nSubject: {name}\r\nMessage-ID: <a@kestrel.example>\r\n\r\nNo.\r\n"
        );
        let mut case = Case::new();
        case.message = Message::parse(mail.as_bytes(), Fetched::Whole);
        let draft = case.propose();
        let text = String::from_utf8(draft.bytes).unwrap();
        assert!(!text.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{text}");
        assert_eq!(draft.envelope.to.as_deref(), Some("hr@kestrel.example"));
        assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
    }
}
