//! The sample mailbox is what it claims to be, and its server speaks IMAP.

use std::{collections::BTreeSet, time::Duration};

use onward::{
    app::demo::{ANCHOR, Demo, DemoServer, SampleMail, sample},
    config::{Server, Tls},
    io::{
        imap::{AppendFlags, IdleEnd, Session, SpecialUse},
        store::{Filter, OutcomeRow, Store},
    },
    message::MessageId,
    outcome::{Category, Reason, Stage},
    secret::Secret,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// Relays of applicant-tracking systems and job boards that the sample names by their real domains.
const RELAYS: &[&str] = &[
    "ashbyhq.com",
    "hire.lever.co",
    "jobalert.indeed.com",
    "m-personio.de",
    "myworkday.com",
    "myworkdayjobs.com",
    "smartrecruiters.com",
    "successfactors.eu",
    "us.greenhouse-mail.io",
];

fn mails() -> Vec<SampleMail> {
    sample(ANCHOR).unwrap()
}

/// The message with its encodings undone, so that nothing hides in base64.
fn decoded(bytes: &[u8]) -> String {
    let mail = mail_parser::MessageParser::default().parse(bytes).unwrap();
    let bodies = mail.parts.iter().filter_map(|part| part.text_contents());
    bodies.fold(String::from_utf8_lossy(bytes).into_owned(), |all, body| all + "\n" + body)
}

#[test]
fn the_sample_is_36_readable_messages() {
    let mails = mails();
    assert_eq!(mails.len(), 36);
    let mut ids = BTreeSet::new();
    for SampleMail { file, mail } in &mails {
        let parsed = mail_parser::MessageParser::default().parse(&mail.bytes).unwrap();
        assert!(parsed.from().is_some() && parsed.to().is_some() && parsed.subject().is_some(), "{file}");
        assert_eq!(parsed.date().unwrap().to_timestamp(), mail.internal_date.as_second(), "{file}");
        assert!(ids.insert(parsed.message_id().unwrap().to_owned()), "{file}: Message-ID twice");
        let text = (0..).map_while(|part| parsed.body_text(part)).collect::<String>();
        assert!(text.len() > 100 && !text.contains('\u{fffd}'), "{file}: {text}");
        assert!(!mail.bytes.windows(7).any(|w| w == b"X-Demo-"), "{file}: a placeholder is left");
        assert!(mail.bytes.split(|b| *b == b'\n').all(|line| line.len() < 998), "{file}: RFC 5322 2.1.1");
        assert!(mail.internal_date < ANCHOR, "{file}");
    }
    let in_junk: Vec<_> =
        mails.iter().filter(|sample| sample.mail.mailbox == "Junk").map(|sample| sample.file).collect();
    assert_eq!(in_junk, ["10-marrow-interview-in-junk"]);
}

#[test]
fn nobody_in_the_sample_is_real() {
    let domain = regex::Regex::new(r"(?:@|://)([A-Za-z0-9.-]+\.[A-Za-z]{2,})").unwrap();
    let mut seen = 0;
    for SampleMail { file, mail } in mails() {
        for found in domain.captures_iter(&decoded(&mail.bytes)) {
            let host = found[1].to_ascii_lowercase();
            let relay = RELAYS.iter().any(|relay| host == *relay || host.ends_with(&format!(".{relay}")));
            let invented = host.ends_with(".example") || host.ends_with(".test");
            assert!(relay || invented, "{file}: {host}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn the_sample_has_the_shapes_it_promises() {
    let all: Vec<String> = mails().iter().map(|s| String::from_utf8_lossy(&s.mail.bytes).to_lowercase()).collect();
    for (shape, least) in [
        ("multipart/alternative", 6),
        ("content-type: text/html", 8),
        ("content-type: text/calendar", 1),
        ("content-transfer-encoding: quoted-printable", 6),
        ("content-transfer-encoding: base64", 2),
        ("content-transfer-encoding: 8bit", 1),
        ("charset=iso-8859-1", 2),
        ("in-reply-to:", 6),
        ("auto-submitted:", 6),
        ("list-id:", 1),
    ] {
        let have = all.iter().filter(|mail| mail.contains(shape)).count();
        assert!(have >= least, "{shape}: {have}");
    }
}

#[test]
fn every_message_has_an_expectation_in_the_words_of_the_contract() {
    let table: toml::Table = include_str!("../src/app/demo/mail/expected.toml").parse().unwrap();
    let rows = table["mail"].as_array().unwrap();
    let expected: BTreeSet<&str> = rows.iter().map(|row| row["file"].as_str().unwrap()).collect();
    let mails = mails();
    assert_eq!(expected, mails.iter().map(|sample| sample.file).collect(), "expected.toml lists other files");
    let policy: toml::Table = include_str!("../rules/replies.toml").parse().unwrap();
    let decisions: Vec<&str> =
        policy["row"].as_array().unwrap().iter().map(|decision| decision["id"].as_str().unwrap()).collect();
    let mut rejections = 0;
    for row in rows {
        let file = row["file"].as_str().unwrap();
        let text = |key: &str| row.get(key).map(|value| value.as_str().unwrap());
        let category: Category = text("category").unwrap().parse().unwrap();
        assert_eq!(category == Category::Rejection, row.get("draft").is_some(), "{file}: a no has a draft");
        if category == Category::Rejection {
            rejections += 1;
            text("stage").unwrap().parse::<Stage>().unwrap();
            text("reason").unwrap().parse::<Reason>().unwrap();
            let row = row["draft"]["row"].as_str().unwrap();
            assert!(decisions.contains(&row), "{file}: no row `{row}` in rules/replies.toml");
        }
        let mail = &mails.iter().find(|sample| sample.file == file).unwrap().mail;
        assert_eq!(Some(mail.mailbox.as_str()), text("mailbox"), "{file}");
        let words = decoded(&mail.bytes).split_whitespace().collect::<Vec<_>>().join(" ");
        for fact in ["employer", "role", "requisition_id"].into_iter().filter_map(text) {
            assert!(words.contains(fact), "{file}: `{fact}` is not in the mail");
        }
    }
    assert_eq!(rejections, 15);
}

#[test]
fn the_same_anchor_gives_the_same_bytes_and_another_moves_every_date() {
    let bytes = |anchor| sample(anchor).unwrap().into_iter().map(|s| s.mail.bytes).collect::<Vec<_>>();
    assert_eq!(bytes(ANCHOR), bytes(ANCHOR));
    let later = bytes(ANCHOR + jiff::SignedDuration::from_hours(24));
    assert!(bytes(ANCHOR).iter().zip(&later).all(|(a, b)| a != b));
}

async fn server() -> DemoServer {
    DemoServer::start(mails().into_iter().map(|sample| sample.mail).collect()).await.unwrap()
}

/// A client that knows nothing but lines and tags.
struct Client {
    stream: BufReader<TcpStream>,
    tag: u32,
}

impl Client {
    async fn greeted(server: &DemoServer) -> Client {
        let mut client = Client { stream: BufReader::new(TcpStream::connect(server.address()).await.unwrap()), tag: 0 };
        assert!(client.line().await.starts_with("* OK [CAPABILITY IMAP4rev1 "));
        client
    }

    async fn logged_in(server: &DemoServer) -> Client {
        let mut client = Client::greeted(server).await;
        let login = format!("LOGIN {} {}", server.user(), server.password());
        assert!(client.ask(&login).await.contains(" OK "));
        client
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// One line with the literals it announces; empty at the end of the connection.
    async fn line(&mut self) -> String {
        let mut all = Vec::new();
        loop {
            let start = all.len();
            tokio::time::timeout(Duration::from_secs(10), self.stream.read_until(b'\n', &mut all))
                .await
                .unwrap()
                .unwrap();
            let line = String::from_utf8_lossy(&all[start..]).into_owned();
            let Some(length) =
                line.strip_suffix("}\r\n").and_then(|l| l.rsplit_once('{')).and_then(|(_, n)| n.parse().ok())
            else {
                return String::from_utf8_lossy(&all).into_owned();
            };
            let mut literal = vec![0; length];
            self.stream.read_exact(&mut literal).await.unwrap();
            all.extend(literal);
        }
    }

    /// Everything up to and with the tagged line.
    async fn ask(&mut self, command: &str) -> String {
        self.tag += 1;
        let tag = format!("t{} ", self.tag);
        self.send(&format!("{tag}{command}\r\n")).await;
        let mut all = String::new();
        loop {
            let line = self.line().await;
            assert!(!line.is_empty(), "{command}: the connection ended after {all:?}");
            all += &line;
            if line.starts_with(&tag) {
                return all;
            }
        }
    }
}

#[tokio::test]
async fn a_client_can_look_around_and_read() {
    let server = server().await;
    let mut client = Client::logged_in(&server).await;
    for (command, expected) in [
        ("CAPABILITY", &["* CAPABILITY IMAP4rev1", "IDLE", "OK done"][..]),
        ("ID NIL", &["* ID (\"name\"", " OK "]),
        ("NOOP", &["OK done"]),
        ("FETCH 1 UID", &["BAD select a mailbox first"]),
        ("LIST \"\" *", &["* LIST (\\HasNoChildren) \"/\" INBOX", "\\Drafts) \"/\" Drafts", "\\Junk) \"/\" Junk"]),
        ("LIST \"\" \"%\" RETURN (SPECIAL-USE)", &["\\Sent) \"/\" Sent", " OK "]),
        ("LIST \"\" \"\"", &["* LIST (\\Noselect) \"/\" \"\""]),
        ("LSUB \"\" inbox", &["* LSUB (\\HasNoChildren) \"/\" INBOX"]),
        ("STATUS INBOX (MESSAGES UIDNEXT UNSEEN)", &["* STATUS INBOX (MESSAGES 35 UIDNEXT 36 UNSEEN 35)"]),
        ("EXAMINE Nowhere", &[" NO [NONEXISTENT]"]),
        ("EXAMINE inbox", &["* 35 EXISTS", "[UIDVALIDITY 1763000000]", "[UIDNEXT 36]", "OK [READ-ONLY]"]),
        ("UID SEARCH ALL", &["* SEARCH 1 2 3 4 5"]),
        ("SEARCH UID 34:* SINCE 1-Jan-2026", &["* SEARCH 34 35\r\n"]),
        ("UID SEARCH HEADER Message-ID wd.9007.update@myworkday.com", &["* SEARCH 21\r\n"]),
        ("UID SEARCH NOT SINCE 22-Oct-2026 OR SUBJECT pinecone SUBJECT zzz", &["* SEARCH 1\r\n"]),
        ("UID SEARCH BEFORE 1-Jan-2020", &["* SEARCH\r\n"]),
        (
            "UID FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)",
            &["* 1 FETCH (UID 1 FLAGS () INTERNALDATE \"20-Oct-2026 09:02:00 +0000\" RFC822.SIZE "],
        ),
        ("UID FETCH 1 BODY.PEEK[]<0.11>", &["BODY[]<0> \"Date: Tue, \""]),
        (
            "UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (From Nope)])",
            &["BODY[HEADER.FIELDS (From Nope)] {", "From: Pinecone Learning <no-reply@us.greenhouse-mail.io>\r\n\r\n)"],
        ),
        (
            "UID FETCH 1 ENVELOPE",
            &[
                "\"Thank you for applying to Pinecone Learning\" ((\"Pinecone Learning\" NIL \"no-reply\" \"us.greenhouse-mail.io\"))",
            ],
        ),
        (
            "UID FETCH 1 BODYSTRUCTURE",
            &["((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\"", "\"ALTERNATIVE\")"],
        ),
        ("UID FETCH 1 BODY.PEEK[2.MIME]", &["Content-Type: text/html"]),
        ("UID FETCH 1 BODY.PEEK[1]", &["BODY[1] {", "Hi Robin,\r\n"]),
        ("UID FETCH 99 UID", &["OK done"]),
        ("FETCH 1:2 FAST", &["* 1 FETCH (FLAGS ()", "* 2 FETCH (FLAGS ()"]),
        ("UID FETCH 1 BINARY[1]", &["BAD "]),
        ("UID STORE 1 +FLAGS (\\Seen)", &["NO [READ-ONLY]"]),
        ("UID FETCH 1 RFC822", &["RFC822 {", "Date: "]),
        ("COPY 1 Junk", &["NO [CANNOT]"]),
        ("CREATE More", &["NO [CANNOT]"]),
        ("UNSELECT", &["OK done"]),
        ("XYZZY", &[" BAD unknown command"]),
        ("LOGOUT", &["* BYE", " OK logged out"]),
    ] {
        let answer = client.ask(command).await;
        for part in expected {
            assert!(answer.contains(part), "{command}: no {part:?} in {answer}");
        }
    }
    assert_eq!(client.line().await, "");
    server.shutdown().await;
}

#[tokio::test]
async fn reading_under_examine_changes_nothing_and_select_marks_as_read() {
    let server = server().await;
    let before = server.flags_snapshot();
    assert_eq!(before.len(), 36);
    let mut client = Client::logged_in(&server).await;
    client.ask("EXAMINE INBOX").await;
    let all = client.ask("UID FETCH 1:* (UID FLAGS BODY[])").await;
    assert_eq!(all.matches("BODY[] {").count(), 35);
    assert_eq!(server.flags_snapshot(), before);
    client.ask("SELECT INBOX").await;
    client.ask("UID FETCH 2 BODY.PEEK[]").await;
    assert_eq!(server.flags_snapshot(), before);
    assert!(client.ask("UID FETCH 2 BODY[TEXT]").await.contains("FLAGS (\\Seen)"));
    assert!(server.flags_snapshot().iter().any(|of| of.uid == 2 && of.flags == ["\\Seen"]));
    assert!(client.ask("UID STORE 2 -FLAGS (\\Seen)").await.contains("* 2 FETCH (UID 2 FLAGS ())"));
    assert_eq!(server.flags_snapshot(), before);
    server.shutdown().await;
}

#[tokio::test]
async fn sasl_plain_works_with_and_without_initial_response_and_guessing_ends() {
    let server = server().await;
    // NUL robin NUL sample-mailbox
    let right = "AHJvYmluAHNhbXBsZS1tYWlsYm94";
    let mut client = Client::greeted(&server).await;
    assert!(client.ask(&format!("AUTHENTICATE PLAIN {right}")).await.contains(" OK [CAPABILITY"));
    let mut client = Client::greeted(&server).await;
    client.send("a AUTHENTICATE PLAIN\r\n").await;
    assert_eq!(client.line().await, "+ \r\n");
    client.send(&format!("{right}\r\n")).await;
    assert!(client.line().await.starts_with("a OK "));
    let mut client = Client::greeted(&server).await;
    assert!(client.ask("SELECT INBOX").await.contains("NO log in first"));
    for _ in 0..3 {
        assert!(client.ask("LOGIN robin guess").await.contains("NO [AUTHENTICATIONFAILED]"));
    }
    assert!(client.line().await.starts_with("* BYE"));
    server.shutdown().await;
}

#[tokio::test]
async fn an_appended_draft_is_stored_once_found_and_can_be_removed() {
    let server = server().await;
    let mut client = Client::logged_in(&server).await;
    let draft = "Message-ID: <reply-1@mail.example>\r\nSubject: Re: x\r\n\r\nThank you.\r\n";
    client.send(&format!("a APPEND Drafts (\\Draft \\Seen) {{{}}}\r\n", draft.len())).await;
    assert!(client.line().await.starts_with("+ "));
    client.send(&format!("{draft}\r\n")).await;
    assert_eq!(client.line().await, "a OK [APPENDUID 1763000000 1] stored\r\n");
    assert_eq!(server.mailbox_messages("Drafts"), [draft.as_bytes()]);
    let flags = server.flags_snapshot();
    assert!(flags.iter().any(|of| of.mailbox == "Drafts" && of.flags == ["\\Draft", "\\Seen"]));
    client.ask("SELECT Drafts").await;
    assert!(client.ask("UID SEARCH HEADER Message-ID <reply-1@mail.example>").await.contains("* SEARCH 1\r\n"));
    client.ask("UID STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert!(client.ask("EXPUNGE").await.contains("* 1 EXPUNGE\r\n"));
    assert!(server.mailbox_messages("Drafts").is_empty());
    server.shutdown().await;
}

#[tokio::test]
async fn an_idling_client_is_told_of_a_new_message() {
    let server = server().await;
    let mut client = Client::logged_in(&server).await;
    client.ask("EXAMINE INBOX").await;
    for count in [36, 37] {
        client.send("i IDLE\r\n").await;
        assert!(client.line().await.starts_with("+ "));
        let uid = server.deliver("inbox", b"Subject: new\r\n\r\nx\r\n".to_vec()).unwrap();
        assert_eq!(uid, count);
        assert_eq!(client.line().await, format!("* {count} EXISTS\r\n"));
        client.send("DONE\r\n").await;
        assert_eq!(client.line().await, "i OK done\r\n");
    }
    assert!(server.deliver("Nowhere", Vec::new()).is_err());
    client.send("i IDLE\r\n").await;
    assert!(client.line().await.starts_with("+ "));
    server.shutdown().await;
    assert!(client.line().await.starts_with("* BYE"));
    assert_eq!(client.line().await, "");
}

#[tokio::test]
async fn what_is_beyond_the_limits_is_refused_and_the_connection_goes_on() {
    let server = server().await;
    let mut client = Client::logged_in(&server).await;
    assert!(client.ask("APPEND Drafts {1048577}").await.contains("BAD longer than"));
    assert!(
        client
            .ask(&format!("APPEND Drafts {{{}+}}\r\n{}", 1_200_000, "x".repeat(1_200_000)))
            .await
            .contains("BAD longer")
    );
    assert!(client.ask(&format!("UID FETCH 1 {}", "x".repeat(1_200_000))).await.contains("BAD longer"));
    assert!(client.ask("NOOP").await.contains("OK done"));
    assert!(server.mailbox_messages("Drafts").is_empty());
    let mut others = Vec::new();
    for _ in 1..onward::app::demo::server::CONNECTIONS_MAX {
        others.push(Client::greeted(&server).await);
    }
    // One too many waits for a place, and gets it when somebody leaves.
    let mut late = BufReader::new(TcpStream::connect(server.address()).await.unwrap());
    let mut greeting = String::new();
    let early = tokio::time::timeout(Duration::from_millis(50), late.read_line(&mut greeting)).await;
    assert!(early.is_err(), "{greeting}");
    others.pop();
    tokio::time::timeout(Duration::from_secs(10), late.read_line(&mut greeting)).await.unwrap().unwrap();
    assert!(greeting.starts_with("* OK"), "{greeting}");
    // Somebody who speaks another protocol is sent away.
    client.send(&"GET / HTTP/1.1\r\n".repeat(20)).await;
    loop {
        let line = client.line().await;
        if line.starts_with("* BYE") {
            break;
        }
        assert!(line.starts_with("GET BAD"), "{line}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn onwards_own_client_reads_places_and_idles_here() {
    let server = server().await;
    let before = server.flags_snapshot();
    let place = Server {
        host: server.address().ip().to_string(),
        port: server.address().port(),
        tls: Tls::NoneLoopback,
        ca_file: None,
    };
    let login = Session::connect(&place).await.unwrap();
    let mut session = login.login(server.user(), &Secret::new(server.password().to_owned())).await.unwrap();
    assert!(session.special_use().await.unwrap().iter().any(|listed| listed.is(SpecialUse::Drafts)));
    session.examine("INBOX").await.unwrap();
    let uids = session.uids_above(0).await.unwrap();
    assert_eq!(uids.len(), 35);
    let batch = session.fetch(&uids, 65_536).await.unwrap();
    let read: Vec<Vec<u8>> = batch.messages.into_iter().filter_map(|message| message.body).collect();
    assert_eq!(read, server.mailbox_messages("INBOX"));
    assert_eq!(server.flags_snapshot(), before);

    server.deliver("INBOX", b"Subject: new\r\n\r\nx\r\n".to_vec()).unwrap();
    let end = session.idle(Duration::from_secs(10), std::future::pending()).await.unwrap();
    assert!(matches!(end, IdleEnd::Changed), "{end:?}");
    assert_eq!(session.uids_above(35).await.unwrap(), [36]);

    let id = MessageId::new("reply-2@mail.example").unwrap();
    let draft = format!("Message-ID: {id}\r\n\r\nThank you.\r\n");
    assert!(session.find_by_message_id("Drafts", &id).await.unwrap().is_empty());
    session.append("Drafts", AppendFlags::Draft, draft.as_bytes()).await.unwrap();
    assert_eq!(session.find_by_message_id("Drafts", &id).await.unwrap(), [1]);
    session.logout().await;
    server.shutdown().await;
}

/// One entry of `expected.toml`.
#[derive(serde::Deserialize)]
struct Expected {
    file: String,
    category: Category,
    decided: bool,
    stage: Option<Stage>,
    reason: Option<Reason>,
    employer: Option<String>,
    role: Option<String>,
    draft: Option<ExpectedDraft>,
}

#[derive(serde::Deserialize)]
struct ExpectedDraft {
    kind: String,
    row: String,
}

/// The ordinary daemon reads the sample; what it logged is what stands beside the messages.
#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_makes_of_the_sample_what_it_should() {
    let demo = Demo::start().await.unwrap();
    demo.watch().await.unwrap();
    let store = Store::open_to_read(&demo.config.store).unwrap();
    let rows = store.list(&Filter { superseded: true, ..Filter::default() }).unwrap();
    let text = include_str!("../src/app/demo/mail/expected.toml");
    let expected: std::collections::BTreeMap<String, Vec<Expected>> = toml::from_str(text).unwrap();
    let mut wrong = Vec::new();
    let mut names = (0, 0);
    for expected in &expected["mail"] {
        let sample = mails().into_iter().find(|sample| sample.file == expected.file).unwrap();
        let parsed = mail_parser::MessageParser::default().parse(&sample.mail.bytes).unwrap();
        let id = parsed.message_id().unwrap();
        // The first verdict on the mail: a later one may have taken it back.
        let of_mail = |row: &&OutcomeRow| row.mail.as_ref().is_some_and(|m| m.message_id.as_deref() == Some(id));
        let row = rows.iter().filter(of_mail).min_by_key(|row| row.id);
        let found = row.map(|row| row.outcome.clone());
        let category = found.as_ref().map_or(Category::Unrelated, |o| o.category);
        let mut check = |what: &str, fine: bool, got: String| {
            if !fine {
                wrong.push(format!("{}: {what}: {got}", expected.file));
            }
        };
        check("category", category == expected.category, format!("{category}"));
        let Some(outcome) = found else { continue };
        check("decided", outcome.decided == expected.decided, format!("{}", outcome.decided));
        check("stage", expected.stage.is_none_or(|s| s == outcome.stage), format!("{}", outcome.stage));
        check("reason", expected.reason.is_none_or(|r| r == outcome.reason), format!("{}", outcome.reason));
        let draft = store.drafts(&[]).unwrap().into_iter().find(|d| Some(d.outcome) == row.map(|row| row.id));
        let got = draft.map(|d| format!("{} by {}", d.kind, d.row));
        let due = expected.draft.as_ref().map(|d| format!("{} by {}", d.kind, d.row));
        check("draft", got == due, format!("{got:?} instead of {due:?}"));
        for (wanted, got) in [(&expected.employer, &outcome.employer), (&expected.role, &outcome.role)] {
            let fine = match (wanted, got) {
                (Some(wanted), Some(got)) => wanted.contains(got.as_str()) || got.contains(wanted.as_str()),
                (wanted, got) => wanted == got,
            };
            names = (names.0 + usize::from(fine), names.1 + 1);
            if !fine {
                eprintln!("{}: {got:?} instead of {wanted:?}", expected.file);
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(names.0 * 10 >= names.1 * 9, "{} of {} names read", names.0, names.1);
    assert!(demo.server.flags_snapshot().iter().all(|flags| flags.flags.is_empty()), "a flag was set");
}

fn run_demo(temporary: &std::path::Path) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_onward"));
    let done = command.args(["demo", "--yes"]).env("TMPDIR", temporary).env_remove("JOURNAL_STREAM").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_demo_says_the_same_twice_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let first = run_demo(temporary.path());
    assert_eq!(first, run_demo(temporary.path()));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "the demo left a file");
    assert!(!first.contains('\u{1b}'), "no styling where no terminal is");
    assert!(first.contains("The inbox is as it was"), "{first}");
    transcript_is_true(&first);
}

/// The README's transcript is cut from the demo's own output: its lines stand there, in this order, with the lines of the
/// rules as they are.
fn transcript_is_true(output: &str) {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("<!-- transcript:begin -->").unwrap();
    let (transcript, _) = rest.split_once("<!-- transcript:end -->").unwrap();
    let mut lines = output.lines();
    let shown = transcript.lines().filter(|line| !line.starts_with("```") && !line.trim().is_empty());
    let mut count = 0;
    for line in shown.filter(|line| line.trim() != "…" && !line.starts_with("$ ")) {
        assert!(
            lines.any(|out| out.trim_end() == line.trim_end()),
            "the demo does not say in this place: {line} (where a rule moved, write its line into README.md)"
        );
        count += 1;
    }
    assert!(count > 20, "the transcript is gone");
}
