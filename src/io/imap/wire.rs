//! One connection and the rule that a command has succeeded when its own tagged OK has come, and not before.
//!
//! Untagged NO and BAD are warnings (RFC 3501 §7.1); tagged ones are refusals; BYE, the end of the stream, silence and
//! anything that is not IMAP are errors. It must not be used after an error: its owner drops it.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_imap::imap_proto::rfc4315::UidSetMember;
use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, NameAttribute, Outcome, Response, ResponseCode, Status,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until};

use super::Deadlines;
use super::command::Command;
use super::error::{ImapError, Kind, Phase, quoted};
use super::fetch::Item;
use super::guard::{Allowance, Breach, Guard};
use super::list::Listed;
use super::text::internal_date;

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
}

/// One response of a server.
#[derive(Debug)]
pub enum Reply {
    /// Data or a warning.
    Untagged(Untagged),
    /// `+`: the server waits for more.
    Continue,
    /// The end of a command.
    Tagged(Tagged),
}

/// The part of untagged responses that is used.
#[derive(Debug)]
pub enum Untagged {
    /// Names as the server gives them, e.g. `IDLE`, `AUTH=PLAIN`.
    Capabilities(Vec<String>),
    /// Number of messages in the mailbox.
    Exists(u32),
    /// Something else about the mailbox changed.
    Changed,
    /// UIDVALIDITY.
    UidValidity(u32),
    /// UIDNEXT.
    UidNext(u32),
    /// Results of a search.
    Search(Vec<u32>),
    /// A mailbox.
    List(Listed),
    /// Facts of one message.
    Fetch(Item),
    /// PREAUTH.
    PreAuth,
    /// Goodbye, with the server's words.
    Bye(String),
    /// Anything else: keepalives, warnings, extensions.
    Other,
}

/// How a command ended.
#[derive(Debug)]
pub struct Tagged {
    tag: String,
    /// OK.
    pub ok: bool,
    /// APPENDUID: UIDVALIDITY and UID (RFC 4315 §3).
    pub append_uid: Option<(u32, u32)>,
    /// The response code, upper case.
    pub code: Option<String>,
    /// The server's words, cleaned.
    pub text: String,
}

impl Tagged {
    /// The refusal this is.
    pub fn refusal(self) -> Kind {
        Kind::Refused { code: self.code, text: self.text }
    }
}

impl Wire {
    /// Takes a connection that stands before a response of the server.
    pub fn new(socket: Box<dyn Socket>, server: String, deadlines: Deadlines) -> Wire {
        Wire { client: async_imap::Client::new(Guard::new(socket)), sent: 0, server, deadlines }
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
            Ok(Some(response)) => Ok(reply(response.parsed())),
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
                Reply::Continue => {
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

    fn out_of_step(&self, phase: Phase, what: &str) -> ImapError {
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

fn reply(response: &Response<'_>) -> Reply {
    match response {
        Response::Continue(_) => Reply::Continue,
        Response::Done { tag, status, outcome } => Reply::Tagged(tagged(tag.0.clone(), *status == Status::Ok, outcome)),
        other => Reply::Untagged(untagged(other)),
    }
}

fn tagged(tag: String, ok: bool, outcome: &Outcome<'_>) -> Tagged {
    let text = outcome.information.as_deref().unwrap_or_default();
    let (code, text) = match &outcome.code {
        Some(code) => (known_code(code), text),
        None => foreign_code(text),
    };
    let append_uid = match &outcome.code {
        Some(ResponseCode::AppendUid(validity, uids)) => match uids.as_slice() {
            [UidSetMember::Uid(uid)] => Some((*validity, *uid)),
            _ => None,
        },
        _ => None,
    };
    Tagged { tag, ok, append_uid, code, text: quoted(text) }
}

/// Codes the parser takes off the text, as far as a refusal carries them.
fn known_code(code: &ResponseCode<'_>) -> Option<String> {
    let name = match code {
        ResponseCode::Alert => "ALERT",
        ResponseCode::TryCreate => "TRYCREATE",
        ResponseCode::ReadOnly => "READ-ONLY",
        ResponseCode::Parse => "PARSE",
        ResponseCode::BadCharset(_) => "BADCHARSET",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Codes the parser does not know and leaves in the text, e.g. `[AUTHENTICATIONFAILED] no` (RFC 5530).
fn foreign_code(text: &str) -> (Option<String>, &str) {
    let parts = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((code, rest)) = parts else { return (None, text) };
    let atom = code.split(' ').next().unwrap_or_default();
    let valid = !atom.is_empty() && atom.len() <= 40 && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if valid { (Some(atom.to_ascii_uppercase()), rest.trim_start()) } else { (None, text) }
}

fn untagged(response: &Response<'_>) -> Untagged {
    match response {
        Response::Capabilities(capabilities) => Untagged::Capabilities(capabilities.iter().map(capability).collect()),
        Response::Data { status: Status::Bye, outcome } => {
            Untagged::Bye(quoted(outcome.information.as_deref().unwrap_or_default()))
        }
        Response::Data { status: Status::PreAuth, .. } => Untagged::PreAuth,
        Response::Data { status: Status::Ok, outcome } => match outcome.code {
            Some(ResponseCode::UidValidity(value)) => Untagged::UidValidity(value),
            Some(ResponseCode::UidNext(value)) => Untagged::UidNext(value),
            _ => Untagged::Other,
        },
        Response::MailboxData(MailboxDatum::Exists(count)) => Untagged::Exists(*count),
        Response::MailboxData(MailboxDatum::Search(uids)) => Untagged::Search(uids.clone()),
        Response::MailboxData(MailboxDatum::List(data)) => {
            let attributes = data.name_attributes.iter().map(attribute).collect();
            Listed::new(&data.name, attributes).map_or(Untagged::Other, Untagged::List)
        }
        Response::MailboxData(MailboxDatum::Recent(_)) | Response::Expunge(_) | Response::Vanished { .. } => {
            Untagged::Changed
        }
        Response::Fetch(_, attributes) => Untagged::Fetch(item(attributes)),
        _ => Untagged::Other,
    }
}

fn capability(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4rev1".to_owned(),
        Capability::Auth(name) => format!("AUTH={name}"),
        Capability::Atom(name) => name.to_string(),
    }
}

fn attribute(attribute: &NameAttribute<'_>) -> String {
    match attribute {
        NameAttribute::NoInferiors => "\\NoInferiors",
        NameAttribute::NoSelect => "\\Noselect",
        NameAttribute::Marked => "\\Marked",
        NameAttribute::Unmarked => "\\Unmarked",
        NameAttribute::All => "\\All",
        NameAttribute::Archive => "\\Archive",
        NameAttribute::Drafts => "\\Drafts",
        NameAttribute::Flagged => "\\Flagged",
        NameAttribute::Junk => "\\Junk",
        NameAttribute::Sent => "\\Sent",
        NameAttribute::Trash => "\\Trash",
        NameAttribute::Extension(name) => name,
        _ => "",
    }
    .to_owned()
}

fn item(attributes: &[AttributeValue<'_>]) -> Item {
    let mut item = Item::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => item.uid = Some(*uid),
            AttributeValue::InternalDate(text) => item.internal_date = internal_date(text),
            AttributeValue::Rfc822Size(size) => item.size = Some(*size),
            AttributeValue::BodySection { section: None, data, .. } => item.body = data.as_deref().map(<[u8]>::to_vec),
            _ => {}
        }
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_wherever_the_parser_leaves_them() {
        for (line, code, text) in [
            (
                "A NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
                Some("AUTHENTICATIONFAILED"),
                "Authentication failed.",
            ),
            ("A NO [TRYCREATE] Mailbox doesn't exist\r\n", Some("TRYCREATE"), "Mailbox doesn't exist"),
            ("A NO [overquota] Full\r\n", Some("OVERQUOTA"), "Full"),
            ("A NO [ALERT] Invalid credentials (Failure)\r\n", Some("ALERT"), "Invalid credentials (Failure)"),
            ("A BAD \r\n", None, ""),
            ("A NO [not a code\r\n", None, "[not a code"),
            ("A NO [\u{1b}[31m] x\r\n", None, "[[31m] x"),
        ] {
            let (_, response) = Response::parse(line.as_bytes()).unwrap();
            let Reply::Tagged(tagged) = reply(&response) else { panic!("{line}") };
            assert_eq!((tagged.ok, tagged.code.as_deref(), tagged.text.as_str()), (false, code, text), "{line}");
        }
    }

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
