//! FETCH: the items of one message as the server writes them (RFC 3501 §7.4.2).

use imap_codec::imap_types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName, Part as Numbers, Section};

use super::{
    parts::{Part, fields},
    state::Stored,
    wire::{put_nstring, put_string},
};

/// The items a command asks for, macros expanded.
pub(super) fn items<'a>(asked: &'a MacroOrMessageDataItemNames<'a>) -> Vec<MessageDataItemName<'a>> {
    match asked {
        MacroOrMessageDataItemNames::Macro(short) => short.expand(),
        MacroOrMessageDataItemNames::MessageDataItemNames(names) => names.clone(),
    }
}

/// Whether an item marks the message as read (RFC 3501 §6.4.5).
pub(super) fn marks_seen(item: &MessageDataItemName<'_>) -> bool {
    matches!(
        item,
        MessageDataItemName::BodyExt { peek: false, .. }
            | MessageDataItemName::Rfc822
            | MessageDataItemName::Rfc822Text
    )
}

/// Appends one item with its name. False for an item of an extension that is not offered.
pub(super) fn put_item(out: &mut Vec<u8>, item: &MessageDataItemName<'_>, message: &Stored) -> bool {
    let mail = || Part::of(&message.bytes);
    match item {
        MessageDataItemName::Uid => out.extend_from_slice(format!("UID {}", message.uid).as_bytes()),
        MessageDataItemName::Flags => {
            let flags: Vec<String> = message.flags.iter().map(ToString::to_string).collect();
            out.extend_from_slice(format!("FLAGS ({})", flags.join(" ")).as_bytes());
        }
        MessageDataItemName::InternalDate => {
            let date = message.internal_date.strftime("%d-%b-%Y %H:%M:%S +0000");
            out.extend_from_slice(format!("INTERNALDATE \"{date}\"").as_bytes());
        }
        MessageDataItemName::Rfc822Size => {
            out.extend_from_slice(format!("RFC822.SIZE {}", message.bytes.len()).as_bytes());
        }
        MessageDataItemName::Envelope => {
            out.extend_from_slice(b"ENVELOPE ");
            put_envelope(out, &mail());
        }
        MessageDataItemName::Body => {
            out.extend_from_slice(b"BODY ");
            put_structure(out, &mail());
        }
        MessageDataItemName::BodyStructure => {
            out.extend_from_slice(b"BODYSTRUCTURE ");
            put_structure(out, &mail());
        }
        MessageDataItemName::Rfc822 => put_named(out, "RFC822", &message.bytes),
        MessageDataItemName::Rfc822Header => put_named(out, "RFC822.HEADER", mail().header),
        MessageDataItemName::Rfc822Text => put_named(out, "RFC822.TEXT", mail().body),
        MessageDataItemName::BodyExt { section, partial, .. } => {
            let data = section_bytes(&message.bytes, section.as_ref());
            put_section(out, section.as_ref(), partial.map(|(from, count)| (from, count.get())), data);
        }
        MessageDataItemName::Binary { .. } | MessageDataItemName::BinarySize { .. } => return false,
    }
    true
}

fn put_named(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.push(b' ');
    put_string(out, value);
}

fn put_section(out: &mut Vec<u8>, section: Option<&Section<'_>>, partial: Option<(u32, u32)>, data: Option<Vec<u8>>) {
    out.extend_from_slice(b"BODY[");
    out.extend_from_slice(section.map(section_name).unwrap_or_default().as_bytes());
    out.push(b']');
    let data = match partial {
        Some((from, count)) => {
            out.extend_from_slice(format!("<{from}>").as_bytes());
            let (from, count) = (from as usize, count as usize);
            data.map(|data| data.into_iter().skip(from).take(count).collect())
        }
        None => data,
    };
    out.push(b' ');
    put_nstring(out, data.as_deref());
}

/// A section as it stands between the brackets.
fn section_name(section: &Section<'_>) -> String {
    let with = |part: &Option<Numbers>, word: &str| match part {
        Some(part) => format!("{}.{word}", dotted(part)),
        None => word.to_owned(),
    };
    let list = |names: &[imap_codec::imap_types::core::AString<'_>]| {
        let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name.as_ref()).into_owned()).collect();
        names.join(" ")
    };
    match section {
        Section::Part(part) => dotted(part),
        Section::Mime(part) => format!("{}.MIME", dotted(part)),
        Section::Header(part) => with(part, "HEADER"),
        Section::Text(part) => with(part, "TEXT"),
        Section::HeaderFields(part, names) => format!("{} ({})", with(part, "HEADER.FIELDS"), list(names.as_ref())),
        Section::HeaderFieldsNot(part, names) => {
            format!("{} ({})", with(part, "HEADER.FIELDS.NOT"), list(names.as_ref()))
        }
    }
}

fn dotted(part: &Numbers) -> String {
    part.0.as_ref().iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

/// The bytes of a section; `None` for a part that is not there, and for the header or text of a part, which only a
/// `message/rfc822` part has.
fn section_bytes(bytes: &[u8], section: Option<&Section<'_>>) -> Option<Vec<u8>> {
    let Some(section) = section else { return Some(bytes.to_vec()) };
    let mail = Part::of(bytes);
    let numbered = |part: &Numbers| {
        let numbers: Vec<u32> = part.0.as_ref().iter().map(|number| number.get()).collect();
        mail.numbered(&numbers)
    };
    let chosen = |names: &[imap_codec::imap_types::core::AString<'_>], wanted: bool| {
        let named = |field: &&super::parts::Field<'_>| {
            names.iter().any(|name| field.is(&String::from_utf8_lossy(name.as_ref()))) == wanted
        };
        let mut out: Vec<u8> = fields(mail.header).iter().filter(named).flat_map(|field| field.raw.to_vec()).collect();
        out.extend_from_slice(b"\r\n");
        out
    };
    match section {
        Section::Part(part) => numbered(part).map(|part| part.body.to_vec()),
        Section::Mime(part) => numbered(part).map(|part| part.header.to_vec()),
        Section::Header(None) => Some(mail.header.to_vec()),
        Section::Text(None) => Some(mail.body.to_vec()),
        Section::HeaderFields(None, names) => Some(chosen(names.as_ref(), true)),
        Section::HeaderFieldsNot(None, names) => Some(chosen(names.as_ref(), false)),
        Section::Header(Some(_))
        | Section::Text(Some(_))
        | Section::HeaderFields(Some(_), _)
        | Section::HeaderFieldsNot(Some(_), _) => None,
    }
}

/// `ENVELOPE`: header values as they stand, encoded words and all.
fn put_envelope(out: &mut Vec<u8>, mail: &Part<'_>) {
    let from = mail.value("From");
    out.push(b'(');
    put_nstring(out, mail.value("Date").as_deref());
    out.push(b' ');
    put_nstring(out, mail.value("Subject").as_deref());
    for name in ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"] {
        // A missing Sender or Reply-To is the From (RFC 3501 §7.4.2).
        let stands_in = || if matches!(name, "Sender" | "Reply-To") { from.clone() } else { None };
        out.push(b' ');
        put_addresses(out, mail.value(name).or_else(stands_in).as_deref());
    }
    for name in ["In-Reply-To", "Message-ID"] {
        out.push(b' ');
        put_nstring(out, mail.value(name).as_deref());
    }
    out.push(b')');
}

/// An address list; groups and comments are not told apart from addresses, the sample has none.
fn put_addresses(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        out.extend_from_slice(b"NIL");
        return;
    };
    out.push(b'(');
    for address in split_list(value) {
        let text = String::from_utf8_lossy(address);
        let (name, email) = match text.rsplit_once('<') {
            Some((name, email)) => (name.trim().trim_matches('"'), email.trim_end_matches([' ', '>'])),
            None => ("", text.trim()),
        };
        let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
        out.push(b'(');
        put_nstring(out, Some(name.as_bytes()).filter(|name| !name.is_empty()));
        out.extend_from_slice(b" NIL ");
        put_string(out, local.as_bytes());
        out.push(b' ');
        put_string(out, domain.as_bytes());
        out.push(b')');
    }
    out.push(b')');
}

/// Cuts at commas outside quotation marks.
fn split_list(value: &[u8]) -> Vec<&[u8]> {
    let mut quoted = false;
    value
        .split(|byte| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        })
        .filter(|piece| !piece.trim_ascii().is_empty())
        .collect()
}

/// `BODYSTRUCTURE` without extension data, which is the same as `BODY`.
fn put_structure(out: &mut Vec<u8>, part: &Part<'_>) {
    let kind = part.content_type();
    out.push(b'(');
    if part.children.is_empty() {
        // What could not be cut, and an attached message, is shown as opaque.
        let opaque = matches!(kind.main.as_str(), "MULTIPART" | "MESSAGE");
        let (main, sub) =
            if opaque { ("APPLICATION", "OCTET-STREAM") } else { (kind.main.as_str(), kind.sub.as_str()) };
        put_string(out, main.as_bytes());
        out.push(b' ');
        put_string(out, sub.as_bytes());
        out.push(b' ');
        put_parameters(out, &kind.parameters);
        out.extend_from_slice(b" NIL NIL ");
        let encoding = part.value("Content-Transfer-Encoding").unwrap_or_else(|| b"7BIT".to_vec());
        put_string(out, &encoding.to_ascii_uppercase());
        out.extend_from_slice(format!(" {}", part.body.len()).as_bytes());
        if main == "TEXT" {
            let lines = part.body.iter().filter(|byte| **byte == b'\n').count();
            out.extend_from_slice(format!(" {lines}").as_bytes());
        }
    } else {
        for child in &part.children {
            put_structure(out, child);
        }
        out.push(b' ');
        put_string(out, kind.sub.as_bytes());
    }
    out.push(b')');
}

fn put_parameters(out: &mut Vec<u8>, parameters: &[(String, String)]) {
    if parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (at, (name, value)) in parameters.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        put_string(out, name.as_bytes());
        out.push(b' ');
        put_string(out, value.as_bytes());
    }
    out.push(b')');
}
