//! SMTP submission (RFC 6409) with lettre, driven phase by phase with a deadline each. Takes only an approved draft.
//!
//! It does one attempt and says what came of it; what that means is [`delivery::judge`]'s to say, whether to try again
//! is the caller's. It must not read or write the store, retry, or send over an unprotected connection.
//!
//! lettre speaks the commands and the dot-stuffing. What its transport does not do is done here: deadlines (its own
//! covers TCP alone), knowing the phase a conversation ended in, not taking 354 for a receipt, and STARTTLS without
//! keeping what was said before it.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    config::Server,
    delivery::{self, Delivery, Phase, PhaseEnd},
    draft::Envelope,
    io::store::ApprovedDraft,
    secret::Credential,
};

mod channel;
mod conversation;
mod login;
mod rehearsal;
#[cfg(test)]
mod tests;

use conversation::{Conversation, Stop};
pub use rehearsal::rehearse;

/// How long each phase may take (RFC 5321 §4.5.3.2 asks servers to be given minutes; a person waits for less where
/// nothing is lost by trying again, and as long as it says where something is).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// Name lookup and TCP.
    pub connect: Duration,
    /// STARTTLS and the handshake, each.
    pub tls: Duration,
    /// Greeting, EHLO, AUTH, MAIL and RCPT, each.
    pub command: Duration,
    /// DATA until 354.
    pub data: Duration,
    /// Each block of the message.
    pub body: Duration,
    /// From the final dot to its answer: giving up early here is what makes mail unconfirmed.
    pub receipt: Duration,
    /// QUIT, when everything is over.
    pub quit: Duration,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            connect: Duration::from_secs(30),
            tls: Duration::from_secs(30),
            command: Duration::from_secs(60),
            data: Duration::from_secs(120),
            body: Duration::from_secs(60),
            receipt: Duration::from_secs(600),
            quit: Duration::from_secs(5),
        }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it means for the draft.
    pub delivery: Delivery,
    /// The server did not take the access token, and may take a fresh one; nothing of the message left.
    pub stale_token: bool,
}

impl From<Delivery> for Attempt {
    fn from(delivery: Delivery) -> Attempt {
        Attempt { delivery, stale_token: false }
    }
}

/// Who is asked when everything is agreed on with the server and nothing of the message has left: the last moment to
/// stop, and the one to write down that from here on it may have left.
pub trait Gate: Send {
    /// Whether the message may leave; else why not.
    fn open(&mut self) -> impl Future<Output = Result<(), String>> + Send;
}

/// Submits an approved draft, once. DATA is not said before the gate is open.
pub async fn submit(
    server: &Server,
    user: &str,
    credential: &Credential,
    draft: &ApprovedDraft,
    gate: &mut impl Gate,
) -> Attempt {
    let envelope = Envelope { from: draft.from().to_owned(), to: Some(draft.to().to_owned()) };
    submit_bytes(server, user, credential, &envelope, draft.bytes(), &Deadlines::default(), gate, |_| {}).await
}

/// [`submit`] for any bytes: private, so that nothing but an approved draft, and the mail of [`rehearse`], gets out.
/// `progress` is told of each phase before it begins.
#[allow(clippy::too_many_arguments, reason = "each of them is one thing of one conversation, and tests vary them all")]
async fn submit_bytes(
    server: &Server,
    user: &str,
    credential: &Credential,
    envelope: &Envelope,
    message: &[u8],
    deadlines: &Deadlines,
    gate: &mut impl Gate,
    progress: impl FnMut(Phase) + Send,
) -> Attempt {
    let refused = |why: &str| Delivery::Refused(why.to_owned()).into();
    let Some(to) = &envelope.to else { return refused("the draft has no recipient") };
    let (Ok(from), Ok(to)) = (envelope.from.parse(), to.parse()) else {
        return refused("an address of the draft is not valid in SMTP");
    };
    if !ends_lines_with_crlf(message) {
        // A bare line feed is where servers disagree about where a message ends (SMTP smuggling).
        return refused("the message has line ends other than CRLF");
    }
    let mut conversation = Conversation::new(deadlines, progress);
    let end = match conversation.run(server, user, credential, [from, to], message, gate).await {
        Ok(reply) => PhaseEnd::Reply(reply),
        Err(Stop::End(end)) => end,
        Err(Stop::Cannot(delivery)) => return delivery.into(),
        Err(Stop::StaleToken(end)) => {
            return Attempt { delivery: delivery::judge(conversation.phase(), &end), stale_token: true };
        }
    };
    let delivery = delivery::judge(conversation.phase(), &end);
    if let (PhaseEnd::Reply(_), Some(mut connection)) = (end, conversation.into_connection()) {
        // The result is the caller's to commit now; politeness must not hold it up, nor change it.
        let within = deadlines.quit;
        tokio::spawn(async move { timeout(within, connection.quit()).await.is_ok() });
    }
    delivery.into()
}

/// Whether CR and LF only stand together (RFC 5321 §2.3.8).
fn ends_lines_with_crlf(message: &[u8]) -> bool {
    let mut previous = None;
    let fine = message.iter().all(|byte| {
        let fine = (previous == Some(b'\r')) == (*byte == b'\n');
        previous = Some(*byte);
        fine
    });
    fine && previous != Some(b'\r')
}
