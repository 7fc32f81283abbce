//! The verdict of a mail depends on what it says, not on how it was wrapped: every mail of `tests/corpus/` is written
//! anew as HTML, in other widths, charsets and encodings, passed on by the reader and with a signature below, and has
//! to be judged alike.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use encoding_rs::Encoding;
use mail_parser::MessageParser;
use onward::{
    classify::{Classification, classify},
    message::{Fetched, Message},
    rules::{self, RuleSet},
};

/// A mail as plain values, to be written in many ways.
struct Mail {
    name: String,
    from: String,
    to: String,
    subject: String,
    /// Other fields that bear on the verdict, as they stand.
    fields: String,
    text: String,
}

/// Fields copied as they are.
const FIELDS: [&str; 7] =
    ["Reply-To", "List-Unsubscribe", "List-Id", "Auto-Submitted", "Precedence", "In-Reply-To", "References"];

/// Characters from which on a line of a mail was ended by a mail program.
const WRAPPED_FROM: usize = 55;

fn mails() -> Vec<Mail> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<PathBuf> = Vec::new();
    for language in std::fs::read_dir(directory).unwrap().map(|e| e.unwrap().path()) {
        files.extend(std::fs::read_dir(language).unwrap().map(|e| e.unwrap().path()));
    }
    files.retain(|f| f.extension().is_some_and(|e| e == "eml"));
    files.sort();
    assert!(files.len() > 50);
    files.iter().filter_map(|file| read(file)).collect()
}

/// `None` for mails whose wrapping is what they are about: passed on, or with an invitation beside the text.
fn read(file: &Path) -> Option<Mail> {
    let bytes = std::fs::read(file).unwrap();
    let message = Message::parse(&bytes, Fetched::Whole);
    if message.forwarded.is_some() || message.calendar.is_some() {
        return None;
    }
    let parsed = MessageParser::new().parse(&bytes)?;
    let mut fields = String::new();
    for field in FIELDS {
        if let Some(value) = parsed.header_raw(field) {
            write!(fields, "{field}:{value}").unwrap();
            assert!(fields.ends_with('\n'));
        }
    }
    let from = message.from.first()?;
    Some(Mail {
        name: file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string(),
        from: format!("{} <{}>", encoded_word(&from.name), from.email),
        to: "Robin Reader <robin@reader.example>".to_owned(),
        subject: match parsed.subject() {
            Some(subject) => encoded_word(subject),
            None => String::new(),
        },
        fields: fields.replace("\r\n", "\n"),
        text: parsed.body_text(0)?.replace("\r\n", "\n").trim().to_owned(),
    })
}

/// RFC 2047, one word; long ones are a defect that every parser reads.
fn encoded_word(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { format!("=?utf-8?B?{}?=", base64(text.as_bytes())) }
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

impl Mail {
    fn headers(&self) -> String {
        format!(
            "From: {}\nTo: {}\nSubject: {}\nDate: Tue, 10 Nov 2026 09:00:00 +0000\nMessage-ID: <m@x.example>\n{}MIME-Version: 1.0\n",
            self.from, self.to, self.subject, self.fields
        )
    }

    fn plain(&self, text: &str) -> Vec<u8> {
        format!(
            "{}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n",
            self.headers()
        )
        .into_bytes()
    }

    fn html(&self) -> String {
        let escaped = self.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let paragraphs = escaped.split("\n\n").map(|p| format!("<p>{}</p>\n", p.trim().replace('\n', "<br>\n")));
        format!(
            "<html><head><style>p {{ margin: 0 }}</style></head><body>{}</body></html>",
            paragraphs.collect::<String>()
        )
    }

    fn as_html(&self) -> Vec<u8> {
        format!("{}Content-Type: text/html; charset=utf-8\n\n{}\n", self.headers(), self.html()).into_bytes()
    }

    fn as_alternative(&self) -> Vec<u8> {
        let (headers, text, html) = (self.headers(), &self.text, self.html());
        let part = |kind: &str, body: &str| format!("--b\nContent-Type: text/{kind}; charset=utf-8\n\n{body}\n\n");
        let (plain, html) = (part("plain", text), part("html", &html));
        format!("{headers}Content-Type: multipart/alternative; boundary=b\n\n{plain}{html}--b--\n").into_bytes()
    }

    /// Each paragraph with lines of at most `width` characters. Long lines of the original are wraps themselves.
    fn wrapped(&self, width: usize) -> Vec<u8> {
        let wrap = |line: &str| {
            let mut out = String::new();
            let mut length = 0;
            for word in line.split(' ') {
                let more = word.chars().count() + 1;
                // A line that would look like a quote or a signature mark stays as it is.
                let marks =
                    word.starts_with(['>', '-', '*', '•', '_']) || line.ends_with([':', '：']) && line.ends_with(word);
                if length > 0 && length + more > width && !marks {
                    out.push('\n');
                    length = 0;
                } else if length > 0 {
                    out.push(' ');
                }
                out.push_str(word);
                length += more;
            }
            out
        };
        let paragraphs = self.text.split("\n\n").map(|p| {
            let lines: Vec<&str> = p.lines().collect();
            let mut out = String::new();
            for (at, line) in lines.iter().enumerate() {
                out.push_str(line.trim_end());
                let next = lines.get(at + 1).copied().unwrap_or_default();
                let marks = |line: &str| line.is_empty() || line.starts_with('>') || line.ends_with([':', '：']);
                let wraps = line.chars().count() > WRAPPED_FROM && !marks(line) && !marks(next);
                out.push(if wraps { ' ' } else { '\n' });
            }
            out.lines().map(wrap).collect::<Vec<_>>().join("\n")
        });
        self.plain(&paragraphs.collect::<Vec<_>>().join("\n\n"))
    }

    /// In the first of the old charsets of its language that can write it.
    fn in_old_charset(&self) -> Option<Vec<u8>> {
        let charsets: [&'static Encoding; 8] = [
            encoding_rs::WINDOWS_1252,
            encoding_rs::WINDOWS_1250,
            encoding_rs::WINDOWS_1254,
            encoding_rs::KOI8_U,
            encoding_rs::ISO_2022_JP,
            encoding_rs::EUC_KR,
            encoding_rs::BIG5,
            encoding_rs::GB18030,
        ];
        charsets.iter().find_map(|charset| {
            let (bytes, _, lost) = charset.encode(&self.text);
            let name = charset.name();
            let mut mail = format!("{}Content-Type: text/plain; charset={name}\n\n", self.headers()).into_bytes();
            mail.extend_from_slice(&bytes);
            (!lost).then_some(mail)
        })
    }

    fn quoted_printable(&self) -> Vec<u8> {
        let mut body = String::new();
        let mut length = 0;
        for byte in self.text.bytes() {
            let shown = match byte {
                b'\n' => "\n".to_owned(),
                b' '..=b'~' if byte != b'=' => char::from(byte).to_string(),
                _ => format!("={byte:02X}"),
            };
            if length + shown.len() > 70 && byte != b'\n' {
                body.push_str("=\n");
                length = 0;
            }
            length = if byte == b'\n' { 0 } else { length + shown.len() };
            body.push_str(&shown);
        }
        let kind = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n";
        format!("{}{kind}\n{body}\n", self.headers()).into_bytes()
    }

    fn in_base64(&self) -> Vec<u8> {
        let coded = base64(self.text.as_bytes());
        let lines: Vec<&str> = coded.as_bytes().chunks(76).map(|c| std::str::from_utf8(c).unwrap()).collect();
        let kind = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n";
        format!("{}{kind}\n{}\n", self.headers(), lines.join("\n")).into_bytes()
    }

    /// Passed on by the reader to another address of theirs, above the text that mail programs put there.
    fn passed_on(&self) -> Option<Vec<u8>> {
        // Header fields other than these are lost on the way, and with them what they say.
        if !self.fields.is_empty() {
            return None;
        }
        let shown = Message::parse(&self.plain(&self.text), Fetched::Whole);
        let from = shown.from.first()?;
        let mark = "---------- Forwarded message ---------";
        let block = format!(
            "From: {} <{}>\nDate: Tue, 10 Nov 2026 at 09:00\nSubject: {}\nTo: Robin Reader <robin@reader.example>",
            from.name, from.email, shown.subject
        );
        let text = format!("{mark}\n{block}\n\n\n{}", self.text);
        Some(self.outer(&format!("Content-Type: text/plain; charset=utf-8\n\nFor my records.\n\n{text}\n")))
    }

    fn attached(&self) -> Vec<u8> {
        let inner = String::from_utf8(self.plain(&self.text)).unwrap();
        let note = "--b\nContent-Type: text/plain\n\n\n";
        let part = format!("--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n");
        self.outer(&format!("Content-Type: multipart/mixed; boundary=b\n\n{note}{part}"))
    }

    fn outer(&self, content: &str) -> Vec<u8> {
        format!(
            "From: Robin Reader <robin@reader.example>\nTo: robin@elsewhere.example\nSubject: Fwd: {}\nDate: Wed, 11 Nov 2026 09:00:00 +0000\nMessage-ID: <outer@x.example>\nMIME-Version: 1.0\n{content}",
            self.subject
        )
        .into_bytes()
    }

    fn signed(&self) -> Vec<u8> {
        self.plain(&format!("{}\n\n-- \nSent from my phone\n", self.text))
    }

    fn variants(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut out = vec![
            ("html", self.as_html()),
            ("alternative", self.as_alternative()),
            ("60 wide", self.wrapped(60)),
            ("2000 wide", self.wrapped(2000)),
            ("quoted-printable", self.quoted_printable()),
            ("base64", self.in_base64()),
            ("attached", self.attached()),
            ("signed", self.signed()),
        ];
        let crlf = String::from_utf8(self.plain(&self.text)).unwrap().replace('\n', "\r\n");
        out.push(("crlf", crlf.into_bytes()));
        out.extend(self.in_old_charset().map(|mail| ("old charset", mail)));
        out.extend(self.passed_on().map(|mail| ("passed on", mail)));
        out
    }
}

fn judged(rules: &RuleSet, bytes: &[u8]) -> Classification {
    classify(rules, &Message::parse(bytes, Fetched::Whole))
}

fn verdict(c: &Classification) -> String {
    format!("{} {:?} {} {}", c.category, c.asks, c.facts.stage, c.facts.reason)
}

#[test]
fn the_verdict_is_about_what_is_said() {
    let rules = rules::load(&rules::shipped()).unwrap();
    let mut wrong = String::new();
    let (mut all, mut charsets, mut passed_on) = (0, 0, 0);
    for mail in mails() {
        let plain = judged(&rules, &mail.plain(&mail.text));
        for (variant, bytes) in mail.variants() {
            all += 1;
            charsets += usize::from(variant == "old charset");
            passed_on += usize::from(variant == "passed on");
            let other = judged(&rules, &bytes);
            if verdict(&other) != verdict(&plain) {
                let hits = |c: &Classification| -> Vec<String> {
                    c.evidence().map(|h| format!("{}@{}", h.rule, h.zone)).collect()
                };
                writeln!(
                    wrong,
                    "{} as {variant}: {} instead of {}\n   {:?}\n   {:?}",
                    mail.name,
                    verdict(&other),
                    verdict(&plain),
                    hits(&other),
                    hits(&plain)
                )
                .unwrap();
            }
        }
    }
    assert!(
        all > 500 && charsets > 40 && passed_on > 20,
        "{all} variants, {charsets} in old charsets, {passed_on} passed on"
    );
    assert!(wrong.is_empty(), "{} of {all} differ\n{wrong}", wrong.matches(" instead of ").count());
}
