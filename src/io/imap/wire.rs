//! One connection and the rule that a command has succeeded when its own tagged OK has come, and not before.
//!
//! Untagged NO and BAD are warnings (RFC 3501 §7.1); tagged ones are refusals; BYE, the end of the stream, silence and
//! anything that is not IMAP are errors. It must not be used after an error: its owner drops it.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

use super::Deadlines;
use super::command::Command;
use super::error::{ImapError, Kind, Phase};
use super::guard::{Allowance, Breach, Guard};
use super::reply::{Reply, Tagged, Untagged};

/// What carries the bytes: TLS, or TCP to a loopback address.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin + Debug {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin + Debug> Socket for S {}

/// A connection whose greeting may still be unread.
#[derive(Debug)]
pub struct Wire {
    client: async_imap::Client<Guard<Box<dyn Socket>>>,
    /// Commands sent, for tags that never repeat.
    sent: u32,
    /// `host:port`.
    pub server: String,
    /// How long waits may take.
    pub deadlines: Deadlines,
    /// The right to be the only connection to a server that takes one; it ends with the connection.
    pub line: Option<OwnedMutexGuard<()>>,
}

impl Wire {
    /// Takes a connection that stands before a response of the server.
    pub fn new(socket: Box<dyn Socket>, server: String, deadlines: Deadlines) -> Wire {
        Wire { client: async_imap::Client::new(Guard::new(socket)), sent: 0, server, deadlines, line: None }
    }

    /// An error of this connection.
    pub fn error(&self, phase: Phase, kind: Kind) -> ImapError {
        ImapError { server: self.server.clone(), phase, kind }
    }

    /// Sets what the server may send from now on.
    pub fn allow(&mut self, allowance: Allowance) {
        self.client.get_mut().allow(allowance);
    }

    /// Sends a command and returns its tag.
    pub async fn start(&mut self, phase: Phase, command: &Command<'_>) -> Result<String, ImapError> {
        let line = command.line().map_err(|why| self.error(phase, Kind::Argument(why)))?;
        self.start_line(phase, &line).await
    }

    /// Sends a line under a new tag. For logging in, whose lines hold secrets and are made where they are sent;
    /// everything else goes through [`Wire::start`].
    pub async fn start_line(&mut self, phase: Phase, line: &str) -> Result<String, ImapError> {
        self.sent = self.sent.wrapping_add(1);
        let tag = format!("O{}", self.sent);
        self.write(phase, &[tag.as_bytes(), b" ", line.as_bytes(), b"\r\n"]).await?;
        Ok(tag)
    }

    /// Sends bytes as they are, in one go. Not through `async-imap`, which would show them in a trace log.
    pub async fn write(&mut self, phase: Phase, parts: &[&[u8]]) -> Result<(), ImapError> {
        let bytes = parts.concat();
        let stream = self.client.get_mut();
        let sent = match stream.write_all(&bytes).await {
            Ok(()) => stream.flush().await,
            Err(error) => Err(error),
        };
        sent.map_err(|error| self.error(phase, explain(&error)))
    }

    /// The next response. Safe to cancel: what has been read stays with the connection.
    pub async fn next(&mut self, phase: Phase) -> Result<Reply, ImapError> {
        match self.client.read_response().await {
            Ok(Some(response)) => Ok(Reply::read(response.parsed())),
            Ok(None) => Err(self.error(phase, Kind::Lost)),
            Err(error) => Err(self.error(phase, explain(&error))),
        }
    }

    /// Reads up to the tagged response to `tag`, handing untagged ones to `note`. BYE is an error but for LOGOUT.
    pub async fn finish(
        &mut self,
        phase: Phase,
        tag: &str,
        mut note: impl FnMut(Untagged),
    ) -> Result<Tagged, ImapError> {
        loop {
            match self.next(phase).await? {
                Reply::Tagged(tagged) if tagged.tag == tag => return Ok(tagged),
                Reply::Tagged(_) => {
                    return Err(self.out_of_step(phase, "the server answered a command that was not given"));
                }
                Reply::Continue(_) => {
                    return Err(self.out_of_step(phase, "the server asks for more where there is no more"));
                }
                Reply::Untagged(Untagged::Bye(text)) if phase != Phase::Logout => {
                    return Err(self.error(phase, Kind::Bye(text)));
                }
                Reply::Untagged(untagged) => note(untagged),
            }
        }
    }

    /// Runs a command to its tagged OK within the deadline for commands.
    pub async fn complete(
        &mut self,
        phase: Phase,
        command: &Command<'_>,
        note: impl FnMut(Untagged),
    ) -> Result<(), ImapError> {
        let tagged = self.run(phase, command, note).await?;
        if tagged.ok { Ok(()) } else { Err(self.error(phase, tagged.refusal())) }
    }

    /// Runs a command to its tagged response, whatever that is, within the deadline for commands.
    pub async fn run(
        &mut self,
        phase: Phase,
        command: &Command<'_>,
        note: impl FnMut(Untagged),
    ) -> Result<Tagged, ImapError> {
        self.allow(Allowance::SMALL);
        let within = self.deadlines.command;
        let work = async {
            let tag = self.start(phase, command).await?;
            self.finish(phase, &tag, note).await
        };
        match tokio::time::timeout(within, work).await {
            Ok(result) => result,
            Err(_) => Err(self.error(phase, Kind::Timeout(within))),
        }
    }

    /// Counts bytes moved, for [`while_moving`].
    pub fn moved(&self) -> std::sync::Arc<AtomicU64> {
        self.client.get_ref().moved()
    }

    /// The error of a server that answers something else.
    pub fn out_of_step(&self, phase: Phase, what: &str) -> ImapError {
        self.error(phase, Kind::Protocol(what.to_owned()))
    }
}

/// Awaits `work` as long as bytes move at least once every `still`, and `total` at most. `None` when it gave up.
pub async fn while_moving<T>(
    work: impl Future<Output = T>,
    moved: &AtomicU64,
    still: Duration,
    total: Duration,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let end = Instant::now() + total;
    let mut seen = moved.load(Ordering::Relaxed);
    loop {
        let until = (Instant::now() + still).min(end);
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            () = sleep_until(until) => {
                let now = moved.load(Ordering::Relaxed);
                if now == seen || until >= end {
                    return None;
                }
                seen = now;
            }
        }
    }
}

/// What a failed read or write means. The parser's own error holds what it read, so none of its text is used.
fn explain(error: &io::Error) -> Kind {
    if let Some(breach) = error.get_ref().and_then(|e| e.downcast_ref::<Breach>()) {
        return Kind::Protocol(breach.to_string());
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted => Kind::Lost,
        io::ErrorKind::Other if error.raw_os_error().is_none() => {
            Kind::Protocol("the server sent something that cannot be read".to_owned())
        }
        kind => Kind::Network(kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_transfer_ends_when_nothing_moves_or_it_takes_too_long() {
        let second = Duration::from_secs(1);
        let moved = AtomicU64::new(0);
        let dripping = async {
            for _ in 0..20 {
                tokio::time::sleep(second).await;
                moved.fetch_add(1, Ordering::Relaxed);
            }
        };
        assert_eq!(while_moving(dripping, &moved, 3 * second, 60 * second).await, Some(()));
        let dripping = async {
            loop {
                tokio::time::sleep(second).await;
                moved.fetch_add(1, Ordering::Relaxed);
            }
        };
        assert_eq!(while_moving::<()>(dripping, &moved, 3 * second, 60 * second).await, None);
        assert_eq!(while_moving::<()>(std::future::pending(), &moved, 3 * second, 60 * second).await, None);
    }
}
