//! The address on this machine that the browser comes back to (RFC 8252 §7.3): one request with the right state is
//! taken, everything else is turned away, and the port is closed.
//!
//! It must not show the code to anybody, nor listen on any other address than 127.0.0.1.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use oauth2::url::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::secret::Secret;

/// Longest request head, in bytes; codes have some hundred.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long one visitor may take to say what it wants: browsers open connections they do not use.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Longest time for telling a visitor how it went.
const REPLY_WITHIN: Duration = Duration::from_secs(5);

const DONE: &str = "Onward may open this mailbox now. You can close this window.";
const DENIED: &str = "The provider did not grant access. You can close this window; the terminal says more.";
const UNKNOWN: &str = "This is not the visit Onward waits for.";

/// What the browser brought.
#[derive(Debug)]
pub(super) enum Visit {
    /// The code to exchange.
    Code(Secret),
    /// The provider's reason.
    Denied(String),
}

/// The open port.
#[derive(Debug)]
pub(super) struct Listener {
    listener: TcpListener,
    port: u16,
}

impl Listener {
    /// Opens a free port on the loopback address.
    pub async fn open() -> io::Result<Listener> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        Ok(Listener { listener, port })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the visit that knows `state`. The caller sets the deadline.
    pub async fn visit(self, state: &Secret) -> io::Result<Visit> {
        loop {
            let (mut stream, _) = self.listener.accept().await?;
            let head = timeout(HEAD_WITHIN, head(&mut stream)).await.unwrap_or_default();
            let visit = head.as_deref().and_then(|head| read(head, state));
            let (status, text) = match &visit {
                Some(Visit::Code(_)) => ("200 OK", DONE),
                Some(Visit::Denied(_)) => ("200 OK", DENIED),
                None => ("404 Not Found", UNKNOWN),
            };
            let _ = timeout(REPLY_WITHIN, reply(&mut stream, status, text)).await;
            if let Some(visit) = visit {
                return Ok(visit);
            }
        }
    }
}

/// The head of a request, as far as it is complete.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        if bytes.len() > HEAD_BYTES_MAX || stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8(bytes).ok()
}

async fn reply(stream: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
    // No referrer: the address the browser stands on has the code in it.
    let page = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await
}

/// What a request brings, if it is the one that was asked for.
fn read(head: &str, state: &Secret) -> Option<Visit> {
    let target = head.lines().next()?.strip_prefix("GET ")?.split(' ').next()?;
    let url = Url::parse("http://127.0.0.1/").ok()?.join(target).ok()?;
    let find = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    // Who does not know the state was not sent here by us (RFC 6749 §10.12).
    if url.path() != "/" || find("state")? != state.expose() {
        return None;
    }
    match find("error") {
        Some(error) => Some(Visit::Denied(find("error_description").unwrap_or(error))),
        None => find("code").filter(|code| !code.is_empty()).map(|code| Visit::Code(Secret::new(code))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_visit_with_the_state_counts() {
        let state = Secret::new("s+1".to_owned());
        for (line, expected) in [
            ("GET /?code=abc%2F1&state=s%2B1 HTTP/1.1", Some("abc/1")),
            ("GET /?state=s%2B1&error=access_denied HTTP/1.1", Some("access_denied")),
            ("GET /?state=s%2B1&error=x&error_description=No+thanks HTTP/1.1", Some("No thanks")),
            ("GET /?code=abc&state=other HTTP/1.1", None),
            ("GET /?code=abc HTTP/1.1", None),
            ("GET /?code=&state=s%2B1 HTTP/1.1", None),
            ("GET /favicon.ico HTTP/1.1", None),
            ("GET /x?code=abc&state=s%2B1 HTTP/1.1", None),
            ("POST /?code=abc&state=s%2B1 HTTP/1.1", None),
            ("\u{1}", None),
            ("", None),
        ] {
            let found = read(&format!("{line}\r\nHost: x\r\n\r\n"), &state).map(|visit| match visit {
                Visit::Code(code) => code.expose().to_owned(),
                Visit::Denied(why) => why,
            });
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }
}
