//! What is fuzzed: each function takes any bytes, panics where a promise is broken, and gives a number that tells apart
//! inputs that reached something else. Used by libFuzzer (`fuzz_targets/`) and by the test suite (`tests/fuzz.rs`).
//!
//! It must not read a clock, a file or chance: the same bytes always do the same.

use std::{collections::BTreeSet, path::Path, time::Duration};

use onward::{
    clean,
    config::{self, Env, Unchecked},
    io::imap::{AppendFlags, Deadlines, Session, decode_mailbox, encode_mailbox},
    message::{Address, Fetched, LINKS_MAX, Message, MessageId, REFERENCES_MAX},
    reply::{
        Addressee,
        compose::{Parts, compose as composed, literal, references},
    },
    rules::{self, Layer, Source},
};
use tokio::io::{AsyncWriteExt as _, split};

/// How much text may come of a mail, as a multiple of its bytes: a charset may make three bytes of one, and the text of
/// a mail inside stands there twice.
const TEXT_TIMES_MAX: usize = 8;
/// Text that may come of the smallest mail, in bytes.
const TEXT_FLOOR: usize = 64 * 1024;
/// Largest rule file or configuration that is tried, in bytes: time is better spent on many small ones.
const FILE_BYTES: usize = 16 * 1024;

/// Whether a character steers what shows it.
fn steers(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

fn assert_line(text: &str) {
    assert!(!text.chars().any(|c| steers(c) || c == '\n' || c == '\t'), "a line that is none: {text:?}");
}

/// Parsing a mail: total, cleaned, bounded, for the whole and for a part of it.
pub fn message(data: &[u8]) -> u64 {
    let mut reached = 0;
    for fetched in [Fetched::Whole, Fetched::Part] {
        let message = Message::parse(data, fetched);
        let outer = [&message];
        for message in outer.into_iter().chain(message.inside.as_deref()) {
            sound(message, data.len());
        }
        reached = message.defects.len() as u64
            + 16 * message.blocks.iter().map(|block| block.zone.as_str()).collect::<BTreeSet<_>>().len() as u64
            + 256 * u64::from(message.forwarded.is_some())
            + 512 * u64::from(message.inside.is_some())
            + 1024 * u64::from(message.calendar.is_some())
            + 2048 * (message.blocks.len() as u64).ilog2_or_zero()
            + (message.defects.iter().map(|defect| defect.as_str().len() as u64).sum::<u64>() << 20);
    }
    reached
}

trait Magnitude {
    fn ilog2_or_zero(self) -> u64;
}

impl Magnitude for u64 {
    fn ilog2_or_zero(self) -> u64 {
        self.checked_ilog2().map_or(0, u64::from)
    }
}

fn sound(message: &Message, bytes: usize) {
    assert_line(&message.subject);
    for address in message.from.iter().chain(&message.to).chain(&message.reply_to) {
        assert_line(&address.name);
        assert_line(&address.email);
        assert!(!address.email.contains(['<', '>', '"', ' ']), "{address:?}");
    }
    assert!(message.references.len() <= REFERENCES_MAX && message.link_hosts.len() <= LINKS_MAX);
    message.link_hosts.iter().for_each(|host| assert_line(host));
    let text: usize = message.blocks.iter().map(|block| block.text.len()).sum();
    assert!(text <= bytes * TEXT_TIMES_MAX + TEXT_FLOOR, "{text} bytes of text came of {bytes}");
    for block in &message.blocks {
        assert!(!block.text.is_empty() && !block.text.chars().any(steers), "{block:?}");
    }
}

/// Cleaning text, and names of mailboxes on the wire.
pub fn text(data: &[u8]) -> u64 {
    let given = String::from_utf8_lossy(data);
    let line = clean::line(&given);
    assert_line(&line);
    assert!(line.chars().count() <= clean::HEADER_CHARS_MAX + 1);
    assert_eq!(clean::line(&line), line, "what is clean stays as it is");
    let text = clean::text(&given);
    assert!(!text.chars().any(steers), "{text:?}");
    assert_eq!(clean::text(&text), text, "what is clean stays as it is");
    assert!(text.len() <= given.len());
    assert_eq!(decode_mailbox(&encode_mailbox(&given)), given, "a name survives the wire");
    decode_mailbox(&encode_mailbox(&decode_mailbox(&given)));
    u64::from(line == given) + 2 * u64::from(text == given) + 4 * (text.len() as u64).ilog2_or_zero()
}

/// Loading a rule file: never a panic, and each problem has a place in it. What is good can be laid out.
pub fn rules(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data.get(..FILE_BYTES).unwrap_or(data)).into_owned();
    let lines = text.lines().count() as u32 + 1;
    let source = Source { name: "own.toml".to_owned(), text: text.into(), layer: Layer::User };
    match rules::load(std::slice::from_ref(&source)) {
        Ok(set) => 1 + set.rules().len() as u64,
        Err(found) => {
            assert!(!found.is_empty());
            for diagnostic in &found {
                // Only that there is no rule at all is said of no line.
                if diagnostic.code != "R037" {
                    assert_eq!(diagnostic.file, "own.toml", "{diagnostic}");
                    assert!((1..=lines).contains(&diagnostic.line) && diagnostic.column >= 1, "{diagnostic}");
                }
                assert!(!diagnostic.message.is_empty() && !diagnostic.message.chars().any(steers), "{diagnostic}");
            }
            let codes: BTreeSet<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
            codes
                .iter()
                .flat_map(|code| code.bytes())
                .fold(1000, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte))
        }
    }
}

/// Reading a configuration: never a panic, and what is refused says what to do.
pub fn config(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data.get(..FILE_BYTES).unwrap_or(data));
    let env = Env { home: Some("/home/sam".into()), ..Env::of_process() };
    match config::parse(Path::new("config.toml"), &text, &env, &Unchecked) {
        Ok(config) => {
            config.dump();
            1 + config.accounts.len() as u64
        }
        Err(report) => {
            assert!((1..=300).contains(&report.problems.len()));
            for problem in &report.problems {
                assert_line(&problem.message);
                assert!(!problem.message.is_empty() && !problem.fix.is_empty(), "{problem}");
            }
            let said = report.problems.iter().map(|problem| problem.message.bytes().take(20));
            said.flatten().fold(100, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte))
        }
    }
}

/// Whatever a server answers: each operation ends, with a result or an error, and after an error the session is closed.
pub fn imap(data: &[u8]) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime of one thread");
    runtime.block_on(async {
        let Some((order, said)) = data.split_first() else { return 0 };
        let (ours, theirs) = tokio::io::duplex(data.len() + (1 << 20));
        // What we say is heard by nobody; what is said to us ends.
        let (_heard, mut speaks) = split(theirs);
        speaks.write_all(said).await.expect("there is room for all of it");
        speaks.shutdown().await.expect("an end");
        let mut session = Session::over(ours, &["IDLE", "LITERAL+", "UIDPLUS"], Deadlines::default());
        let id = MessageId::new("a@b.example").expect("an id");
        let mut reached = u64::from(order % 8);
        for step in 0..4 {
            let ended = match (order % 8).wrapping_add(step) % 8 {
                0 => session.examine("INBOX").await.map(|_| ()),
                1 => {
                    session.uids_above(3).await.map(|uids| assert!(uids.is_sorted() && uids.iter().all(|uid| *uid > 3)))
                }
                2 => session.fetch(&[4, 7, 9], 65_536).await.map(|batch| {
                    assert_eq!(batch.messages.len() + batch.missing.len(), 3);
                }),
                3 => session.list().await.map(|_| ()),
                4 => session.idle(Duration::from_millis(1), std::future::pending()).await.map(|_| ()),
                5 => session.find_by_message_id("Drafts", &id).await.map(|_| ()),
                6 => session.append("Drafts", AppendFlags::Draft, b"Subject: a\r\n\r\nb\r\n").await.map(|_| ()),
                _ => session.noop().await,
            };
            reached = reached * 4 + 1 + u64::from(ended.is_ok());
            if let Err(error) = ended {
                assert!(!session.is_open(), "an error closes the session");
                assert_line(&error.to_string());
                return reached * 32 + (error.to_string().len() as u64 % 32);
            }
        }
        reached
    })
}

/// Headers that a reply may have, each once.
const HEADERS: [&str; 10] = [
    "date",
    "from",
    "to",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// Composing a reply of anything that a mail may have said: no header can be added, and what is read back is what was
/// written.
pub fn compose(data: &[u8]) -> u64 {
    let given = String::from_utf8_lossy(data);
    let mut parts = given.split('\u{1}');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (name, subject, to_name, to_email, parent, other, text) =
        (next(), next(), next(), next(), next(), next(), next());
    let parent = MessageId::new(&parent);
    let others: Vec<MessageId> = other.split(' ').filter_map(MessageId::new).collect();
    let parts = Parts {
        from: Address { name, email: "sam@example.org".to_owned() },
        // As the person types it: the only way to hand over any text as a recipient.
        to: Addressee::typed(&if to_name.is_empty() { to_email } else { format!("{to_name} <{to_email}>") }),
        subject,
        references: parent.as_ref().map(|parent| references(parent, None, &others)).unwrap_or_default(),
        in_reply_to: parent,
        message_id: MessageId::new("reply@example.org").expect("an id"),
        date: jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC),
        text,
    };
    let Ok(bytes) = composed(&parts) else { return 0 };
    let letter = std::str::from_utf8(&bytes).expect("text");
    let (head, _) = letter.split_once("\r\n\r\n").expect("headers and a text");
    let mut seen = BTreeSet::new();
    for line in head.split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']) && line.len() <= 998, "{line:?}");
        if !line.starts_with([' ', '\t']) {
            let (name, _) = line.split_once(':').expect("a name");
            let name = name.to_ascii_lowercase();
            assert!(HEADERS.contains(&name.as_str()), "a header that nobody asked for: {line:?}");
            assert!(seen.insert(name), "a header twice: {line:?}");
        }
    }
    let bare = letter.replace("\r\n", "");
    assert!(!bare.contains(['\r', '\n']), "a line end that is none");
    let read = Message::parse(&bytes, Fetched::Whole);
    assert_eq!(read.from.iter().map(|from| from.email.as_str()).collect::<Vec<_>>(), ["sam@example.org"]);
    assert_eq!(read.to.len(), usize::from(parts.to.is_some()), "{:?}", read.to);
    assert_eq!(read.id, Some(parts.message_id));
    assert_eq!(read.in_reply_to, parts.in_reply_to);
    assert_eq!(read.references, parts.references);
    assert_eq!(read.subject, clean::line(&literal(&parts.subject)));
    1 + seen.len() as u64 + 16 * (letter.len() as u64).ilog2_or_zero()
}
