//! What stands between hostile bytes and the MIME parser: limits before it, a net around it, a safe end after it.
//!
//! mail-parser 0.11 has no limits of its own, drops nested messages by recursion (30,000 levels overflow a 2 MiB
//! stack) and compares the parameters of one `Content-Type` pair by pair. This file bounds what it is given. It must
//! not look at what a message says.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};

use mail_parser::{HeaderName, MessageParser, PartType};
use memchr::{memchr, memchr_iter, memchr2_iter};

use super::Defect;

/// Bytes of a message that are parsed. Sixteen times what is fetched; attachments behind it are not read anyway.
const BYTES_MAX: usize = 1 << 20;

/// Bytes of the header section. Real ones stay below 40 KiB even with several ARC sets.
const HEADER_BYTES_MAX: usize = 256 << 10;

/// Nested messages, and multiparts, that a message may declare. Beyond it only the headers are read.
const NESTED_MAX: usize = 100;

/// As [`NESTED_MAX`], where a comment stands between type and subtype: legal, never seen, but prose looks like it.
const NESTED_WITH_COMMENT_MAX: usize = 1000;

/// Parameters of one header field that the parser may meet; it compares continued ones pair by pair.
const PARAMETERS_MAX: usize = 1000;

/// Parts that are looked at. Honest mail has fewer than 50.
pub(super) const PARTS_MAX: usize = 1000;

/// Bytes that may go to the parser.
pub(super) struct Admitted<'x> {
    /// The bytes, perhaps cut.
    pub bytes: &'x [u8],
    /// Whether the body must not be parsed.
    pub headers_only: bool,
    /// What was cut, and why.
    pub defects: Vec<Defect>,
}

/// Decides what of `bytes` the parser gets to see.
pub(super) fn admit(bytes: &[u8]) -> Admitted<'_> {
    let mut admitted = Admitted { bytes, headers_only: false, defects: Vec::new() };
    admitted.cut_at(BYTES_MAX);
    if let Some(start) = overloaded_field(admitted.bytes) {
        admitted.cut_at(start);
    }
    if header_section(admitted.bytes).len() > HEADER_BYTES_MAX {
        admitted.cut_at(HEADER_BYTES_MAX);
        admitted.headers_only = true;
    }
    if nests_too_often(admitted.bytes) {
        admitted.headers_only = true;
        admitted.defects.push(Defect::TooDeep);
    }
    admitted
}

impl Admitted<'_> {
    fn cut_at(&mut self, length: usize) {
        if let Some((head, tail)) = self.bytes.split_at_checked(length)
            && !tail.is_empty()
        {
            self.bytes = head;
            if !self.defects.contains(&Defect::Truncated) {
                self.defects.push(Defect::Truncated);
            }
        }
    }
}

/// The lines of some bytes, each with its line feed.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, tail) = rest.split_at_checked(end)?;
        rest = tail;
        (!line.is_empty()).then_some(line)
    })
}

/// The bytes before the first empty line; all of them where there is none.
pub(super) fn header_section(bytes: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in lines(bytes) {
        if end > 0 && matches!(line, b"\n" | b"\r\n") {
            break;
        }
        end += line.len();
    }
    bytes.get(..end).unwrap_or(bytes)
}

/// Where the first unfolded line with more parameters than [`PARAMETERS_MAX`] starts.
fn overloaded_field(bytes: &[u8]) -> Option<usize> {
    let count = |byte, bytes| memchr_iter(byte, bytes).count();
    // What the whole does not hold no line does.
    if count(b'*', bytes) <= PARAMETERS_MAX || count(b';', bytes) <= PARAMETERS_MAX {
        return None;
    }
    let (mut start, mut offset, mut semicolons, mut stars) = (0, 0, 0, 0);
    for line in lines(bytes) {
        if !line.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
            (start, semicolons, stars) = (offset, 0, 0);
        }
        semicolons += count(b';', line);
        stars += count(b'*', line);
        if semicolons > PARAMETERS_MAX && stars > PARAMETERS_MAX {
            return Some(start);
        }
        offset += line.len();
    }
    None
}

/// Whether `message/…` or `multipart/…` stands in the bytes more often than any honest mail needs it. Counting the
/// words bounds the depth of every structure that the parser can build from them, wherever they stand.
fn nests_too_often(bytes: &[u8]) -> bool {
    let (mut plain, mut commented) = (0, 0);
    for at in memchr2_iter(b'/', b'(', bytes) {
        let Some((before, mark)) = bytes.split_at_checked(at) else { break };
        let before = before.trim_ascii_end();
        let named = [b"message".as_slice(), b"multipart"].iter().any(|word| {
            let end = before.len().checked_sub(word.len()).and_then(|start| before.get(start..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(word))
        });
        if named {
            *(if mark.starts_with(b"/") { &mut plain } else { &mut commented }) += 1;
        }
    }
    plain > NESTED_MAX || commented > NESTED_WITH_COMMENT_MAX
}

/// The parser failed on the bytes.
#[derive(Debug)]
pub(super) struct Failed;

/// Parses and hands the structure to `read`; `None` where the bytes hold no header field at all.
pub(super) fn parsed<T>(
    admitted: &Admitted<'_>,
    read: impl FnOnce(&mail_parser::Message<'_>) -> T,
) -> Result<Option<T>, Failed> {
    let attempt = || {
        let message =
            if admitted.headers_only { PARSER.parse_headers(admitted.bytes) } else { PARSER.parse(admitted.bytes) };
        message.map(|message| {
            let structure = Structure(message);
            read(&structure.0)
        })
    };
    catch_unwind(AssertUnwindSafe(attempt)).map_err(|_| Failed)
}

/// Runs a parser of a single value; `None` where it failed.
pub(super) fn caught<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

/// Finds the structure and nothing else. Fields are read one by one from their bytes, the first of a name first.
/// `Content-Transfer-Encoding` is parsed in a form that makes the parser leave parts encoded: it would otherwise
/// decode nested messages and parse them by recursion, out of sight of the limits above.
static PARSER: LazyLock<MessageParser> = LazyLock::new(|| {
    MessageParser::new()
        .header_content_type(HeaderName::ContentType)
        .header_content_type(HeaderName::ContentDisposition)
        .header_content_type(HeaderName::ContentTransferEncoding)
        .default_header_ignore()
});

/// A parsed message that is taken apart level by level instead of by recursion.
struct Structure<'x>(mail_parser::Message<'x>);

impl Drop for Structure<'_> {
    fn drop(&mut self) {
        let mut left = std::mem::take(&mut self.0.parts);
        while let Some(part) = left.pop() {
            if let PartType::Message(mut inner) = part.body {
                left.append(&mut inner.parts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_name_their_defect() {
        let nested = "Content-Type: message/rfc822\n\n".repeat(30_000);
        let spread = "Content-Type: MESSAGE\n /rfc822\n\n".repeat(30_000);
        let commented = "Content-Type: message(c)/rfc822\n\n".repeat(30_000);
        let long_headers = format!("From: a@b.example\nX-Long: {}\n\nhello", "x".repeat(300_000));
        let parameters = format!("From: a@b.example\nContent-Type: text/plain;{}\n\nhi", " a*1=b;".repeat(2000));
        for (bytes, headers_only, defects) in [
            ("From: a@b.example\n\nhello", false, vec![]),
            (nested.as_str(), true, vec![Defect::TooDeep]),
            (&spread, true, vec![Defect::TooDeep]),
            (&commented, true, vec![Defect::TooDeep]),
            (&long_headers, true, vec![Defect::Truncated]),
            (&parameters, false, vec![Defect::Truncated]),
            (&format!("A: b\n\n{}", "x\n".repeat(BYTES_MAX)), false, vec![Defect::Truncated]),
        ] {
            let admitted = admit(bytes.as_bytes());
            assert_eq!((admitted.headers_only, admitted.defects), (headers_only, defects), "{:.60}", bytes);
        }
    }

    #[test]
    fn the_structure_ends_without_recursion() {
        let bytes = "Content-Type: message/rfc822\n\n".repeat(30_000);
        let unguarded = Admitted { bytes: bytes.as_bytes(), headers_only: false, defects: Vec::new() };
        let small_stack = std::thread::Builder::new().stack_size(1 << 19);
        std::thread::scope(|scope| {
            small_stack.spawn_scoped(scope, || assert!(parsed(&unguarded, |_| ()).is_ok())).unwrap().join().unwrap();
        });
    }
}
