//! What went wrong with a server, where, and what the person can do about it. No error holds mail content, a
//! password or more than a line of a server's words.

use std::fmt;
use std::time::Duration;

use crate::clean;
use crate::io::tls::{ReachError, TlsError};
use crate::outcome::named;

/// Longest quotation of a server, in characters.
const QUOTE_CHARS_MAX: usize = 160;
/// Longest wait taken from a server's hint; beyond it somebody has to look.
const BACKOFF_HINT_MAX: Duration = Duration::from_secs(6 * 60 * 60);
/// Wait after a refusal for load that names no time; provider counters run over minutes.
const THROTTLED_WAIT: Duration = Duration::from_secs(15 * 60);

named! {
    /// What was being done.
    pub enum Phase {
        /// Name lookup and TCP.
        Connect = "connecting",
        /// TLS handshake, STARTTLS included.
        Tls = "protecting the connection",
        /// The server's greeting.
        Greeting = "waiting for the greeting",
        /// CAPABILITY.
        Capability = "asking what the server can do",
        /// AUTHENTICATE or LOGIN.
        Login = "logging in",
        /// ID.
        Id = "introducing ourselves",
        /// EXAMINE.
        Examine = "opening the mailbox",
        /// LIST.
        List = "listing the mailboxes",
        /// UID SEARCH.
        Search = "searching",
        /// UID FETCH.
        Fetch = "fetching messages",
        /// IDLE.
        Idle = "waiting for new mail",
        /// APPEND.
        Append = "placing a message",
        /// NOOP.
        Noop = "checking the connection",
        /// LOGOUT.
        Logout = "logging out",
    }
}

/// A failure of one operation. The connection is closed.
#[derive(Debug)]
pub struct ImapError {
    /// `host:port`.
    pub server: String,
    /// What was being done.
    pub phase: Phase,
    /// What went wrong.
    pub kind: Kind,
}

/// What went wrong.
#[derive(Debug)]
pub enum Kind {
    /// The server cannot be reached.
    Unreachable(ReachError),
    /// The connection cannot be protected; nothing was sent.
    Tls(TlsError),
    /// The server offers no protection, or something is wrong with it; no password was sent.
    Unprotected(&'static str),
    /// The operating system reports a network fault.
    Network(String),
    /// The connection ended without a word.
    Lost,
    /// The server said goodbye (`* BYE`), with its words.
    Bye(String),
    /// The server did not answer, or stopped in the middle, for so long.
    Timeout(Duration),
    /// The server said what IMAP does not allow, or more than was asked for.
    Protocol(String),
    /// The server refused the command (tagged NO or BAD).
    Refused {
        /// The response code in brackets, upper case, e.g. `TRYCREATE`, `OVERQUOTA` (RFC 5530).
        code: Option<String>,
        /// The server's words.
        text: String,
    },
    /// User or password are wrong.
    AuthenticationFailed(String),
    /// The access token was not taken.
    TokenRefused {
        /// Whether a fresh one may be: the server does not say that it is something else.
        stale: bool,
        /// The server's words.
        text: String,
    },
    /// The server cannot do this.
    NotSupported(String),
    /// A value of ours cannot be said in IMAP.
    Argument(&'static str),
    /// The connection was closed by an earlier error.
    Closed,
}

impl ImapError {
    /// Whether the login itself is wrong, so that trying again with the same password is of no use.
    pub fn is_authentication(&self) -> bool {
        match &self.kind {
            Kind::AuthenticationFailed(_) | Kind::TokenRefused { .. } => true,
            Kind::Refused { text, .. } => is_not_connected(text),
            _ => false,
        }
    }

    /// Whether a refusal is about the moment and not about what was asked for (RFC 5530 §3).
    pub fn is_transient(&self) -> bool {
        let code = match &self.kind {
            Kind::Refused { code, .. } => code.as_deref(),
            _ => None,
        };
        self.retry_after().is_some() || code.is_some_and(|code| TRANSIENT.contains(&code))
    }

    /// Whether a fresh access token may open what this one did not.
    pub fn wants_fresh_token(&self) -> bool {
        matches!(self.kind, Kind::TokenRefused { stale: true, .. })
    }

    /// How long the server wants to be left alone, where it refused for load.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.kind {
            Kind::Refused { code, text } => throttled(code.as_deref(), text),
            Kind::Bye(text) => throttled(None, text),
            _ => None,
        }
    }
}

/// Response codes of a refusal that is no fault of what was asked for (RFC 5530 §3).
pub(super) const TRANSIENT: [&str; 6] = ["UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG", "THROTTLED", "OVERQUOTA"];

/// Exchange takes the login, and then refuses every command in these words: IMAP is off, not licensed, or not in the
/// token's scopes.
fn is_not_connected(text: &str) -> bool {
    text.to_ascii_lowercase().contains("authenticated but not connected")
}

/// The wait a refusal asks for: named in milliseconds (Exchange), or ours where it only speaks of load.
pub(super) fn throttled(code: Option<&str>, text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    if let Some((_, after)) = text.split_once("suggested backoff time:") {
        let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
        if let Ok(milliseconds) = digits.parse() {
            return Some(Duration::from_millis(milliseconds).min(BACKOFF_HINT_MAX));
        }
    }
    let for_load = code.is_some_and(|code| matches!(code, "LIMIT" | "THROTTLED"))
        || ["too many simultaneous", "throttled", "bandwidth limit", "too many connections", "rate limit"]
            .iter()
            .any(|hint| text.contains(hint));
    for_load.then_some(THROTTLED_WAIT)
}

/// A server's words: one clean, short line.
pub(super) fn quoted(text: &str) -> String {
    clean::line_within(text, QUOTE_CHARS_MAX)
}

impl fmt::Display for ImapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: ", self.server, self.phase)?;
        match &self.kind {
            Kind::Unreachable(error) => write!(f, "{error}"),
            Kind::Tls(error) => write!(f, "{error}"),
            Kind::Unprotected(why) => write!(f, "{why}"),
            Kind::Network(text) => write!(f, "the network failed ({text})"),
            Kind::Lost => f.write_str("the connection ended without an answer"),
            Kind::Bye(text) => write!(f, "the server closed the connection: \"{text}\""),
            Kind::Timeout(after) => write!(f, "no answer within {} s", after.as_secs_f32().ceil()),
            Kind::Protocol(text) if self.phase == Phase::Greeting => {
                write!(f, "{text}: check that `port` and `tls` belong to an IMAP server")
            }
            Kind::Protocol(text) => write!(f, "{text}, so the connection was dropped"),
            Kind::Refused { text, .. } if is_not_connected(text) => write!(
                f,
                "the login was taken, but the mailbox stays shut: \"{text}\"; switch IMAP on for this mailbox (at \
                 Microsoft 365 an administrator does), check that its licence has one and that `user` is its main \
                 address, and with OAuth that the scopes hold IMAP.AccessAsUser.All"
            ),
            Kind::Refused { code: Some(code), text } => write!(f, "the server refused [{code}]: \"{text}\""),
            Kind::Refused { code: None, text } => write!(f, "the server refused: \"{text}\""),
            Kind::AuthenticationFailed(text) => write!(
                f,
                "user or password not accepted: \"{text}\"; check both, and whether the provider wants an app password"
            ),
            Kind::TokenRefused { text, .. } => write!(
                f,
                "access token not accepted: \"{text}\"; check that `user` is the account you authorised and that the \
                 scopes allow mail, then authorise again (`onward auth`, or the program of token.command)"
            ),
            Kind::NotSupported(text) => write!(f, "{text}"),
            Kind::Argument(why) => f.write_str(why),
            Kind::Closed => f.write_str("the connection was closed by an earlier error"),
        }
    }
}

impl std::error::Error for ImapError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_of_load_are_honoured() {
        for (code, text, expected) in [
            (
                None,
                "Request is throttled. Suggested Backoff Time: 201317 milliseconds",
                Some(Duration::from_millis(201_317)),
            ),
            (None, "Suggested Backoff Time: 99999999999 milliseconds", Some(BACKOFF_HINT_MAX)),
            (None, "Suggested Backoff Time: soon; throttled", Some(THROTTLED_WAIT)),
            (Some("LIMIT"), "later", Some(THROTTLED_WAIT)),
            (Some("ALERT"), "Too many simultaneous connections. (Failure)", Some(THROTTLED_WAIT)),
            (Some("OVERQUOTA"), "Account exceeded command or bandwidth limits", Some(THROTTLED_WAIT)),
            (Some("UNAVAILABLE"), "Backend down", None),
            (Some("TRYCREATE"), "No such mailbox", None),
        ] {
            assert_eq!(throttled(code, text), expected, "{code:?} {text}");
        }
    }

    #[test]
    fn exchange_refusing_after_login_is_a_matter_of_the_login() {
        let refused = |text: &str| ImapError {
            server: "mail.example.org:993".to_owned(),
            phase: Phase::Examine,
            kind: Kind::Refused { code: None, text: text.to_owned() },
        };
        let not_connected = refused("User is authenticated but not connected.");
        assert!(not_connected.is_authentication());
        for advice in ["switch IMAP on", "licence", "IMAP.AccessAsUser.All"] {
            assert!(not_connected.to_string().contains(advice), "{not_connected}");
        }
        assert!(!refused("No such mailbox").is_authentication());
    }
}
