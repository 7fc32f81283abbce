//! Makes the bytes of a reply: RFC 5322 headers and a `format=flowed` text (RFC 3676), CRLF throughout.
//!
//! Every value is cleaned or checked by its type before it reaches a header, so that no mail can add one. This module
//! must not decide who is written to nor what is said.

use jiff::{Zoned, fmt::rfc2822::DateTimePrinter};
use mail_builder::{
    MessageBuilder,
    headers::{
        address::Address as AddressHeader, content_type::ContentType, message_id::MessageId as IdHeader, raw::Raw,
    },
    mime::MimePart,
};

use super::{addressee::Addressee, person::is_address};
use crate::{
    clean,
    message::{Address, MessageId},
};

/// Columns at which paragraphs are broken softly (RFC 3676 §4.2 recommends at most 78).
const COLUMNS: usize = 72;
/// Longest line in octets that goes out unencoded (RFC 5322 §2.1.1 recommends at most 78).
const LINE_BYTES_MAX: usize = 78;
/// Most references written: the first and the last ones of a long thread.
const REFERENCES_MAX: usize = 21;

/// What a reply is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// `From`.
    pub from: Address,
    /// `To`; no header while nobody is named.
    pub to: Option<Addressee>,
    /// `Subject`, as it shall stand.
    pub subject: String,
    /// `In-Reply-To`.
    pub in_reply_to: Option<MessageId>,
    /// `References`, oldest first, the parent last.
    pub references: Vec<MessageId>,
    /// `Message-ID`.
    pub message_id: MessageId,
    /// `Date`, with the person's zone.
    pub date: Zoned,
    /// The text: one line a paragraph, or as many as shall stay apart.
    pub text: String,
}

/// Why no message could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotComposed {
    /// The sender's or the recipient's address cannot stand in a header. Which one it is stays out of the text.
    #[error("an address of the draft cannot stand in a mail header")]
    Address,
    /// The date is outside what RFC 5322 can say.
    #[error("the date cannot be written into a mail")]
    Date,
    /// The builder refused.
    #[error("the message could not be built")]
    Builder,
}

/// The message, ready to be sent.
pub fn compose(parts: &Parts) -> Result<Vec<u8>, NotComposed> {
    let date = DateTimePrinter::new().zoned_to_string(&parts.date).map_err(|_| NotComposed::Date)?;
    let mut builder = MessageBuilder::new().header("Date", Raw::new(date)).from(address_header(&parts.from)?);
    if let Some(to) = &parts.to {
        builder = builder.to(address_header(to.address())?);
    }
    builder = builder.subject(literal(&parts.subject)).message_id(parts.message_id.as_str());
    if let Some(parent) = &parts.in_reply_to {
        builder = builder.in_reply_to(parent.as_str());
    }
    if !parts.references.is_empty() {
        builder = builder.references(IdHeader::new_list(parts.references.iter().map(MessageId::as_str)));
    }
    builder
        .header("MIME-Version", Raw::new("1.0"))
        .body(body(&parts.text))
        .write_to_vec()
        .map_err(|_| NotComposed::Builder)
}

/// A text that says what it says: what would be read as an encoded word (RFC 2047) is broken up.
pub fn literal(text: &str) -> String {
    clean::line(text).replace("=?", "= ?")
}

/// An address as a header value; the name is left out where there is none.
fn address_header(address: &Address) -> Result<AddressHeader<'_>, NotComposed> {
    if !is_address(&address.email) {
        return Err(NotComposed::Address);
    }
    let name = literal(&address.name);
    Ok(AddressHeader::new_address((!name.is_empty()).then_some(name), address.email.as_str()))
}

/// The text part: as it is where ASCII in short lines, else in the encoding the builder finds shortest.
fn body(text: &str) -> MimePart<'static> {
    let flowed = flow(text);
    let plain = flowed.is_ascii() && flowed.lines().all(|line| line.len() <= LINE_BYTES_MAX);
    let kind = ContentType::new("text/plain").attribute("charset", "utf-8").attribute("format", "flowed");
    let part = MimePart::new(kind, flowed);
    if plain { part.transfer_encoding("7bit") } else { part }
}

/// Breaks each line of `text` softly at 72 columns and stuffs spaces (RFC 3676 §4.1, §4.4). The result ends each line
/// with CRLF and holds no other control character.
pub fn flow(text: &str) -> String {
    let mut out = String::new();
    for line in clean::text(text).trim_matches('\n').split('\n') {
        let line = line.replace('\t', " ");
        // `-- ` alone is the signature mark and stays; other trailing spaces would join what shall stay apart.
        let line = if line == "-- " { line.as_str() } else { line.trim_end_matches(' ') };
        let mut rest = line;
        while let Some((head, tail)) = soft_break(rest) {
            push_stuffed(&mut out, head);
            rest = tail;
        }
        push_stuffed(&mut out, rest);
    }
    out
}

/// Cuts behind the last space that keeps the head within [`COLUMNS`], or behind the first space there is; `None` where
/// the rest fits or cannot be broken. The head keeps its space: that is what makes the break soft.
fn soft_break(line: &str) -> Option<(&str, &str)> {
    if line.chars().count() <= COLUMNS {
        return None;
    }
    let spaces = || line.char_indices().enumerate().filter(|(_, (_, c))| *c == ' ');
    let within = spaces().take_while(|(column, _)| *column < COLUMNS).last();
    let (_, (at, _)) = within.filter(|(column, _)| *column > 0).or_else(|| spaces().find(|(column, _)| *column > 0))?;
    let (head, tail) = line.split_at_checked(at.saturating_add(1))?;
    // A line `-- ` is the signature mark and would not be joined again.
    (!tail.is_empty() && head != "-- ").then_some((head, tail))
}

/// Adds a line with a space before what would be read as quoting, stuffing or a mailbox separator (RFC 3676 §4.4).
/// Every physical line is looked at, so that a word at a soft break cannot become a quote mark.
fn push_stuffed(out: &mut String, line: &str) {
    if line.starts_with([' ', '>']) || line.starts_with("From ") {
        out.push(' ');
    }
    out.push_str(line);
    out.push_str("\r\n");
}

/// Takes the soft breaks and the stuffing of [`flow`] back out: one line a paragraph, line feeds only.
pub fn unflow(flowed: &str) -> String {
    let mut out = String::new();
    for line in flowed.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        out.push_str(line);
        if line == "-- " || !line.ends_with(' ') {
            out.push('\n');
        }
    }
    out
}

/// The subject of an answer: `Re: ` and the original, which keeps no reply mark of its own.
pub fn reply_subject(original: &str) -> String {
    let mut rest = clean::line(original);
    while let Some(stripped) = without_reply_mark(&rest) {
        rest = stripped;
    }
    clean::line(&format!("Re: {rest}"))
}

/// The subject without one leading `Re:`, `AW:`, `Re[2]:` or the like.
fn without_reply_mark(subject: &str) -> Option<String> {
    let (mark, rest) = subject.split_once(':')?;
    let word = mark.split_once('[').map_or(mark, |(word, _)| word).trim();
    ["re", "aw", "antw", "antwort", "sv", "vs"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
        .then(|| rest.trim_start().to_owned())
}

/// `References` of an answer: the parent's own and the parent, the first and the last ones of a long thread
/// (RFC 5322 §3.6.4). A parent without `References` lends its `In-Reply-To`.
pub fn references(parent: &MessageId, in_reply_to: Option<&MessageId>, parents: &[MessageId]) -> Vec<MessageId> {
    let mut all: Vec<MessageId> = Vec::new();
    let lent = in_reply_to.filter(|_| parents.is_empty());
    for id in parents.iter().chain(lent).filter(|id| *id != parent) {
        if !all.contains(id) {
            all.push(id.clone());
        }
    }
    all.push(parent.clone());
    if all.len() > REFERENCES_MAX {
        let surplus = all.len().saturating_sub(REFERENCES_MAX);
        all.drain(1..=surplus);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that wants to break out: line ends, controls, encoded words, header names, any other character.
    fn any_text() -> impl proptest::strategy::Strategy<Value = String> {
        "([a-z ,<>\"@:;=?()\\\\\r\n\0\t\u{85}\u{2028}äß漢]|\r\nBcc: x@y\\.example|=\\?utf-8\\?q\\?=0D=0A\\?=|\\PC){0,300}"
    }

    #[test]
    fn subjects_have_one_re() {
        for (given, expected) in [
            ("Your application", "Re: Your application"),
            ("Re: Your application", "Re: Your application"),
            ("RE: AW: re[2]: Your application", "Re: Your application"),
            ("Regarding: your application", "Re: Regarding: your application"),
            ("", "Re:"),
            ("x\r\nBcc: evil@x.example", "Re: x Bcc: evil@x.example"),
        ] {
            assert_eq!(reply_subject(given), expected, "{given:?}");
        }
    }

    #[test]
    fn long_threads_keep_the_first_and_the_last_references() {
        let ids: Vec<MessageId> = (0..40).map(|n| MessageId::new(&format!("m{n}@x.example")).unwrap()).collect();
        let parent = MessageId::new("p@x.example").unwrap();
        let refs = references(&parent, None, &ids);
        assert_eq!(refs.len(), REFERENCES_MAX);
        assert_eq!((refs.first(), refs.last()), (ids.first(), Some(&parent)));
        assert_eq!(refs[1], ids[21]);
        assert_eq!(references(&parent, Some(&ids[0]), &[]), [ids[0].clone(), parent.clone()]);
        assert_eq!(references(&parent, Some(&ids[0]), &ids[1..2]), [ids[1].clone(), parent]);
    }

    #[test]
    fn flowing_stuffs_and_breaks_softly() {
        let long = "word ".repeat(40);
        let flowed = flow(&format!("> no quote\nFrom here\n indented\n{long}\n\nEnd"));
        assert!(flowed.starts_with(" > no quote\r\n From here\r\n  indented\r\nword word"));
        assert!(flowed.lines().all(|l| l.len() <= COLUMNS), "{flowed}");
        assert!(flowed.ends_with("\r\n\r\nEnd\r\n"));
    }

    proptest::proptest! {
        #[test]
        fn no_value_can_add_a_header(name in any_text(), subject in any_text(), text in any_text()) {
            let parts = Parts {
                from: Address { name: name.clone(), email: "me@x.example".into() },
                to: Addressee::kept(&name, "you@y.example"),
                subject,
                in_reply_to: MessageId::new("p@y.example"),
                references: MessageId::new("p@y.example").into_iter().collect(),
                message_id: MessageId::new("m@x.example").unwrap(),
                date: "2026-11-21T18:05:00+01:00[Europe/Berlin]".parse().unwrap(),
                text,
            };
            let bytes = compose(&parts).unwrap();
            let text = String::from_utf8(bytes.clone()).unwrap();
            proptest::prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
            proptest::prop_assert!(text.lines().all(|line| line.len() < 998));
            let parsed = mail_parser::MessageParser::new().parse(&bytes).unwrap();
            let names: Vec<_> = parsed.headers().iter().map(|h| h.name().to_lowercase()).collect();
            let expected = [
                "date", "from", "to", "subject", "message-id", "in-reply-to", "references", "mime-version",
                "content-type", "content-transfer-encoding",
            ];
            proptest::prop_assert_eq!(names, expected);
        }

        #[test]
        fn flowing_and_back_keeps_every_word_and_line(lines in proptest::collection::vec("[a-z> ]{0,200}", 1..6)) {
            let text = lines.iter().map(|l| l.trim_end_matches(' ')).collect::<Vec<_>>().join("\n");
            let text = text.trim_matches('\n');
            let flowed = flow(text);
            proptest::prop_assert!(!flowed.replace("\r\n", "").contains(['\r', '\n']));
            let unflowed = unflow(&flowed);
            proptest::prop_assert_eq!(unflowed.trim_end_matches('\n'), text);
        }
    }
}
