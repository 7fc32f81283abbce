//! Cuts a message into header, body and MIME parts by position, for FETCH. Decodes nothing: a mail client does.
//!
//! Total within limits; a part it cannot cut stays whole. A `message/rfc822` part is shown as one opaque part.

/// Deepest nesting that is cut.
const DEPTH_MAX: usize = 8;
/// Most parts of one multipart that are cut.
const PARTS_MAX: usize = 50;

/// A message or one of its parts.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// The header lines with the empty line that ends them.
    pub header: &'a [u8],
    /// Everything after it.
    pub body: &'a [u8],
    /// The parts of a multipart; empty for anything else.
    pub children: Vec<Part<'a>>,
}

impl<'a> Part<'a> {
    /// Cuts a message with CRLF line ends.
    pub fn of(bytes: &'a [u8]) -> Part<'a> {
        Part::within(bytes, DEPTH_MAX)
    }

    fn within(bytes: &'a [u8], depth: usize) -> Part<'a> {
        let (header, body) = split_header(bytes);
        let mut part = Part { header, body, children: Vec::new() };
        let kind = part.content_type();
        let boundary = kind.parameter("BOUNDARY").filter(|_| depth > 0 && kind.main == "MULTIPART");
        if let Some(boundary) = boundary {
            let pieces = split_multipart(body, boundary).into_iter();
            part.children = pieces.map(|piece| Part::within(piece, depth - 1)).collect();
        }
        part
    }

    /// The part with this number, e.g. `[1, 2]` (RFC 3501 §6.4.5). A message that is no multipart is its own part 1.
    pub fn numbered(&self, numbers: &[u32]) -> Option<&Part<'a>> {
        let Some((first, rest)) = numbers.split_first() else { return Some(self) };
        if self.children.is_empty() {
            return (*first == 1 && rest.is_empty()).then_some(self);
        }
        let child = self.children.get(usize::try_from(*first).ok()?.checked_sub(1)?)?;
        if rest.is_empty() { Some(child) } else { child.numbered(rest) }
    }

    /// The unfolded value of the first header of this name.
    pub fn value(&self, name: &str) -> Option<Vec<u8>> {
        fields(self.header).into_iter().find(|field| field.is(name)).map(|field| field.value())
    }

    /// `Content-Type`, or what RFC 2045 §5.2 says when there is none.
    pub fn content_type(&self) -> ContentType {
        let value = self.value("Content-Type").unwrap_or_default();
        ContentType::of(&String::from_utf8_lossy(&value))
    }
}

/// A media type with its parameters, names in upper case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentType {
    pub main: String,
    pub sub: String,
    pub parameters: Vec<(String, String)>,
}

impl ContentType {
    fn of(value: &str) -> ContentType {
        let mut pieces = value.split(';');
        let kind = pieces.next().unwrap_or_default().trim().to_ascii_uppercase();
        let Some((main, sub)) = kind.split_once('/') else {
            let charset = ("CHARSET".to_owned(), "us-ascii".to_owned());
            return ContentType { main: "TEXT".to_owned(), sub: "PLAIN".to_owned(), parameters: vec![charset] };
        };
        let parameter = |piece: &str| {
            let (name, value) = piece.split_once('=')?;
            Some((name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()))
        };
        ContentType { main: main.to_owned(), sub: sub.to_owned(), parameters: pieces.filter_map(parameter).collect() }
    }

    /// The value of a parameter; the name in upper case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One header field with its folded lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    name: &'a [u8],
    /// The whole field, line ends included.
    pub raw: &'a [u8],
}

impl Field<'_> {
    /// Whether it has this name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, trimmed.
    pub fn value(&self) -> Vec<u8> {
        let value = self.raw.get(self.name.len() + 1..).unwrap_or_default();
        let one_line: Vec<u8> = value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
        one_line.trim_ascii().to_vec()
    }
}

/// The fields of a header block.
pub(super) fn fields(header: &[u8]) -> Vec<Field<'_>> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if !matches!(line.first(), None | Some(b' ' | b'\t')) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([at]);
    let field = |(start, end): (usize, usize)| {
        let raw = header.get(start..end)?;
        let colon = raw.iter().position(|byte| *byte == b':')?;
        Some(Field { name: raw.get(..colon)?.trim_ascii(), raw })
    };
    starts.iter().copied().zip(ends).filter_map(field).collect()
}

fn split_header(bytes: &[u8]) -> (&[u8], &[u8]) {
    let empty_line = if bytes.starts_with(b"\r\n") {
        Some(2)
    } else {
        bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
    };
    empty_line.and_then(|at| bytes.split_at_checked(at)).unwrap_or((bytes, &[]))
}

/// The bytes between the delimiter lines (RFC 2046 §5.1.1): the CRLF before a delimiter belongs to the delimiter.
fn split_multipart<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut pieces = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        if let Some(rest) = line.strip_prefix(delimiter.as_slice()) {
            if let Some(piece) = start.and_then(|start| body.get(start..at)) {
                pieces.push(piece.strip_suffix(b"\r\n").unwrap_or(piece));
            }
            if rest.starts_with(b"--") || pieces.len() >= PARTS_MAX {
                return pieces;
            }
            start = Some(at + line.len());
        }
        at += line.len();
    }
    // The closing delimiter is missing: what is there is still the last part.
    pieces.extend(start.and_then(|start| body.get(start..)));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"Subject: a\r\n b\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n\r\npreamble\r\n--x\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\none\r\n--x\r\n\r\ntwo\r\n--x--\r\n";

    #[test]
    fn a_multipart_is_cut_at_its_delimiters() {
        let mail = Part::of(MAIL);
        let bodies: Vec<&[u8]> = mail.children.iter().map(|part| part.body).collect();
        assert_eq!(bodies, [&b"one"[..], b"two"]);
        assert_eq!(mail.value("subject"), Some(b"a b".to_vec()));
        assert_eq!(mail.numbered(&[2]).map(|part| part.body), Some(&b"two"[..]));
        assert!(mail.numbered(&[3]).is_none() && mail.numbered(&[1, 2]).is_none());
        let first = mail.numbered(&[1]).unwrap().content_type();
        assert_eq!((first.main.as_str(), first.parameter("CHARSET")), ("TEXT", Some("utf-8")));
    }

    #[test]
    fn broken_mail_stays_whole() {
        for bytes in [&b""[..], b"no header", b"A: b\r\n", b"\r\nbody", b"Content-Type: multipart/mixed\r\n\r\nx"] {
            let mail = Part::of(bytes);
            assert_eq!([mail.header, mail.body].concat(), bytes);
            assert!(mail.children.is_empty());
        }
    }
}
