//! Stands between the network and the parser and refuses what would harm it: literals larger than what was asked
//! for (the parser allocates what is announced), endless lines (it starts over with every read), deep nesting (it
//! recurses), and floods. It must not interpret responses beyond finding their borders.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest response outside literals, in bytes. A SEARCH result of 100,000 UIDs fits.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Deepest parentheses outside literals. What we ask for nests twice; the parser's stack ends near 1,000.
const NESTING_MAX: u32 = 200;
/// First bytes of a response that are kept to tell status responses from data: `* PREAUTH `.
const HEAD_BYTES: usize = 10;

/// What a server may send in answer to one command.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// All literals of one response together, in bytes.
    pub literal: u64,
    /// Everything, in bytes.
    pub total: u64,
}

impl Allowance {
    /// For commands that fetch no mail: names and numbers.
    pub const SMALL: Allowance = Allowance { literal: 64 * 1024, total: 16 * 1024 * 1024 };
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// A literal larger than what was asked for.
    #[error("the server announced {announced} bytes where at most {allowed} were asked for")]
    Literal {
        /// Its size in bytes.
        announced: u64,
        /// The limit in bytes.
        allowed: u64,
    },
    /// A response without end.
    #[error("the server sent a line longer than {LINE_BYTES_MAX} bytes")]
    Line,
    /// Nested too deep.
    #[error("the server nested parentheses deeper than {NESTING_MAX}")]
    Nesting,
    /// More than one command can answer.
    #[error("the server sent more than the {allowed} bytes that an answer can have")]
    Flood {
        /// The limit in bytes.
        allowed: u64,
    },
    /// A status line that ends like the announcement of a literal; two readers could disagree about what follows.
    #[error("the server ended a status line with the announcement of a literal")]
    Ambiguous,
}

/// A stream whose reading side is watched.
#[derive(Debug)]
pub struct Guard<S> {
    inner: S,
    scan: Scan,
    moved: Arc<AtomicU64>,
}

impl<S> Guard<S> {
    /// Watches a stream that starts at the border of a response.
    pub fn new(inner: S) -> Guard<S> {
        Guard { inner, scan: Scan::new(), moved: Arc::default() }
    }

    /// Sets what the server may send from now on.
    pub fn allow(&mut self, allowance: Allowance) {
        self.scan.allowance = allowance;
        self.scan.total = 0;
    }

    /// Counts the bytes moved in both directions: whether a slow transfer makes progress.
    pub fn moved(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.moved)
    }
}

/// `{` digits `}` CR before a line feed announces a literal (RFC 3501 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announcement {
    None,
    Open,
    Digits(u64),
    Closed(u64),
    Return(u64),
}

impl Announcement {
    fn next(self, byte: u8) -> Announcement {
        match (self, byte) {
            (_, b'{') => Announcement::Open,
            (Announcement::Open, b'0'..=b'9') => Announcement::Digits(u64::from(byte - b'0')),
            (Announcement::Digits(n), b'0'..=b'9') => {
                Announcement::Digits(n.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
            }
            (Announcement::Digits(n), b'}') => Announcement::Closed(n),
            (Announcement::Closed(n), b'\r') => Announcement::Return(n),
            _ => Announcement::None,
        }
    }
}

#[derive(Debug)]
struct Scan {
    allowance: Allowance,
    /// Bytes since the allowance was set.
    total: u64,
    /// Bytes left of the literal that is passing.
    literal_left: u64,
    /// Bytes of literals in this response.
    literals: u64,
    /// Bytes of this response outside literals.
    line: u64,
    head: Vec<u8>,
    depth: u32,
    quoted: bool,
    previous: u8,
    announcement: Announcement,
}

impl Scan {
    fn new() -> Scan {
        Scan {
            allowance: Allowance::SMALL,
            total: 0,
            literal_left: 0,
            literals: 0,
            line: 0,
            head: Vec::with_capacity(HEAD_BYTES),
            depth: 0,
            quoted: false,
            previous: 0,
            announcement: Announcement::None,
        }
    }

    /// Looks at bytes in their order, wherever reads happen to cut them.
    fn pass(&mut self, bytes: &mut [u8]) -> Result<(), Breach> {
        self.total = self.total.saturating_add(bytes.len() as u64);
        if self.total > self.allowance.total {
            return Err(Breach::Flood { allowed: self.allowance.total });
        }
        let mut rest = bytes.iter_mut();
        while let Some(byte) = rest.next() {
            if self.literal_left == 0 {
                self.pass_byte(byte)?;
                continue;
            }
            self.literal_left -= 1;
            let skipped = self.literal_left.min(rest.len() as u64);
            self.literal_left -= skipped;
            if let Some(last) = usize::try_from(skipped).ok().and_then(|n| n.checked_sub(1)) {
                rest.nth(last);
            }
        }
        Ok(())
    }

    fn pass_byte(&mut self, byte: &mut u8) -> Result<(), Breach> {
        // The parser cuts one byte after a response code and would cut a wider character in two.
        if self.previous == b']' && *byte >= 0x80 {
            *byte = b'?';
        }
        let byte = *byte;
        self.line += 1;
        if self.line > LINE_BYTES_MAX {
            return Err(Breach::Line);
        }
        if self.head.len() < HEAD_BYTES {
            self.head.push(byte.to_ascii_uppercase());
        }
        if byte == b'\n' {
            return self.end_of_line();
        }
        let escaped = self.quoted && self.previous == b'\\';
        match byte {
            b'"' if !escaped && !self.is_status() => self.quoted = !self.quoted,
            b'(' if !self.quoted => self.depth += 1,
            b')' if !self.quoted => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > NESTING_MAX {
            return Err(Breach::Nesting);
        }
        self.announcement = self.announcement.next(byte);
        // An escaped backslash escapes nothing.
        self.previous = if escaped { 0 } else { byte };
        Ok(())
    }

    fn end_of_line(&mut self) -> Result<(), Breach> {
        let announced = match self.announcement {
            Announcement::Return(announced) => Some(announced),
            _ => None,
        };
        self.announcement = Announcement::None;
        self.previous = 0;
        self.quoted = false;
        let Some(announced) = announced else {
            (self.line, self.literals, self.depth) = (0, 0, 0);
            self.head.clear();
            return Ok(());
        };
        if self.is_status() {
            return Err(Breach::Ambiguous);
        }
        self.literals = self.literals.saturating_add(announced);
        if self.literals > self.allowance.literal {
            return Err(Breach::Literal { announced: self.literals, allowed: self.allowance.literal });
        }
        self.literal_left = announced;
        Ok(())
    }

    /// Whether this response is one whose end is free text: tagged, a continuation, or `* OK` and its kin.
    fn is_status(&self) -> bool {
        let Some(data) = self.head.strip_prefix(b"* ") else { return true };
        [b"OK".as_slice(), b"NO", b"BAD", b"BYE", b"PREAUTH"]
            .iter()
            .any(|word| data.strip_prefix(*word).is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\r'))))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let fresh = buf.filled_mut().get_mut(before..).unwrap_or_default();
        self.moved.fetch_add(fresh.len() as u64, Ordering::Relaxed);
        Poll::Ready(self.scan.pass(fresh).map_err(|breach| io::Error::new(io::ErrorKind::InvalidData, breach)))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        self.moved.fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(allowance: Allowance, input: &[u8], cut: usize) -> (Result<(), Breach>, Vec<u8>) {
        let mut scan = Scan::new();
        scan.allowance = allowance;
        let mut bytes = input.to_vec();
        let result = bytes.chunks_mut(cut).try_for_each(|chunk| scan.pass(chunk));
        (result, bytes)
    }

    #[test]
    fn what_harms_the_parser_is_refused() {
        let deep = format!("* 1 FETCH {}\r\n", "(".repeat(201));
        let long = format!("* SEARCH{}\r\n", " 1".repeat(600_000));
        let nested_in_literal = format!("* 1 FETCH (BODY[] {{300}}\r\n{})\r\n", "(".repeat(300));
        let flood = "* 1 EXISTS\r\n".repeat(1000);
        let literal = |announced| Err(Breach::Literal { announced, allowed: 1000 });
        let cases: &[(&str, Result<(), Breach>)] = &[
            ("* 1 FETCH (BODY[] {5}\r\nhello)\r\nA OK done\r\n", Ok(())),
            ("* 1 FETCH (BODY[] {400000000}\r\n", literal(400_000_000)),
            ("* 1 FETCH (BODY[] {99999999999999999999999}\r\n", literal(u64::MAX)),
            ("* 1 FETCH (BODY[1] {600}\r\n", Ok(())),
            // Text of a mail that looks like an announcement is text.
            ("* 1 FETCH (BODY[] {13}\r\n{400000000}\r\n)\r\n", Ok(())),
            // Free text that looks like one would let the next line pass as text.
            ("* OK hi {500}\r\n* 1 FETCH (BODY[] {400000000}\r\n", Err(Breach::Ambiguous)),
            ("A1 NO [BADCHARSET ({5}\r\n", Err(Breach::Ambiguous)),
            ("+ {5}\r\n", Err(Breach::Ambiguous)),
            (&deep, Err(Breach::Nesting)),
            (&nested_in_literal, Ok(())),
            ("* LIST () \"/\" \"((\\\"((\"\r\n", Ok(())),
            (&long, Err(Breach::Line)),
            (&flood, Err(Breach::Flood { allowed: 10_000 })),
        ];
        for (input, expected) in cases {
            let total = if input.len() > 1_000_000 { 10_000_000 } else { 10_000 };
            for cut in [1, 7, 4096] {
                let (result, _) = scanned(Allowance { literal: 1000, total }, input.as_bytes(), cut);
                assert_eq!(&result, expected, "{:.60} cut {cut}", input);
            }
        }
    }

    #[test]
    fn literals_of_one_response_add_up() {
        let response = b"* 1 FETCH (BODY[1] {600}\r\n".iter().chain([b'x'; 600].iter()).chain(b" BODY[2] {600}\r\n");
        let (result, _) =
            scanned(Allowance { literal: 1000, total: 10_000 }, &response.copied().collect::<Vec<_>>(), 9);
        assert_eq!(result, Err(Breach::Literal { announced: 1200, allowed: 1000 }));
    }

    #[test]
    fn a_wide_character_after_a_code_does_not_reach_the_parser() {
        let (result, bytes) = scanned(Allowance::SMALL, "* OK [ALERT]é\r\n* OK [ALERT] é\r\n".as_bytes(), 3);
        assert_eq!(result, Ok(()));
        assert!(bytes.starts_with(b"* OK [ALERT]?"));
        assert!(bytes.ends_with("[ALERT] é\r\n".as_bytes()));
    }

    /// Pieces of responses, plausible and not.
    const PIECES: &[&[u8]] = &[
        b"* ",
        b"+ ",
        b"O1 ",
        b"OK ",
        b"NO ",
        b"BAD ",
        b"BYE ",
        b"[ALERT]",
        b"[UIDVALIDITY 7]",
        b"[APPENDUID 7 8:9]",
        b"[",
        b"]",
        b"[BADCHARSET (",
        b"[CAPABILITY IMAP4rev1]",
        b"CAPABILITY IMAP4rev1",
        b"SEARCH",
        b" 4294967295",
        b" 0",
        b" 4294967296",
        b"7 FETCH (",
        b"UID 9",
        b" RFC822.SIZE 3",
        b" BODY[]",
        b"<0>",
        b" {3}\r\n",
        b" {0}\r\n",
        b" NIL",
        b" INTERNALDATE \"x\"",
        b" FLAGS (\\Seen)",
        b"LIST (\\Drafts) \"/\" ",
        b"\"a\\\"b\"",
        b"(",
        b")",
        b"\"",
        b"\\",
        b" ",
        b"\xc3\xa9",
        b"\xff",
        b"\0",
        b"abc",
        b"7 EXISTS",
        b"7 EXPUNGE",
        b"ID (\"a\" \"b\")",
        b"STATUS x (",
        b"QUOTA \"\" (",
        b"VANISHED (EARLIER) 1:2",
        b"METADATA \"\" (",
        b"X-GM-LABELS (",
        b"\r\n",
        b"\r\n",
        b"\n",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(10_000))]

        #[test]
        fn what_passes_does_not_panic_the_parser(picks in proptest::collection::vec(0..PIECES.len(), 1..16)) {
            let mut bytes: Vec<u8> = picks.iter().flat_map(|pick| PIECES[*pick]).copied().collect();
            bytes.extend_from_slice(b"\r\n");
            let mut scan = Scan::new();
            if scan.pass(&mut bytes).is_ok() {
                let mut rest = bytes.as_slice();
                while let Ok((more, _)) = async_imap::imap_proto::Response::parse(rest) {
                    rest = more;
                }
            }
        }
    }
}
