//! Parsing through data: one file a case in `tests/fixtures/message`, with what is expected of it beside it.

use std::{fmt::Write, fs, path::PathBuf, time::Instant};

use onward::message::{Address, Defect, Fetched, Message};
use proptest::prelude::*;

fn fixtures() -> Vec<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/message");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "eml"));
    files.sort();
    assert!(files.len() > 10);
    files
}

/// Everything of a message that other modules may see, one fact a line.
fn described(message: &Message) -> String {
    let mut out = String::new();
    let addresses = |list: &[Address]| -> String {
        list.iter().map(|a| format!("{} <{}>", a.name, a.email)).collect::<Vec<_>>().join(", ")
    };
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            writeln!(out, "{name}: {value}").unwrap();
        }
    };
    fact("subject", message.subject.clone());
    fact("from", addresses(&message.from));
    fact("reply-to", addresses(&message.reply_to));
    fact("to", addresses(&message.to));
    fact("id", message.id.iter().map(ToString::to_string).collect());
    fact("in-reply-to", message.in_reply_to.iter().map(ToString::to_string).collect());
    fact("references", message.references.iter().map(ToString::to_string).collect());
    fact("date", message.date.iter().map(ToString::to_string).collect());
    let headers = format!("{:?}", message.headers);
    let set: Vec<&str> =
        headers.split([',', '{']).filter(|f| f.contains("true")).map(|f| f.split(':').next().unwrap().trim()).collect();
    fact("headers", set.join(" "));
    fact("links", message.link_hosts.join(" "));
    if let Some(calendar) = &message.calendar {
        fact("calendar", format!("{} {}", calendar.method, calendar.summary));
    }
    if let Some(forwarded) = &message.forwarded {
        fact("forwarded", format!("{} | {}", addresses(forwarded.from.as_slice()), forwarded.subject));
    }
    fact("defects", message.defects.iter().map(|d| d.as_str()).collect::<Vec<_>>().join(" "));
    for block in &message.blocks {
        writeln!(out, "{:>9} {} {}", block.zone.as_str(), block.paragraph, block.text).unwrap();
    }
    out
}

/// Run with `UPDATE_EXPECT=1` to write what is found.
#[test]
fn fixtures_read_as_expected() {
    for path in fixtures() {
        let bytes = fs::read(&path).unwrap();
        let message = Message::parse(&bytes, Fetched::Whole);
        let found = described(&message);
        expect_test::expect_file![path.with_extension("txt")].assert_eq(&found);

        let crlf = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
        let with_crlf = Message::parse(crlf.as_bytes(), Fetched::Whole);
        assert_eq!(described(&with_crlf), found, "{} with CRLF", path.display());
        assert_eq!(with_crlf.hash, message.hash, "{} with CRLF", path.display());
        sound(&with_crlf);
    }
}

/// What holds of every message, whatever the bytes were.
fn sound(message: &Message) {
    let steers = |text: &str| text.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}'));
    let lists = [&message.from, &message.reply_to, &message.to, &message.cc, &message.delivered_to];
    for address in lists.into_iter().flatten().chain(&message.sender) {
        assert!(!steers(&address.name) && !steers(&address.email), "{address:?}");
        assert!(!address.email.contains([' ', '"', '<', '>', ',', ';']) && !address.local().is_empty(), "{address:?}");
        assert_eq!(address.domain(), address.domain().to_lowercase());
    }
    assert!(!steers(&message.subject));
    let mut paragraph = 0;
    for block in &message.blocks {
        assert!(!block.text.trim().is_empty() && !steers(&block.text), "{block:?}");
        assert!(block.text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace)), "{block:?}");
        assert!(block.paragraph >= paragraph, "{block:?}");
        paragraph = block.paragraph;
    }
}

#[test]
fn the_hash_tells_content_from_route() {
    let mail = "From: a@b.example\nDate: Mon, 3 Feb 2025 10:00:00 +0000\nSubject: s\nMessage-ID: <1@b.example>\n\nOne  two\nthree.\n";
    let hash = |text: &str| Message::parse(text.as_bytes(), Fetched::Whole).hash;
    let routed = format!("Received: from x by y; now\nDelivered-To: c@d.example\n{mail}");
    assert_eq!(hash(mail), hash(&routed));
    assert_eq!(hash(mail), hash(&mail.replace("One  two", "One two")));
    assert_ne!(hash(mail), hash(&mail.replace("three", "four")));
    assert_ne!(hash(mail), hash(&mail.replace("<1@", "<2@")));
}

#[test]
fn hostile_mail_ends_soon_and_says_why() {
    let from = "From: a@b.example\nSubject: s\n";
    let multipart = |body: String| format!("{from}Content-Type: multipart/mixed; boundary=b\n\n{body}");
    let html = |body: String| format!("{from}Content-Type: text/html\n\n{body}");
    let inside_base64 = format!(
        "{from}Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{}",
        "Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMgoK".repeat(20_000)
    );
    let cases: Vec<(&str, String, Option<Defect>)> = vec![
        ("nested messages", "Content-Type: message/rfc822\n\n".repeat(100_000), Some(Defect::TooDeep)),
        (
            "nested multiparts",
            format!("{from}{}", "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(100_000)),
            Some(Defect::TooDeep),
        ),
        (
            "digests without a type",
            "Content-Type: multipart/digest; boundary=b\n\n--b\n\n".repeat(30_000),
            Some(Defect::TooDeep),
        ),
        ("a nested message in base64", inside_base64, None),
        ("a million parts", multipart("--b\n\nx\n".repeat(1_000_000)), Some(Defect::TooManyParts)),
        ("deep HTML", html(format!("{}deep", "<div>".repeat(50_000))), None),
        ("deep HTML, closed", html("<b>".repeat(80_000) + &"</b></i>".repeat(80_000)), Some(Defect::Truncated)),
        ("unclosed tags", html("<a href=\"".repeat(50_000)), None),
        ("unclosed comments", html("<!--".repeat(50_000)), Some(Defect::NoText)),
        ("unclosed styles", html("<style>".repeat(50_000)), Some(Defect::NoText)),
        ("many ampersands", html("&".repeat(250_000)), None),
        (
            "parameters",
            format!("{from}Content-Type: text/plain;{}\n\nx", " a*1=b;".repeat(200_000)),
            Some(Defect::Truncated),
        ),
        (
            "distinct parameters",
            format!(
                "{from}Content-Type: text/plain;{}\n\nx",
                (0..90_000).map(|n| format!(" p{n}*1=b;")).collect::<String>()
            ),
            Some(Defect::Truncated),
        ),
        ("encoded words", format!("From: a@b.example\nSubject: {}\n\nx", "=?x?q?".repeat(40_000)), None),
        ("encoded words of addresses", format!("From: {}\n\nx", "=?x?q?".repeat(40_000)), Some(Defect::NoFrom)),
        ("quoted lines", format!("{from}\n{}", "> ".repeat(120_000)), None),
        ("short lines", format!("{from}\n{}", "a:\n".repeat(80_000)), None),
        ("attribution lines", format!("{from}\n{}", "1 wrote:\n".repeat(20_000)), None),
        ("header lines in the text", format!("{from}\n{}", "From: a\n".repeat(30_000)), None),
        ("a long header", format!("{from}X: {}\n\nx", "y".repeat(2_000_000)), Some(Defect::Truncated)),
        ("many headers", format!("{}\n\nx", "To: a@b.example\n".repeat(60_000)), Some(Defect::Truncated)),
        ("nothing", String::new(), Some(Defect::Empty)),
        ("white space", " \r\n\t\n".repeat(10), Some(Defect::Empty)),
        ("headers only", from.to_owned(), Some(Defect::NoText)),
        ("no header", "just text without any\nheader at all".to_owned(), Some(Defect::NoFrom)),
        ("bare carriage returns", format!("{}\r\rhello\rthere\r", from.replace('\n', "\r")), None),
        ("control characters", format!("{from}\n\u{1b}[31mred\u{0}\u{202e}gpj.exe\u{7f}"), None),
    ];
    for (name, text, defect) in cases {
        let start = Instant::now();
        let message = Message::parse(text.as_bytes(), Fetched::Whole);
        sound(&message);
        if let Some(defect) = defect {
            assert!(message.defects.contains(&defect), "{name}: {:?}", message.defects);
        }
        // Far above what any of them takes in a test build, far below what a quadratic one would.
        assert!(start.elapsed().as_secs() < 10, "{name} took {:?}", start.elapsed());
    }
}

#[test]
fn a_mail_fetched_in_part_keeps_what_is_there() {
    let mail = "From: a@b.example\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nThe news is good.\n--b\nContent-Type: text/html\n\n<p>The news is go";
    let message = Message::parse(mail.as_bytes(), Fetched::Part);
    assert!(message.truncated && message.defects.contains(&Defect::Truncated));
    assert_eq!(message.blocks.first().map(|b| b.text.as_str()), Some("The news is good."));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_give_a_sound_message(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        sound(&Message::parse(&bytes, Fetched::Whole));
    }

    #[test]
    fn any_pieces_of_mail_give_a_sound_message(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60), part in any::<bool>()) {
        let bytes = pieces.concat();
        sound(&Message::parse(bytes.as_bytes(), if part { Fetched::Part } else { Fetched::Whole }));
    }
}

/// What mail is made of, to be put together wrongly.
const PIECES: &[&str] = &[
    "From: a@b.example\n",
    "From: \"x\" <A@B.example>, y@z.example\r\n",
    "Subject: =?utf-8?q?a=0Ab?=\n",
    "Subject: Fwd: x\n",
    "To: g:;\n",
    "Content-Type: text/html; charset=utf-16\n",
    "Content-Type: text/plain; format=flowed; delsp=yes\n",
    "Content-Type: message/rfc822\n",
    "Content-Type: multipart/mixed; boundary=b\n",
    "Content-Type: multipart/digest; boundary=\"c\"\n",
    "Content-Type: text/calendar\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "\n",
    "\r\n\r\n",
    "\r",
    "\n--b\n",
    "\n--b--\n",
    "\n--c\n",
    "--c--",
    "> ",
    ">",
    "On 3 Feb, a@b wrote:\n",
    "From: a@b.example\nSent: x\nTo: y\nSubject: z\n",
    "-----Original Message-----\n",
    "---- Forwarded message ----\n",
    "<div style='display:none'>",
    "</div>",
    "<blockquote>",
    "<br>",
    "<p>",
    "<a href='http://x.example'>",
    "&amp;",
    "&#27;",
    "=E4=",
    "R3LDvMOf",
    "Dear a,\n",
    "text with words \n",
    "Best regards,\n",
    "-- \n",
    "unsubscribe. ",
    "様\n",
    "\u{202e}",
    "\u{feff}",
    "ß",
    "METHOD:REQUEST\n",
    "SUMMARY:x\\, y\n",
    " folded\n",
    "\t;x=y\n",
    "\0",
];
