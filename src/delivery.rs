//! What an SMTP conversation means for a draft: sent, try again, refused, or nobody knows.
//!
//! Pure: [`judge`] takes where the conversation stood and what came back. It must not open connections (that is
//! `io::smtp`) nor write states (that is `io::store`).

use serde::{Deserialize, Serialize};

use crate::outcome::named;

named! {
    /// Where an SMTP conversation stands (RFC 5321 §3, §4.3.2). From `Message` on, bytes of the mail may have left.
    pub enum Phase {
        /// Name lookup and TCP.
        Connect = "connect",
        /// TLS handshake, STARTTLS included.
        Tls = "tls",
        /// The server's greeting.
        Greeting = "greeting",
        /// EHLO.
        Ehlo = "ehlo",
        /// AUTH.
        Auth = "auth",
        /// MAIL FROM.
        Mail = "mail",
        /// RCPT TO.
        Rcpt = "rcpt",
        /// DATA, until 354.
        Data = "data",
        /// The message up to and including the final dot.
        Message = "message",
        /// The answer to the final dot.
        FinalReply = "final_reply",
    }
}

/// A reply of an SMTP server (RFC 5321 §4.2), its text cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmtpReply {
    /// Three digits.
    pub code: u16,
    /// The text, one line, cleaned.
    pub text: String,
}

/// How a phase ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhaseEnd {
    /// The server answered.
    Reply(SmtpReply),
    /// It did not: timeout, closed connection, TLS refusal, garbage. The text is cleaned and short.
    Failure(String),
}

/// The verdict on an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// Accepted with 250: it is sent.
    Sent(SmtpReply),
    /// Nothing left; the next attempt may be made later.
    Deferred(String),
    /// Refused for good.
    Refused(String),
    /// The account's login is refused: the account pauses, the draft stays approved.
    AccountRefused(String),
    /// The message may have left.
    Unconfirmed(String),
}

/// What the end of the last phase means. Total over every phase and reply.
pub fn judge(phase: Phase, end: &PhaseEnd) -> Delivery {
    let _ = (phase, end);
    Delivery::Deferred(String::new())
}
