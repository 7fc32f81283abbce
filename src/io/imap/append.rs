//! The one write: APPEND (RFC 3501 §6.3.11) of a draft, or of a copy of what was sent.

use super::Session;
use super::command::Command;
use super::error::{ImapError, Kind, Phase};
use super::guard::Allowance;
use super::reply::{Reply, Tagged, Untagged};
use super::text::encode_mailbox;
use super::wire::{Wire, while_moving};
use crate::io::crash;
use crate::outcome::named;

/// Largest message sent without waiting for the server to agree, in bytes; LITERAL- of RFC 7888 §5 stops there.
const UNASKED_BYTES_MAX: usize = 4096;

named! {
    /// The flags a message is placed with.
    pub enum AppendFlags {
        /// A draft that shows as read.
        Draft = r"(\Draft \Seen)",
        /// A sent message that shows as read.
        Sent = r"(\Seen)",
    }
}

/// Where a message was placed (APPENDUID, RFC 4315 §3); empty where the server does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// UIDVALIDITY of the mailbox.
    pub uid_validity: Option<u32>,
    /// UID of the message.
    pub uid: Option<u32>,
}

impl Session {
    /// Places a message. After an error it may or may not be there: look for its Message-ID before trying again.
    pub async fn append(&mut self, mailbox: &str, flags: AppendFlags, bytes: &[u8]) -> Result<Appended, ImapError> {
        let phase = Phase::Append;
        let unasked = bytes.len() <= UNASKED_BYTES_MAX && (self.can("LITERAL+") || self.can("LITERAL-"));
        let mut wire = self.take(phase)?;
        if bytes.contains(&0) {
            return Err(wire.error(phase, Kind::Argument("a message holds a NUL byte, which IMAP cannot take")));
        }
        let mailbox = encode_mailbox(mailbox);
        let command = Command::Append { mailbox, flags: flags.as_str(), octets: bytes.len(), waits: !unasked };
        wire.allow(Allowance::SMALL);
        let (moved, still, total) = (wire.moved(), wire.deadlines.progress, wire.deadlines.transfer);
        let tagged = match while_moving(place(&mut wire, &command, bytes, unasked), &moved, still, total).await {
            Some(result) => result?,
            None => return Err(wire.error(phase, Kind::Timeout(still))),
        };
        if !tagged.ok {
            return Err(wire.error(phase, tagged.refusal()));
        }
        self.wire = Some(wire);
        let (uid_validity, uid) = tagged.append_uid.unzip();
        Ok(Appended { uid_validity, uid })
    }
}

async fn place(wire: &mut Wire, command: &Command<'_>, bytes: &[u8], unasked: bool) -> Result<Tagged, ImapError> {
    crash::point("before APPEND");
    let tag = wire.start(Phase::Append, command).await?;
    crash::point("after the command APPEND");
    if !unasked && let Some(refused) = agreement(wire).await? {
        return Ok(refused);
    }
    wire.write(Phase::Append, &[bytes, b"\r\n"]).await?;
    crash::point("after the message of APPEND");
    let tagged = wire.finish(Phase::Append, &tag, |_| {}).await?;
    crash::point("after the answer to APPEND");
    Ok(tagged)
}

/// Waits until the server asks for the message. Returns its refusal where it does not: nothing was sent then.
async fn agreement(wire: &mut Wire) -> Result<Option<Tagged>, ImapError> {
    let phase = Phase::Append;
    loop {
        match wire.next(phase).await? {
            Reply::Continue(_) => return Ok(None),
            Reply::Tagged(tagged) if !tagged.ok => return Ok(Some(tagged)),
            Reply::Tagged(_) => {
                let what = "the server accepted a message before it was sent".to_owned();
                return Err(wire.error(phase, Kind::Protocol(what)));
            }
            Reply::Untagged(Untagged::Bye(text)) => return Err(wire.error(phase, Kind::Bye(text))),
            // Others may read and write the mailbox meanwhile.
            Reply::Untagged(_) => {}
        }
    }
}
