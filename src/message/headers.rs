//! Header fields: found, decoded, checked, cleaned. The first field of a name counts, as most mail programs show it;
//! the others become defects. Values that could not stand in a header of ours are left out.

use jiff::Timestamp;
use mail_parser::{HeaderValue, parsers::MessageStream};
use memchr::memchr;

use super::{Address, Defect, HeaderFacts, Message, MessageId, REFERENCES_MAX, auth, decode, guard};
use crate::clean;

/// Bytes of one field that are decoded. The parser looks ahead from every `=?`, so the time is quadratic in it.
const FIELD_BYTES_MAX: usize = 16 << 10;

/// Addresses kept of one header; nobody is judged by the thousandth recipient.
const ADDRESSES_MAX: usize = 100;

/// The fields of one header section, in order.
pub(super) struct Fields<'x>(Vec<Field<'x>>);

struct Field<'x> {
    name: &'x str,
    value: &'x [u8],
}

impl<'x> Fields<'x> {
    /// Splits a header section. Lines that are no field are passed over.
    pub(super) fn split(section: &'x [u8]) -> Fields<'x> {
        let mut fields = Vec::new();
        let mut rest = section;
        while !rest.is_empty() {
            let (field, tail) = rest.split_at_checked(unfolded_length(rest)).unwrap_or((rest, &[]));
            rest = tail;
            let Some(colon) = memchr(b':', field) else { continue };
            let Some((name, value)) = field.split_at_checked(colon) else { continue };
            let name = name.trim_ascii();
            if !name.is_empty()
                && name.iter().all(u8::is_ascii_graphic)
                && let Ok(name) = std::str::from_utf8(name)
            {
                fields.push(Field { name, value: value.get(1..).unwrap_or_default() });
            }
        }
        Fields(fields)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'x [u8]> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    fn first(&self, name: &str) -> Option<&'x [u8]> {
        self.all(name).next()
    }

    fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    fn repeats(&self, name: &str) -> bool {
        self.all(name).nth(1).is_some()
    }

    /// The field as one cleaned line, RFC 2047 words decoded.
    pub(super) fn line(&self, name: &str) -> Option<String> {
        self.first(name).map(unstructured)
    }

    /// The usable ids of the first field of this name, the first and the last ones of a long list.
    pub(super) fn ids(&self, name: &str) -> Vec<MessageId> {
        self.first(name).map(references).unwrap_or_default()
    }

    /// The first field's addresses.
    pub(super) fn addresses(&self, name: &str) -> Vec<Address> {
        self.first(name).map(addresses).unwrap_or_default()
    }

    /// The first field's id.
    pub(super) fn id(&self, name: &str) -> Option<MessageId> {
        self.first(name).and_then(|value| ids(value).next())
    }

    fn all_addresses<const N: usize>(&self, names: [&str; N]) -> Vec<Address> {
        let values = names.iter().flat_map(|name| self.all(name)).take(ADDRESSES_MAX);
        let mut found: Vec<Address> = Vec::new();
        for address in values.flat_map(addresses).take(ADDRESSES_MAX) {
            if !found.contains(&address) {
                found.push(address);
            }
        }
        found
    }
}

/// Bytes up to the first line end that no folded line follows (RFC 5322 §2.2.3).
fn unfolded_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    for line in guard::lines(bytes) {
        if length > 0 && !line.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
            break;
        }
        length += line.len();
    }
    length
}

/// Fills the message's header fields.
pub(super) fn read(fields: &Fields<'_>, message: &mut Message) {
    message.subject = fields.line("Subject").unwrap_or_default();
    message.from = fields.addresses("From");
    message.sender = fields.addresses("Sender").into_iter().next();
    message.reply_to = fields.addresses("Reply-To");
    message.to = fields.all_addresses(["To"]);
    message.cc = fields.all_addresses(["Cc"]);
    message.delivered_to = fields.all_addresses(["Delivered-To", "X-Original-To", "Envelope-To"]);
    message.date = fields.first("Date").and_then(date);
    message.id = fields.id("Message-ID");
    message.in_reply_to = fields.id("In-Reply-To");
    message.references = fields.ids("References");
    message.headers = facts(fields);
    message.auth = fields.first("Authentication-Results").and_then(auth::read);

    let several_from = fields.repeats("From") || message.from.len() > 1;
    let duplicate = ["Subject", "Reply-To", "Message-ID"].iter().any(|name| fields.repeats(name));
    for (wrong, defect) in [
        (message.from.is_empty(), Defect::NoFrom),
        (several_from, Defect::AmbiguousFrom),
        (duplicate, Defect::DuplicateHeader),
        (message.id.is_none(), Defect::NoMessageId),
        (message.date.is_none(), Defect::NoDate),
    ] {
        if wrong {
            message.defects.push(defect);
        }
    }
}

fn facts(fields: &Fields<'_>) -> HeaderFacts {
    let line = |name: &str| fields.line(name).unwrap_or_default().to_ascii_lowercase();
    // The value alone: comments may stand on either side of it, parameters behind it.
    let word = |name: &str| {
        let line = auth::statements(&line(name)).into_iter().next().unwrap_or_default();
        line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|w| !w.is_empty()).unwrap_or("").to_owned()
    };
    let auto_submitted = word("Auto-Submitted");
    let suppress = line("X-Auto-Response-Suppress");
    HeaderFacts {
        auto_submitted: !auto_submitted.is_empty() && auto_submitted != "no",
        precedence_bulk: matches!(word("Precedence").as_str(), "bulk" | "list" | "junk"),
        list_id: fields.has("List-Id") || fields.has("List-Post"),
        list_unsubscribe: fields.has("List-Unsubscribe"),
        auto_response_suppress: !suppress.is_empty() && suppress != "none",
        feedback_id: fields.has("Feedback-ID"),
        null_return_path: fields.first("Return-Path").is_some_and(|value| value.trim_ascii() == b"<>"),
        delivery_report: fields.has("X-Failed-Recipients"),
        opaque: false,
    }
}

/// A field value as the parser wants it: bounded, in UTF-8, ended by a line feed.
fn prepared(value: &[u8]) -> String {
    let value = value.get(..FIELD_BYTES_MAX).unwrap_or(value);
    let (mut text, _) = decode::in_charset(value.trim_ascii(), None);
    text.push('\n');
    text
}

fn unstructured(value: &[u8]) -> String {
    let text = prepared(value);
    let decoded = guard::caught(|| match MessageStream::new(text.as_bytes()).parse_unstructured() {
        HeaderValue::Text(decoded) => decoded.into_owned(),
        _ => String::new(),
    });
    clean::line(&decoded.unwrap_or(text))
}

fn addresses(value: &[u8]) -> Vec<Address> {
    let text = prepared(value);
    let parsed = guard::caught(|| match MessageStream::new(text.as_bytes()).parse_address() {
        HeaderValue::Address(list) => list.iter().take(ADDRESSES_MAX).filter_map(checked).collect(),
        _ => Vec::new(),
    });
    parsed.unwrap_or_default()
}

fn checked(addr: &mail_parser::Addr<'_>) -> Option<Address> {
    let mut address = address_in(addr.address.as_deref()?)?;
    address.name = clean::line(addr.name.as_deref().unwrap_or_default());
    Some(address)
}

/// Takes `local@domain` where it could stand in a header and on an SMTP command line unquoted (RFC 5321 §4.1.2 with
/// UTF-8 as of RFC 6531; no quoted local part, no address literal).
pub(super) fn address_in(text: &str) -> Option<Address> {
    let text = text.trim();
    let (local, domain) = text.split_once('@')?;
    let domain = domain.to_lowercase();
    let plain = |c: char| c.is_alphanumeric() || !c.is_ascii() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let of_domain = |c: char| c.is_alphanumeric() || !c.is_ascii() || matches!(c, '-' | '.' | '_');
    let fine = (1..=64).contains(&local.len())
        && (1..=255).contains(&domain.len())
        && local.chars().all(plain)
        && domain.chars().all(of_domain)
        && domain.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
        // Nothing that cleaning would change: no control character, no direction mark, no exotic space.
        && clean::line(text) == text
        && !text.contains(char::is_whitespace);
    fine.then(|| Address { name: String::new(), email: format!("{local}@{domain}") })
}

fn date(value: &[u8]) -> Option<Timestamp> {
    let text = prepared(value);
    let parsed = guard::caught(|| match MessageStream::new(text.as_bytes()).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => Some(date.to_timestamp()),
        _ => None,
    });
    parsed.flatten().and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// The usable ids of a field: those in angle brackets, or else its first word.
fn ids(value: &[u8]) -> impl Iterator<Item = MessageId> {
    let bracketed = |value: &[u8]| {
        let mut found: Vec<MessageId> = Vec::new();
        for piece in value.split(|&b| b == b'<').skip(1) {
            let id = piece.split(|&b| b == b'>').next().and_then(|id| std::str::from_utf8(id).ok());
            found.extend(id.and_then(MessageId::new));
        }
        found
    };
    let mut found = bracketed(value);
    if found.is_empty() {
        let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        found.extend(words.next().and_then(|word| std::str::from_utf8(word).ok()).and_then(MessageId::new));
    }
    found.into_iter()
}

fn references(value: &[u8]) -> Vec<MessageId> {
    let mut all: Vec<MessageId> = ids(value).collect();
    if all.len() > REFERENCES_MAX {
        // The first starts the thread; the last ones are what a reply most likely names.
        all.drain(1..=all.len() - REFERENCES_MAX);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(line: &str) -> Vec<Address> {
        addresses(line.as_bytes())
    }

    #[test]
    fn only_plain_addresses_pass() {
        for (given, expected) in [
            ("Jane <Jane.Doe@Example.COM>", Some("Jane.Doe@example.com")),
            ("jane+jobs@example.com", Some("jane+jobs@example.com")),
            ("=?utf-8?q?J=C3=BCrgen?= <j@example.com>", Some("j@example.com")),
            ("\"a@b.example\" <c@d.example>", Some("c@d.example")),
            ("Jane Doe", None),
            ("<>", None),
            ("undisclosed-recipients:;", None),
            ("\"a b\"@example.com", None),
            ("a@[127.0.0.1]", None),
            ("a@b@c.example", None),
            ("a@-b.example", None),
            ("a\u{202e}b@example.com", None),
            ("用户@例え.example", Some("用户@例え.example")),
        ] {
            assert_eq!(field(given).first().map(|a| a.email.as_str()), expected, "{given}");
        }
    }

    #[test]
    fn references_keep_both_ends() {
        let many: String = (0..50).map(|n| format!(" <{n}@x.example>\r\n")).collect();
        let kept = references(many.as_bytes());
        assert_eq!(kept.len(), REFERENCES_MAX);
        assert_eq!(kept.first().unwrap().as_str(), "0@x.example");
        assert_eq!(kept.get(1).unwrap().as_str(), "30@x.example");
        assert_eq!(kept.last().unwrap().as_str(), "49@x.example");
    }

    #[test]
    fn auto_submitted_as_rfc_3834_says() {
        for (value, expected) in [
            ("no", false),
            ("NO (really)", false),
            ("auto-generated", true),
            ("Auto-Replied; owner-email=\"x\"", true),
            ("(really) no", false),
            ("no; by=(a person)", false),
            ("(no) auto-notified", true),
            ("AUTO-NOTIFIED", true),
            ("\r\n\tauto-generated", true),
            ("", false),
        ] {
            let section = format!("Auto-Submitted: {value}\n");
            assert_eq!(facts(&Fields::split(section.as_bytes())).auto_submitted, expected, "{value}");
        }
    }

    #[test]
    fn marks_of_mass_mail_are_read_in_any_spelling() {
        type Mark = fn(&HeaderFacts) -> bool;
        let marks: [(&str, Mark, bool); 17] = [
            ("Precedence: bulk", |h| h.precedence_bulk, true),
            ("PRECEDENCE: (x) List", |h| h.precedence_bulk, true),
            ("precedence: junk; x", |h| h.precedence_bulk, true),
            ("Precedence: first-class", |h| h.precedence_bulk, false),
            ("Precedence: normal (not bulk)", |h| h.precedence_bulk, false),
            ("X-Auto-Response-Suppress: DR, OOF, AutoReply", |h| h.auto_response_suppress, true),
            ("X-Auto-Response-Suppress: oof", |h| h.auto_response_suppress, true),
            ("X-Auto-Response-Suppress: All", |h| h.auto_response_suppress, true),
            ("X-Auto-Response-Suppress: None", |h| h.auto_response_suppress, false),
            ("List-Unsubscribe: <mailto:x@y.example>", |h| h.list_unsubscribe, true),
            ("list-id: Jobs <jobs.kestrel.example>", |h| h.list_id, true),
            ("List-Post: NO", |h| h.list_id, true),
            ("Feedback-ID: 1:2:3:mail", |h| h.feedback_id, true),
            ("Return-Path: <>", |h| h.null_return_path, true),
            ("Return-Path: <a@b.example>", |h| h.null_return_path, false),
            ("X-Failed-Recipients: a@b.example", |h| h.delivery_report, true),
            ("X-List-Id: x", |h| h.list_id, false),
        ];
        for (line, mark, expected) in marks {
            assert_eq!(mark(&facts(&Fields::split(format!("{line}\r\n").as_bytes()))), expected, "{line}");
        }
    }
}
