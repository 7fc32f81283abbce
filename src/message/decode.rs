//! Bytes to text: transfer encodings and charsets. Never fails; what cannot be read becomes U+FFFD.

use mail_parser::decoders::{base64::base64_decode, charsets::map::charset_decoder};
use memchr::memchr;

use super::guard;

/// How the bytes of a part are encoded (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransferEncoding {
    /// `7bit`, `8bit`, `binary` or unknown: taken as they are.
    Identity,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
}

impl TransferEncoding {
    /// Reads the header's value.
    pub(super) fn named(name: &str) -> TransferEncoding {
        if name.eq_ignore_ascii_case("base64") {
            TransferEncoding::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            TransferEncoding::QuotedPrintable
        } else {
            TransferEncoding::Identity
        }
    }
}

/// The text of a part, and whether some bytes did not belong to the charset.
pub(super) fn text(bytes: &[u8], encoding: TransferEncoding, charset: Option<&str>) -> (String, bool) {
    let decoded;
    let bytes = match encoding {
        TransferEncoding::Identity => bytes,
        TransferEncoding::Base64 => {
            decoded = base64(bytes);
            &decoded
        }
        TransferEncoding::QuotedPrintable => {
            decoded = quoted_printable(bytes);
            &decoded
        }
    };
    in_charset(bytes, charset)
}

/// Base64 up to the first padding or foreign byte; a fetch may end in the middle of a group.
fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut clean: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        .collect();
    match clean.len() % 4 {
        1 => clean.truncate(clean.len() - 1),
        2 => clean.extend_from_slice(b"=="),
        3 => clean.push(b'='),
        _ => {}
    }
    base64_decode(&clean).unwrap_or_default()
}

/// Quoted-printable as it comes: an `=` that starts no code stays one. (mail-parser's decoder gives up on the whole
/// part there.)
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for line in guard::lines(bytes) {
        let content = line.trim_ascii_end();
        let (content, soft) = match content.strip_suffix(b"=") {
            Some(content) => (content, true),
            None => (content, false),
        };
        let mut rest = content;
        while let Some((before, code_on)) = memchr(b'=', rest).and_then(|at| rest.split_at_checked(at)) {
            out.extend_from_slice(before);
            rest = match code_on {
                [_, high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    out.push((hex(*high) << 4) | hex(*low));
                    after
                }
                _ => {
                    out.push(b'=');
                    code_on.get(1..).unwrap_or_default()
                }
            };
        }
        out.extend_from_slice(rest);
        if !soft && line.ends_with(b"\n") {
            out.push(b'\n');
        }
    }
    out
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}

/// Mail without a charset, or with one that is not known, is UTF-8 where it can be and Windows-1252 otherwise. Text
/// declared `us-ascii` is read the same way: senders of 8-bit text declare it more often than not.
pub(super) fn in_charset(bytes: &[u8], charset: Option<&str>) -> (String, bool) {
    let declared = charset.map(|c| c.trim().trim_matches(['"', '\''])).filter(|c| !c.is_empty() && is_specific(c));
    let decoder = declared.and_then(|charset| charset_decoder(charset.as_bytes()));
    if let Some(decoder) = decoder {
        let text = guard::caught(|| decoder(bytes)).unwrap_or_default();
        let bad = text.contains('\u{fffd}');
        return (text, bad);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        // A fetch may end inside a character.
        Err(e) if e.error_len().is_none() => {
            (String::from_utf8_lossy(bytes).trim_end_matches('\u{fffd}').to_owned(), false)
        }
        Err(_) => {
            let text = charset_decoder(b"windows-1252").map(|decoder| decoder(bytes));
            (text.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned()), true)
        }
    }
}

/// Whether a charset name says more than "some text".
fn is_specific(charset: &str) -> bool {
    !["us-ascii", "ascii", "ansi_x3.4-1968", "utf-8", "utf8", "unknown", "unknown-8bit", "x-unknown"]
        .iter()
        .any(|c| charset.eq_ignore_ascii_case(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_and_encodings() {
        use TransferEncoding::*;
        for (bytes, encoding, charset, expected) in [
            (&b"gr\xfc\xdfe"[..], Identity, Some("iso-8859-1"), ("grüße", false)),
            (b"gr\xfc\xdfe", Identity, None, ("grüße", true)),
            (b"gr\xfc\xdfe", Identity, Some("us-ascii"), ("grüße", true)),
            (b"gr\xc3\xbc\xc3\x9fe", Identity, Some("unknown-8bit"), ("grüße", false)),
            (b"gr=C3=BC=\r\n=C3=9Fe", QuotedPrintable, Some("utf-8"), ("grüße", false)),
            (b"100 % = all =3D =\n", QuotedPrintable, None, ("100 % = all = ", false)),
            (b"Z3LDvMOf\r\nZQ==", Base64, Some("UTF-8"), ("grüße", false)),
            (b"Z3LDvMOfZSBh", Base64, Some("UTF-8"), ("grüße a", false)),
            (b"Z3LDvMOfZSBhZ", Base64, Some("UTF-8"), ("grüße a", false)),
            (b"\x1b$B$3$s\x1b(B", Identity, Some("iso-2022-jp"), ("こん", false)),
            (b"\xd0\xd2\xc9", Identity, Some("koi8-r"), ("при", false)),
            (b"abc\xe2\x82", Identity, Some("utf-8"), ("abc", false)),
        ] {
            let (text, bad) = text(bytes, encoding, charset);
            assert_eq!((text.as_str(), bad), expected, "{bytes:?} {charset:?}");
        }
    }
}
