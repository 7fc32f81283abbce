//! From a configured login to a session: the password or a fresh access token, the connection, and once more with
//! another token where the server took the first for too old.
//!
//! It must not rest or try again beyond that: pauses are the daemon's and the outbox's.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;

use crate::{
    config::{Access, Login},
    delivery::Delivery,
    io::{
        imap::{ImapError, Session},
        oauth::{self, TokenError},
        smtp,
        store::ApprovedDraft,
    },
    secret::{self, Credential, Secret},
};

/// How often a grant that only the person can renew is looked at again. That reads a file and asks nobody, so that
/// `onward auth` is taken up without a reload.
pub const PERSON_EVERY: Duration = Duration::from_secs(60);

/// What opens the server now. No connection to it is open while a token is fetched.
pub async fn credential(access: &Access) -> Result<Credential> {
    Ok(match access {
        Access::Password(source) => Credential::Password(secret::read(source).await?),
        Access::Token(source) => Credential::Token(secret::read(source).await?),
        Access::OAuth(oauth) => Credential::Token(oauth::access_token(oauth).await?),
    })
}

/// Another token than the one that was refused; `None` where there is none, and asking again would be of no use.
async fn another(access: &Access, refused: &Credential) -> Result<Option<Credential>> {
    let Credential::Token(refused) = refused else { return Ok(None) };
    let token: Secret = match access {
        Access::Password(_) => return Ok(None),
        Access::Token(source) => secret::read(source).await?,
        Access::OAuth(oauth) => oauth::renewed(oauth, refused).await?,
    };
    Ok((token.expose() != refused.expose()).then_some(Credential::Token(token)))
}

/// Connects to the IMAP server and logs in.
pub async fn open(login: &Login) -> Result<Session> {
    let credential = credential(&login.access).await?;
    let error = match attempt(login, &credential).await {
        Err(error) if error.wants_fresh_token() => error,
        done => return Ok(done?),
    };
    match another(&login.access, &credential).await? {
        Some(credential) => Ok(attempt(login, &credential).await?),
        None => Err(error.into()),
    }
}

async fn attempt(login: &Login, credential: &Credential) -> Result<Session, ImapError> {
    let connected = Session::connect(&login.server).await?;
    match credential {
        Credential::Password(password) => connected.login(&login.user, password).await,
        Credential::Token(token) => connected.login_with_token(&login.user, token).await,
    }
}

/// Submits a draft that was taken for sending, and once more where the token was too old: nothing left then.
pub async fn submit(
    login: &Login,
    credential: &Credential,
    ready: &ApprovedDraft,
    gate: &mut impl smtp::Gate,
) -> Delivery {
    let first = smtp::submit(&login.server, &login.user, credential, ready, gate).await;
    if !first.stale_token {
        return first.delivery;
    }
    match another(&login.access, credential).await {
        Ok(Some(fresh)) => smtp::submit(&login.server, &login.user, &fresh, ready, gate).await.delivery,
        Ok(None) => first.delivery,
        Err(error) => Delivery::AccountRefused(crate::clean::line(&format!("{error:#}"))),
    }
}

/// Sends a mail of the person's to themself, and once more where the token was too old.
pub async fn rehearse(login: &Login, address: &str, now: Timestamp) -> Result<Delivery> {
    let credential = credential(&login.access).await?;
    let first = smtp::rehearse(&login.server, &login.user, &credential, address, now).await;
    if first.stale_token
        && let Some(fresh) = another(&login.access, &credential).await?
    {
        return Ok(smtp::rehearse(&login.server, &login.user, &fresh, address, now).await.delivery);
    }
    Ok(first.delivery)
}

/// What a failure to open a server is a matter of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// What was shown is refused: trying again as before is of no use.
    Refused,
    /// Only the person can go on, with `onward auth`.
    Person,
    /// It may pass by itself; after the time the server named, if it did.
    Passing(Option<Duration>),
}

impl Matter {
    /// What this error is a matter of.
    pub fn of(error: &anyhow::Error) -> Matter {
        if let Some(imap) = error.chain().find_map(|e| e.downcast_ref::<ImapError>()) {
            return if imap.is_authentication() { Matter::Refused } else { Matter::Passing(imap.retry_after()) };
        }
        match error.chain().find_map(|e| e.downcast_ref::<TokenError>()) {
            Some(token) if token.needs_person() => Matter::Person,
            Some(token) if token.is_refused() => Matter::Refused,
            _ => Matter::Passing(None),
        }
    }
}
