//! One connection: the states of RFC 3501 §3 and a method for each command.

mod selected;

use std::io;

use imap_codec::{
    AuthenticateDataCodec, CommandCodec, IdleDoneCodec,
    decode::Decoder,
    imap_types::{
        IntoStatic,
        auth::{AuthMechanism, AuthenticateData},
        command::{Command, CommandBody},
        extensions::binary::LiteralOrLiteral8,
        flag::Flag,
        mailbox::{ListMailbox, Mailbox},
        status::StatusDataItemName,
    },
};
use jiff::Timestamp;
use tokio::{net::TcpStream, sync::watch};

use super::{
    PASSWORD, USER,
    state::{Mailboxes, Stored, UID_VALIDITY},
    told_to_stop,
    wire::{Received, Wire},
};

use selected::View;

/// What is offered (RFC 3501 §7.2.1); LITERAL+ and IDLE are what Onward and mail clients look for.
const CAPABILITIES: &str = "IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ ID IDLE UIDPLUS SPECIAL-USE UNSELECT";
/// Refusals after which a connection is closed, so that guessing is slow.
const REFUSALS_MAX: u32 = 3;
/// Commands that make no sense, after which a connection is closed: the client talks another protocol.
const NONSENSE_MAX: u32 = 20;

/// Talks to one client until it leaves or the server stops.
pub(super) async fn serve(stream: TcpStream, mailboxes: &Mailboxes, stopped: watch::Receiver<bool>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut session = Session {
        wire: Wire::new(stream),
        mailboxes,
        stopped,
        out: format!("* OK [CAPABILITY {CAPABILITIES}] Onward's sample mailbox\r\n").into_bytes(),
        logged_in: false,
        refusals: 0,
        nonsense: 0,
        view: None,
    };
    session.flush().await?;
    while session.next().await? == Next::Go {}
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Close,
}

/// How a command ends: the tagged line without its tag, e.g. `OK done`.
type End = String;

struct Session<'a> {
    wire: Wire,
    mailboxes: &'a Mailboxes,
    stopped: watch::Receiver<bool>,
    out: Vec<u8>,
    logged_in: bool,
    refusals: u32,
    nonsense: u32,
    view: Option<View>,
}

impl Session<'_> {
    async fn next(&mut self) -> io::Result<Next> {
        let received = tokio::select! {
            () = told_to_stop(&mut self.stopped) => return self.goodbye("the sample server stops").await,
            received = self.wire.receive() => received?,
        };
        let bytes = match received {
            Received::Closed => return Ok(Next::Close),
            Received::TooLong(tag) => return self.refuse(tag.as_deref(), "longer than the sample server takes").await,
            Received::Command(bytes) => without_list_options(bytes),
        };
        match CommandCodec::default().decode(&bytes) {
            Ok((_, command)) => self.answer(command).await,
            Err(_) => {
                let tag = bytes.split(|byte| *byte == b' ').next().and_then(|tag| std::str::from_utf8(tag).ok());
                let tag = tag.filter(|tag| !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()));
                self.refuse(tag, "unknown command or arguments").await
            }
        }
    }

    async fn answer(&mut self, command: Command<'_>) -> io::Result<Next> {
        let Command { tag, body } = command;
        let tag = tag.as_ref().to_owned();
        let by_number = matches!(
            body,
            CommandBody::Fetch { uid: false, .. }
                | CommandBody::Store { uid: false, .. }
                | CommandBody::Search { uid: false, .. }
        );
        let end = match body {
            CommandBody::Logout => {
                self.line("* BYE until next time");
                self.line(&format!("{tag} OK logged out"));
                self.flush().await?;
                return Ok(Next::Close);
            }
            CommandBody::Idle if self.logged_in => match self.idle().await? {
                Some(end) => end,
                None => return Ok(Next::Close),
            },
            CommandBody::Authenticate { mechanism: AuthMechanism::Plain, initial_response } if !self.logged_in => {
                let given = match initial_response {
                    Some(given) => Some(given.declassify().to_vec()),
                    None => self.sasl_answer().await?,
                };
                given.map_or_else(|| "BAD no credentials came".to_owned(), |given| self.plain(&given))
            }
            body => self.run(body),
        };
        if !by_number {
            // Messages must not be renumbered while a command speaks of numbers (RFC 3501 §7.4.1).
            self.show_changes();
        }
        self.line(&format!("{tag} {end}"));
        self.flush().await?;
        if self.refusals >= REFUSALS_MAX { self.goodbye("too many attempts").await } else { Ok(Next::Go) }
    }

    /// Commands that need nothing more from the client.
    fn run(&mut self, body: CommandBody<'_>) -> End {
        match body {
            CommandBody::Capability => {
                self.line(&format!("* CAPABILITY {CAPABILITIES}"));
                ok()
            }
            CommandBody::Noop => ok(),
            CommandBody::Id { .. } => {
                self.line(concat!(
                    "* ID (\"name\" \"Onward sample server\" \"version\" \"",
                    env!("CARGO_PKG_VERSION"),
                    "\")"
                ));
                ok()
            }
            CommandBody::Login { username, password } if !self.logged_in => {
                self.login(username.as_ref(), password.declassify().as_ref())
            }
            CommandBody::Login { .. } | CommandBody::Authenticate { .. } if self.logged_in => {
                "BAD logged in already".to_owned()
            }
            CommandBody::Authenticate { .. } => "NO only PLAIN is known here".to_owned(),
            _ if !self.logged_in => "NO log in first".to_owned(),
            CommandBody::List { mailbox_wildcard, .. } => self.list("LIST", &mailbox_wildcard),
            CommandBody::Lsub { mailbox_wildcard, .. } => self.list("LSUB", &mailbox_wildcard),
            CommandBody::Status { mailbox, item_names } => self.status(&mailbox, &item_names),
            CommandBody::Select { mailbox } => self.select(&mailbox, false),
            CommandBody::Examine { mailbox } => self.select(&mailbox, true),
            CommandBody::Subscribe { .. } | CommandBody::Unsubscribe { .. } | CommandBody::Check => ok(),
            CommandBody::Append { mailbox, flags, date, message } => {
                let date = date.and_then(|date| Timestamp::from_second(date.as_ref().timestamp()).ok());
                self.append(&mailbox, flags, date, &message)
            }
            CommandBody::Create { .. } | CommandBody::Delete { .. } | CommandBody::Rename { .. } => {
                "NO [CANNOT] the mailboxes of the sample server are fixed".to_owned()
            }
            body => self.run_selected(body),
        }
    }

    fn login(&mut self, user: &[u8], password: &[u8]) -> End {
        self.logged_in = user == USER.as_bytes() && password == PASSWORD.as_bytes();
        if self.logged_in {
            format!("OK [CAPABILITY {CAPABILITIES}] logged in")
        } else {
            self.refusals += 1;
            "NO [AUTHENTICATIONFAILED] not the user name and password that the demo printed".to_owned()
        }
    }

    /// SASL PLAIN (RFC 4616): whom to act as, who it is, password; apart by NUL.
    fn plain(&mut self, given: &[u8]) -> End {
        let mut fields = given.splitn(3, |byte| *byte == 0).skip(1);
        match (fields.next(), fields.next()) {
            (Some(user), Some(password)) => self.login(user, password),
            _ => "BAD not SASL PLAIN".to_owned(),
        }
    }

    async fn sasl_answer(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.wire.write(b"+ \r\n").await?;
        let Received::Command(bytes) = self.wire.receive().await? else { return Ok(None) };
        Ok(match AuthenticateDataCodec::default().decode(&bytes) {
            Ok((_, AuthenticateData::Continue(data))) => Some(data.declassify().to_vec()),
            _ => None,
        })
    }

    /// IDLE (RFC 2177): tells what changes until the client says DONE. `None` when the connection is over.
    async fn idle(&mut self) -> io::Result<Option<End>> {
        let mut changes = self.mailboxes.changes();
        self.line("+ idling");
        loop {
            // Before the first wait: what came between the last command and now is told at once.
            self.show_changes();
            self.flush().await?;
            tokio::select! {
                () = told_to_stop(&mut self.stopped) => {
                    self.goodbye("the sample server stops").await?;
                    return Ok(None);
                }
                changed = changes.changed() => if changed.is_err() { return Ok(None) },
                received = self.wire.receive() => return Ok(match received? {
                    Received::Closed => None,
                    Received::Command(bytes) if IdleDoneCodec::default().decode(&bytes).is_ok() => Some(ok()),
                    _ => Some("BAD only DONE ends IDLE".to_owned()),
                }),
            }
        }
    }

    fn list(&mut self, word: &str, wanted: &ListMailbox<'_>) -> End {
        let wanted = match wanted {
            ListMailbox::Token(token) => String::from_utf8_lossy(token.as_ref()).into_owned(),
            ListMailbox::String(string) => String::from_utf8_lossy(string.as_ref()).into_owned(),
        };
        if wanted.is_empty() {
            self.line(&format!("* {word} (\\Noselect) \"/\" \"\""));
            return ok();
        }
        for (name, special_use) in self.mailboxes.names() {
            if matches(&wanted, name) {
                let attributes = ["\\HasNoChildren"].into_iter().chain(*special_use).collect::<Vec<_>>().join(" ");
                self.line(&format!("* {word} ({attributes}) \"/\" {name}"));
            }
        }
        ok()
    }

    fn status(&mut self, mailbox: &Mailbox<'_>, items: &[StatusDataItemName]) -> End {
        let Some(name) = self.mailboxes.find(&name_of(mailbox)) else { return no_mailbox() };
        let messages = self.mailboxes.messages(name);
        let count = |test: fn(&Stored) -> bool| messages.iter().filter(|message| test(message)).count();
        let mut values = Vec::new();
        for item in items {
            values.push(match item {
                StatusDataItemName::Messages => format!("MESSAGES {}", messages.len()),
                StatusDataItemName::Recent => "RECENT 0".to_owned(),
                StatusDataItemName::UidNext => format!("UIDNEXT {}", self.mailboxes.uid_next(name)),
                StatusDataItemName::UidValidity => format!("UIDVALIDITY {UID_VALIDITY}"),
                StatusDataItemName::Unseen => format!("UNSEEN {}", count(|message| !message.has(&Flag::Seen))),
                StatusDataItemName::Deleted => format!("DELETED {}", count(|message| message.has(&Flag::Deleted))),
                StatusDataItemName::DeletedStorage => return "BAD no quota here".to_owned(),
            });
        }
        self.line(&format!("* STATUS {name} ({})", values.join(" ")));
        ok()
    }

    fn select(&mut self, mailbox: &Mailbox<'_>, read_only: bool) -> End {
        // A failed SELECT leaves nothing selected (RFC 3501 §6.3.1).
        self.view = None;
        let Some(name) = self.mailboxes.find(&name_of(mailbox)) else { return no_mailbox() };
        let messages = self.mailboxes.messages(name);
        const FLAGS: &str = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
        self.line(&format!("* FLAGS ({FLAGS})"));
        let permanent = if read_only { String::new() } else { format!("{FLAGS} \\*") };
        self.line(&format!("* OK [PERMANENTFLAGS ({permanent})] flags that are kept"));
        self.line(&format!("* {} EXISTS", messages.len()));
        self.line("* 0 RECENT");
        if let Some(at) = messages.iter().position(|message| !message.has(&Flag::Seen)) {
            self.line(&format!("* OK [UNSEEN {}] first unread", at + 1));
        }
        self.line(&format!("* OK [UIDVALIDITY {UID_VALIDITY}] UIDs are good"));
        self.line(&format!("* OK [UIDNEXT {}] next UID", self.mailboxes.uid_next(name)));
        let uids = messages.iter().map(|message| message.uid).collect();
        self.view = Some(View { mailbox: name, read_only, uids });
        if read_only { "OK [READ-ONLY] examined".to_owned() } else { "OK [READ-WRITE] selected".to_owned() }
    }

    fn append(
        &mut self,
        mailbox: &Mailbox<'_>,
        flags: Vec<Flag<'_>>,
        date: Option<Timestamp>,
        message: &LiteralOrLiteral8<'_>,
    ) -> End {
        let LiteralOrLiteral8::Literal(message) = message else { return "NO [UNKNOWN-CTE] no BINARY here".to_owned() };
        let flags = flags.into_iter().map(IntoStatic::into_static).collect();
        let date = date.unwrap_or_else(crate::io::clock::now);
        match self.mailboxes.add(&name_of(mailbox), message.as_ref().to_vec(), date, flags) {
            Ok(uid) => format!("OK [APPENDUID {UID_VALIDITY} {uid}] stored"),
            Err(_) => no_mailbox(),
        }
    }

    fn line(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    async fn flush(&mut self) -> io::Result<()> {
        let out = std::mem::take(&mut self.out);
        self.wire.write(&out).await
    }

    async fn refuse(&mut self, tag: Option<&str>, why: &str) -> io::Result<Next> {
        self.nonsense += 1;
        if self.nonsense >= NONSENSE_MAX {
            return self.goodbye("this is an IMAP server").await;
        }
        self.line(&format!("{} BAD {why}", tag.unwrap_or("*")));
        self.flush().await?;
        Ok(Next::Go)
    }

    async fn goodbye(&mut self, why: &str) -> io::Result<Next> {
        self.line(&format!("* BYE {why}"));
        self.flush().await?;
        Ok(Next::Close)
    }
}

fn ok() -> End {
    "OK done".to_owned()
}

fn no_mailbox() -> End {
    // TRYCREATE would be a promise that CREATE helps (RFC 3501 §6.3.11); here it does not.
    "NO [NONEXISTENT] no such mailbox".to_owned()
}

fn name_of(mailbox: &Mailbox<'_>) -> String {
    match mailbox {
        Mailbox::Inbox => super::state::INBOX.to_owned(),
        Mailbox::Other(other) => String::from_utf8_lossy(other.as_ref()).into_owned(),
    }
}

/// Whether a LIST pattern fits a name. No name here holds a delimiter, so `%` is the same as `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split(['*', '%']);
    let first = pieces.next().unwrap_or_default();
    let same = |a: &str, b: &str| a == b || (name == super::state::INBOX && a.eq_ignore_ascii_case(b));
    let Some((start, mut rest)) = name.split_at_checked(first.len()) else { return false };
    if !same(start, first) {
        return false;
    }
    let mut last = "";
    let mut wild = false;
    for piece in pieces {
        wild = true;
        last = piece;
        match rest.split_once(piece) {
            Some((_, after)) if !piece.is_empty() => rest = after,
            Some(_) => {}
            None => return false,
        }
    }
    if wild { last.is_empty() || rest.is_empty() || name.ends_with(last) } else { rest.is_empty() }
}

/// `LIST … RETURN (SPECIAL-USE)` without its options: the codec does not know them, and a plain LIST shows the
/// attributes anyway (RFC 6154 §2).
fn without_list_options(bytes: Vec<u8>) -> Vec<u8> {
    const OPTIONS: &[u8] = b" RETURN (SPECIAL-USE)\r\n";
    let is_list = bytes.split(|byte| *byte == b' ').nth(1).is_some_and(|word| word.eq_ignore_ascii_case(b"LIST"));
    match bytes.len().checked_sub(OPTIONS.len()).and_then(|at| bytes.split_at_checked(at)) {
        Some((command, end)) if is_list && end.eq_ignore_ascii_case(OPTIONS) => [command, b"\r\n"].concat(),
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_patterns() {
        for (pattern, name, expected) in [
            ("*", "Drafts", true),
            ("%", "INBOX", true),
            ("inbox", "INBOX", true),
            ("drafts", "Drafts", false),
            ("Dra*", "Drafts", true),
            ("*s", "Drafts", true),
            ("D*f%s", "Drafts", true),
            ("Draft", "Drafts", false),
            ("*x", "Drafts", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
