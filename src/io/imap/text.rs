//! How values are written in commands: quoted strings, mailbox names, dates. Nothing reaches a server that did not go
//! through [`quote`].

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use jiff::civil::Date;

/// Longest quoted string, in bytes: mailbox names and ids are far shorter, and command lines stay below 1,000.
const QUOTED_BYTES_MAX: usize = 500;

/// Base64 of modified UTF-7: `,` for `/`, no padding (RFC 3501 §5.1.3).
const MAILBOX_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::IMAP_MUTF7,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A quoted string (RFC 3501 §4.3). What could end the line or the string, or is not ASCII, is refused.
pub fn quote(text: &str) -> Result<String, &'static str> {
    if text.len() > QUOTED_BYTES_MAX {
        return Err("a value is longer than the 500 bytes that are sent to a server");
    }
    if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(
            "a value holds a line break, a control character or a character outside ASCII, which IMAP cannot quote",
        );
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    Ok(out)
}

/// Undoes the escapes inside a quoted string, which the parser leaves in place.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    out
}

/// A mailbox name as it goes over the wire: modified UTF-7 (RFC 3501 §5.1.3). `Entwürfe` becomes `Entw&APw-rfe`.
pub fn encode_mailbox(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut shifted = Vec::new();
    for c in name.chars() {
        // Control characters stay as they are: `quote` refuses them, rather than a mailbox nobody asked for.
        if c.is_ascii() {
            unshift(&mut out, &mut shifted);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    unshift(&mut out, &mut shifted);
    out
}

fn unshift(out: &mut String, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        out.push('&');
        MAILBOX_BASE64.encode_string(&shifted, out);
        out.push('-');
        shifted.clear();
    }
}

/// The name behind modified UTF-7. A name that is not valid stays as it came, so that it can still be shown and named.
pub fn decode_mailbox(wire: &str) -> String {
    decoded(wire).unwrap_or_else(|| wire.to_owned())
}

fn decoded(wire: &str) -> Option<String> {
    let mut out = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((plain, after)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, after) = after.split_once('-')?;
        rest = after;
        if code.is_empty() {
            out.push('&');
            continue;
        }
        let bytes = MAILBOX_BASE64.decode(code).ok()?;
        let units: Vec<u16> =
            bytes.chunks(2).map(|pair| pair.try_into().map(u16::from_be_bytes).ok()).collect::<Option<_>>()?;
        out.push_str(&String::from_utf16(&units).ok()?);
    }
    out.push_str(rest);
    Some(out)
}

/// A date in SEARCH: `1-Feb-2026` (RFC 3501 §9, `date-text`).
pub fn search_date(date: Date) -> String {
    date.strftime("%-d-%b-%Y").to_string()
}

/// INTERNALDATE: ` 1-Feb-2026 09:30:00 +0100` (RFC 3501 §9, `date-time`). `None` where it cannot be read.
pub fn internal_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_string_cannot_be_left() {
        for (given, expected) in [
            ("INBOX", Some(r#""INBOX""#)),
            ("", Some(r#""""#)),
            (r#"a"b\c"#, Some(r#""a\"b\\c""#)),
            ("a\r\nZ1 DELETE \"INBOX\"", None),
            ("a\nb", None),
            ("a\0b", None),
            ("a\u{1b}b", None),
            ("é", None),
        ] {
            assert_eq!(quote(given).ok().as_deref(), expected, "{given:?}");
        }
        assert!(quote(&"x".repeat(501)).is_err());
    }

    #[test]
    fn mailbox_names_in_modified_utf7() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("[Gmail]/Brouillons", "[Gmail]/Brouillons"),
            ("R&D", "R&-D"),
            ("日本語", "&ZeVnLIqe-"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(encode_mailbox(name), wire);
            assert_eq!(decode_mailbox(wire), name);
        }
        for broken in ["a&", "a&b", "&!!-", "&AP-", "&2D0-"] {
            assert_eq!(decode_mailbox(broken), broken);
        }
    }

    #[test]
    fn dates() {
        assert_eq!(search_date(jiff::civil::date(2026, 2, 1)), "1-Feb-2026");
        for (text, expected) in [
            (" 1-Feb-2026 09:30:00 +0100", Some("2026-02-01T08:30:00Z")),
            ("17-Nov-2026 23:59:59 -0500", Some("2026-11-18T04:59:59Z")),
            ("yesterday", None),
        ] {
            assert_eq!(internal_date(text).map(|t| t.to_string()).as_deref(), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_name_survives_the_wire(name in "\\PC*") {
            proptest::prop_assert_eq!(decode_mailbox(&encode_mailbox(&name)), name);
        }
    }
}
