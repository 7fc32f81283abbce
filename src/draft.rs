//! The life of a draft: its states, the transitions between them, and the digest an approval is bound to.
//!
//! Pure. It must not store, place or send anything; `io::store` asks [`transition`] before it writes an event.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::outcome::named;

named! {
    /// Where a draft stands. Derived from its events, never overwritten.
    pub enum DraftState {
        /// Waits for the person.
        Pending = "pending",
        /// Approved as it is; waits to be placed or sent.
        Approved = "approved",
        /// Handed to SMTP; committed before the connection opens.
        Sending = "sending",
        /// Lies in the person's Drafts mailbox and is theirs now.
        Placed = "placed",
        /// Accepted by the server, or seen in Sent.
        Sent = "sent",
        /// The server refused it for good, attempts ran out, or it came back.
        Failed = "failed",
        /// Nobody can tell whether it went out; only the person resolves it.
        Unconfirmed = "unconfirmed",
        /// The person dropped it.
        Discarded = "discarded",
        /// A later mail made it pointless.
        Withdrawn = "withdrawn",
    }
}

named! {
    /// What happens to a draft.
    pub enum DraftEvent {
        /// The person approved exactly these bytes.
        Approve = "approve",
        /// The person changed it; an approval is void.
        Edit = "edit",
        /// The person dropped it.
        Discard = "discard",
        /// The outbox takes it to send by SMTP.
        Take = "take",
        /// The server is about to be given the message: from here on it may have left.
        Begin = "begin",
        /// Nothing of it left, for a reason that is not the message's: the login was refused, delivery was paused, or the
        /// process ended before [`DraftEvent::Begin`]. No attempt is used up.
        Release = "release",
        /// The server answered 250 to the message.
        Accepted = "accepted",
        /// A temporary refusal or a failure before any byte of the message left, attempts are left; or it could not be
        /// placed in Drafts yet.
        Deferred = "deferred",
        /// A permanent refusal, or no attempts left.
        Refused = "refused",
        /// The connection or the process ended when the message may have left.
        Lost = "lost",
        /// It lies in Drafts.
        Place = "place",
        /// It was seen in Sent.
        SeenSent = "seen_sent",
        /// It is gone from Drafts and was not sent.
        Gone = "gone",
        /// A later mail took back the reason for it, or the person answered in another way.
        Supersede = "supersede",
        /// The person says it was sent.
        ResolveSent = "resolve_sent",
        /// The person says it was not sent and wants it sent.
        ResolveRetry = "resolve_retry",
        /// The person undoes a discard or a withdrawal.
        Restore = "restore",
        /// The approval is too old, or a mail of the thread came in after it: the person has to look again.
        Lapse = "lapse",
        /// A report came that it could not be delivered.
        Bounced = "bounced",
    }
}

impl DraftState {
    /// Whether a draft in this state answers its mail or still may: there is at most one such draft for a mail.
    pub const fn is_live(self) -> bool {
        !matches!(self, DraftState::Discarded | DraftState::Withdrawn)
    }
}

impl DraftState {
    /// Whether the reply is with the person's own client or with the employer, or may be.
    pub fn is_out(self) -> bool {
        matches!(self, DraftState::Sending | DraftState::Placed | DraftState::Sent | DraftState::Unconfirmed)
    }
}

/// A step the states do not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a draft that is {state} cannot take `{event}`")]
pub struct NotAllowed {
    /// The state it is in.
    pub state: DraftState,
    /// What was asked.
    pub event: DraftEvent,
}

/// The state after `event`, or why there is none.
pub fn transition(state: DraftState, event: DraftEvent) -> Result<DraftState, NotAllowed> {
    use DraftEvent as E;
    use DraftState as S;
    match (state, event) {
        // What a server refused for good may still have been a matter of the moment: the person may approve it again.
        (S::Pending | S::Failed, E::Approve) => Ok(S::Approved),
        (S::Pending | S::Approved | S::Failed, E::Edit) => Ok(S::Pending),
        (S::Pending | S::Approved | S::Failed | S::Unconfirmed, E::Discard) => Ok(S::Discarded),
        (S::Pending | S::Approved | S::Failed, E::Supersede) => Ok(S::Withdrawn),
        (S::Approved, E::Take) => Ok(S::Sending),
        (S::Approved, E::Place) => Ok(S::Placed),
        (S::Sending, E::Begin) => Ok(S::Sending),
        (S::Sending, E::Accepted) => Ok(S::Sent),
        (S::Sending | S::Approved, E::Deferred) | (S::Sending, E::Release) => Ok(S::Approved),
        (S::Sending, E::Refused) => Ok(S::Failed),
        (S::Sending, E::Lost) => Ok(S::Unconfirmed),
        // An approved one lies in Drafts where nobody saw the end of the APPEND; one that was dropped there may come up
        // in Sent after all.
        (S::Placed | S::Approved | S::Unconfirmed | S::Discarded, E::SeenSent) | (S::Unconfirmed, E::ResolveSent) => {
            Ok(S::Sent)
        }
        (S::Placed, E::Gone) => Ok(S::Discarded),
        (S::Unconfirmed, E::ResolveRetry) => Ok(S::Approved),
        (S::Placed | S::Sent | S::Unconfirmed, E::Bounced) => Ok(S::Failed),
        (S::Discarded | S::Withdrawn, E::Restore) | (S::Approved, E::Lapse) => Ok(S::Pending),
        (state, event) => Err(NotAllowed { state, event }),
    }
}

/// Who a message goes from and to in SMTP (RFC 5321): not the headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// `MAIL FROM`.
    pub from: String,
    /// `RCPT TO`; `None` while no reachable address is known, and then the draft cannot be approved.
    pub to: Option<String>,
}

/// SHA-256 over envelope and bytes of a draft: what the person approved, to the byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of exactly this envelope and these bytes. Every field is preceded by its length, so that no two
    /// different drafts share a digest.
    pub fn of(envelope: &Envelope, bytes: &[u8]) -> Digest {
        let mut hash = Sha256::new();
        for field in [envelope.from.as_bytes(), envelope.to.as_deref().unwrap_or("").as_bytes(), bytes] {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        Digest(hash.finalize().into())
    }

    /// The first 12 hex digits, as shown to the person.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Digest, &'static str> {
        let bytes = text.as_bytes();
        if bytes.len() != 64 {
            return Err("a digest is 64 hex digits");
        }
        let mut out = [0; 32];
        for (byte, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| "a digest is 64 hex digits")?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| "a digest is 64 hex digits")?;
        }
        Ok(Digest(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_without_approval_and_doubt_is_never_retried_by_itself() {
        for state in DraftState::ALL {
            if *state != DraftState::Approved {
                assert!(transition(*state, DraftEvent::Take).is_err(), "{state}");
                assert!(transition(*state, DraftEvent::Place).is_err(), "{state}");
            }
        }
        for event in DraftEvent::ALL {
            let next = transition(DraftState::Unconfirmed, *event);
            let by_person = matches!(event, DraftEvent::ResolveRetry);
            assert!(by_person || next != Ok(DraftState::Approved), "{event}");
        }
    }

    #[test]
    fn digest_tells_field_borders_apart() {
        let e = |from: &str, to: &str| Envelope { from: from.into(), to: Some(to.into()) };
        assert_ne!(Digest::of(&e("ab", "c"), b"x"), Digest::of(&e("a", "bc"), b"x"));
        let d = Digest::of(&e("a", "b"), b"x");
        assert_eq!(Digest::try_from(d.to_string()), Ok(d));
    }
}
