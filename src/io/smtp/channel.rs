//! The stream below the conversation: TCP, TLS from the first byte or after STARTTLS, and the greeting.
//!
//! Everything before lettre takes over is read byte by byte, so that nothing that came unprotected is left in a buffer
//! when the protected part begins. Without that, one injected reply shifts all later ones, and a refused mail looks
//! accepted.

use std::{
    fmt::Display,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use lettre::transport::smtp::{
    client::AsyncTokioStream,
    commands::{Ehlo, Starttls},
    extension::ClientId,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::{
    clean,
    config::{Server, Tls},
    delivery::{PhaseEnd, SmtpReply},
    io::{crash, tls},
};

/// Longest reply line taken, in bytes; RFC 5321 §4.5.3.1.5 allows 512, and servers write more.
const LINE_BYTES_MAX: usize = 2048;
/// Most lines of one reply.
const LINES_MAX: usize = 100;
/// Longest text of a reply kept, in characters.
pub(super) const TEXT_CHARS_MAX: usize = 200;

/// What lettre is given to read first. The real greeting has been read and judged already.
const GREETING_FOR_LETTRE: &[u8] = b"220 ready\r\n";

/// A connection to a submission server.
#[derive(Debug)]
pub(super) struct Channel {
    lead: &'static [u8],
    stream: Stream,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A reply with its lines, before it is shortened to a text.
struct Lines {
    code: u16,
    lines: Vec<String>,
}

/// Who we say we are (RFC 5321 §4.1.3): an address literal that tells nothing about this machine.
pub(super) fn hello() -> ClientId {
    ClientId::Ipv4(Ipv4Addr::LOCALHOST)
}

/// A failure in few words.
pub(super) fn failure(what: impl Display) -> PhaseEnd {
    PhaseEnd::Failure(clean::line_within(&what.to_string(), TEXT_CHARS_MAX))
}

impl Lines {
    fn into_end(self) -> PhaseEnd {
        let text = clean::line_within(&self.lines.join(" "), TEXT_CHARS_MAX);
        PhaseEnd::Reply(SmtpReply { code: self.code, text })
    }

    /// Gives the reply back when it has the code, else it is how the phase ended.
    fn expect(self, code: u16) -> Result<Lines, PhaseEnd> {
        if self.code == code { Ok(self) } else { Err(self.into_end()) }
    }

    fn offers(&self, extension: &str) -> bool {
        let keyword = |line: &String| line.split_whitespace().next().is_some_and(|k| k.eq_ignore_ascii_case(extension));
        self.lines.iter().skip(1).any(keyword)
    }
}

impl Channel {
    /// TCP to the server. A connection that is to stay unprotected must end on this machine, whatever its name is.
    pub async fn reach(server: &Server) -> Result<Channel, PhaseEnd> {
        let stream = tls::reach(&server.host, server.port).await.map_err(failure)?;
        let to_loopback = stream.peer_addr().is_ok_and(|address| address.ip().is_loopback());
        if server.tls == Tls::NoneLoopback && !to_loopback {
            return Err(failure("a connection without TLS is only made to this machine"));
        }
        Ok(Channel { lead: b"", stream: Stream::Plain(stream) })
    }

    /// Asks for TLS on a plain connection (RFC 3207) and demands it.
    pub async fn ask_for_tls(&mut self) -> Result<(), PhaseEnd> {
        let hello = self.command(Ehlo::new(hello())).await?.expect(250)?;
        if !hello.offers("STARTTLS") {
            return Err(failure("the server offers no STARTTLS: check `port` and `tls`; nothing was sent"));
        }
        self.command(Starttls).await?.expect(220)?;
        let mut more = [0; 1];
        match &self.stream {
            // RFC 3207 §4.2: what was said before TLS does not count, and the server has to wait for our handshake.
            Stream::Plain(stream) if matches!(stream.try_read(&mut more), Ok(n) if n > 0) => {
                Err(failure("the server went on talking after STARTTLS: somebody may be in between"))
            }
            _ => Ok(()),
        }
    }

    /// The TLS handshake.
    pub async fn protect(self, server: &Server) -> Result<Channel, PhaseEnd> {
        let Stream::Plain(stream) = self.stream else { return Ok(self) };
        let stream = tls::connect(stream, &server.host, server.ca_file.as_deref()).await.map_err(failure)?;
        Ok(Channel { lead: self.lead, stream: Stream::Tls(Box::new(stream)) })
    }

    /// The server's greeting.
    pub async fn greeting(&mut self) -> Result<(), PhaseEnd> {
        self.reply().await?.expect(220).map(drop)
    }

    /// Hands the connection over to lettre, which wants to read a greeting.
    pub fn for_lettre(mut self) -> Box<Channel> {
        self.lead = GREETING_FOR_LETTRE;
        Box::new(self)
    }

    async fn command(&mut self, command: impl Display) -> Result<Lines, PhaseEnd> {
        self.write_all(command.to_string().as_bytes()).await.map_err(failure)?;
        self.flush().await.map_err(failure)?;
        self.reply().await
    }

    /// One reply (RFC 5321 §4.2.1), and not a byte more.
    async fn reply(&mut self) -> Result<Lines, PhaseEnd> {
        let mut lines = Vec::new();
        let mut first_code = None;
        while lines.len() < LINES_MAX {
            let line = self.line().await?;
            let (code, rest) = line.split_at_checked(3).ok_or_else(no_smtp)?;
            let code: u16 = code.parse().map_err(|_| no_smtp())?;
            if !(200..600).contains(&code) || *first_code.get_or_insert(code) != code {
                return Err(no_smtp());
            }
            let (mark, text) = rest.split_at_checked(1).unwrap_or((" ", ""));
            lines.push(text.to_owned());
            match mark {
                " " => return Ok(Lines { code, lines }),
                "-" => {}
                _ => return Err(no_smtp()),
            }
        }
        Err(failure("the server's reply does not end"))
    }

    /// A line without its end, read byte by byte.
    async fn line(&mut self) -> Result<String, PhaseEnd> {
        let mut line = Vec::new();
        while line.len() < LINE_BYTES_MAX {
            let byte = self.read_u8().await.map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => failure("the server closed the connection"),
                _ => failure(error),
            })?;
            if byte == b'\n' {
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                return Ok(String::from_utf8_lossy(line).into_owned());
            }
            line.push(byte);
        }
        Err(no_smtp())
    }
}

fn no_smtp() -> PhaseEnd {
    failure("what came is not SMTP: check `port` and `tls`")
}

impl AsyncTokioStream for Channel {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(stream) => stream.peer_addr(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Channel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.lead.is_empty() {
            let (now, later) = self.lead.split_at(self.lead.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.lead = later;
            return Poll::Ready(Ok(()));
        }
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Channel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        };
        if matches!(flushed, Poll::Ready(Ok(()))) {
            crash::point("after a command of SMTP");
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
