//! Bytes to commands and answers to bytes. Decides nothing about mail.

use std::io;

use imap_codec::{
    fragmentizer::{FragmentInfo, Fragmentizer, LiteralAnnouncement},
    imap_types::core::LiteralMode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{COMMAND_BYTES_MAX, LITERAL_BYTES_MAX, SILENCE_MAX};

/// Bytes read at once.
const READ_BYTES: usize = 8 << 10;

/// What a client sent.
pub(super) enum Received {
    /// A whole command with its literals, line end included.
    Command(Vec<u8>),
    /// A command beyond the limits; it was skipped. With its tag where there was one.
    TooLong(Option<String>),
    /// The client left.
    Closed,
}

/// A connection in commands.
pub(super) struct Wire {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    fragments: Fragmentizer,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Wire {
        let (reader, writer) = stream.into_split();
        Wire { reader, writer, fragments: Fragmentizer::new(LITERAL_BYTES_MAX + COMMAND_BYTES_MAX) }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await
    }

    /// The next command. Agrees to literals within the limit and refuses longer ones. May be dropped and called again
    /// while no literal is under way: bytes that came stay in the fragmentizer.
    pub async fn receive(&mut self) -> io::Result<Received> {
        loop {
            let Some(fragment) = self.fragments.progress() else {
                let mut buffer = [0; READ_BYTES];
                let read = tokio::time::timeout(SILENCE_MAX, self.reader.read(&mut buffer));
                let length = read.await.map_err(|_| io::ErrorKind::TimedOut)??;
                match buffer.get(..length) {
                    Some(bytes) if !bytes.is_empty() => self.fragments.enqueue_bytes(bytes),
                    _ => return Ok(Received::Closed),
                }
                continue;
            };
            if let FragmentInfo::Line { announcement: Some(LiteralAnnouncement { mode, length }), .. } = fragment {
                if length > LITERAL_BYTES_MAX && mode == LiteralMode::Sync {
                    let tag = self.tag();
                    self.fragments.skip_message();
                    return Ok(Received::TooLong(tag));
                }
                if mode == LiteralMode::Sync {
                    self.write(b"+ go on\r\n").await?;
                }
                continue;
            }
            if self.fragments.is_message_complete() {
                return Ok(if self.fragments.is_max_message_size_exceeded() {
                    Received::TooLong(self.tag())
                } else {
                    Received::Command(self.fragments.message_bytes().to_vec())
                });
            }
        }
    }

    fn tag(&self) -> Option<String> {
        self.fragments.decode_tag().map(|tag| tag.as_ref().to_owned())
    }
}

/// Longest text sent as a quoted string, in bytes; longer ones go as a literal.
const QUOTED_BYTES_MAX: usize = 500;

/// Appends a string (RFC 3501 §4.3): quoted where it may be, else a literal.
pub(super) fn put_string(out: &mut Vec<u8>, value: &[u8]) {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~');
    if value.len() <= QUOTED_BYTES_MAX && value.iter().all(plain) {
        out.push(b'"');
        for byte in value {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(format!("{{{}}}\r\n", value.len()).as_bytes());
        out.extend_from_slice(value);
    }
}

/// Appends a string or `NIL`.
pub(super) fn put_nstring(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => put_string(out, value),
        None => out.extend_from_slice(b"NIL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_where_they_may_be() {
        for (given, expected) in [
            (&b"a b"[..], &b"\"a b\""[..]),
            (b"", b"\"\""),
            (b"say \"\\\"", b"\"say \\\"\\\\\\\"\""),
            (b"two\r\nlines", b"{10}\r\ntwo\r\nlines"),
            ("ü".as_bytes(), b"{2}\r\n\xc3\xbc"),
        ] {
            let mut out = Vec::new();
            put_string(&mut out, given);
            assert_eq!(out, expected);
        }
    }
}
