//! Why there is no access token, and what the person can do about it. No error holds a token.

use std::fmt;
use std::path::PathBuf;

use crate::clean;
use crate::secret::{Secret, SecretError};

/// Longest quotation of an endpoint, in characters.
const WORDS_CHARS_MAX: usize = 160;

/// A failure.
#[derive(Debug)]
pub struct TokenError {
    /// The account's name.
    pub account: String,
    /// What went wrong.
    pub kind: Trouble,
}

/// What went wrong.
#[derive(Debug)]
pub enum Trouble {
    /// Nobody said yes yet.
    NotAuthorized,
    /// Somebody said yes to another client, or at another endpoint.
    OtherClient,
    /// The provider takes the refresh token no more (`invalid_grant`); with its words.
    Revoked(String),
    /// The endpoint refuses the client or what it asks for.
    Refused {
        /// The code, e.g. `invalid_client` (RFC 6749 §5.2).
        code: String,
        /// The endpoint's words.
        words: String,
    },
    /// The person said no, or let it run out.
    NotGranted(String),
    /// The provider granted access for an hour only, without a refresh token.
    NoRefreshToken,
    /// The configuration names no such way to say yes.
    NoSuchWay(&'static str),
    /// The client's secret is not there.
    Secret(SecretError),
    /// The file of the grant cannot be used.
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The endpoint did not answer, or not as a token endpoint does: it may next time.
    Transient(String),
}

impl TokenError {
    /// Whether only the person can go on: the endpoint is not asked again before `onward auth`.
    pub fn needs_person(&self) -> bool {
        matches!(self.kind, Trouble::NotAuthorized | Trouble::OtherClient | Trouble::Revoked(_))
    }

    /// Whether the endpoint refused, so that asking again as before is of no use.
    pub fn is_refused(&self) -> bool {
        matches!(self.kind, Trouble::Refused { .. })
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = clean::line(&self.account);
        match &self.kind {
            Trouble::NotAuthorized => {
                write!(f, "nobody authorised onward to open `{account}` yet: run `onward auth {account}`")
            }
            Trouble::OtherClient => write!(
                f,
                "`{account}` was authorised for another client_id or token_url: run `onward auth {account}` again"
            ),
            Trouble::Revoked(words) => write!(
                f,
                "the provider takes the authorisation of `{account}` no more ({words}): Google ends those of a client in \
                 \"testing\" after 7 days; a changed password, access taken back in the account's settings and 90 days \
                 without use end them too; run `onward auth {account}`"
            ),
            Trouble::Refused { code, words } => write!(
                f,
                "the token endpoint refuses `{account}` [{code}]: \"{words}\"; check client_id, client_secret and scopes \
                 against the client you registered"
            ),
            Trouble::NotGranted(why) => write!(f, "`{account}` was not authorised: {why}"),
            Trouble::NoRefreshToken => write!(
                f,
                "the provider gave `{account}` access for a short while only: the scopes may lack `offline_access`, or \
                 the client is not one for installed programs"
            ),
            Trouble::NoSuchWay(why) => write!(f, "`{account}` cannot be authorised this way: {why}"),
            Trouble::Secret(error) => write!(f, "{error}"),
            Trouble::File { path, why } => {
                write!(
                    f,
                    "the authorisation of `{account}` in {} cannot be used: {why}",
                    clean::line(&path.display().to_string())
                )
            }
            Trouble::Transient(why) => write!(f, "no access token for `{account}` now: {why}; it is tried again"),
        }
    }
}

impl std::error::Error for TokenError {}

/// An endpoint's words: one clean, short line, and none of the secrets it was given.
pub(super) fn words(text: &str, secrets: &[&Secret]) -> String {
    if secrets.iter().any(|secret| text.contains(secret.expose())) {
        return "…".to_owned();
    }
    clean::line_within(text, WORDS_CHARS_MAX)
}
