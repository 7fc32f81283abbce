//! From a configured login to a session: the password or a fresh access token, the connection, and once more with
//! another token where the server took the first for too old.
//!
//! It must not rest or try again beyond that: pauses are the daemon's and the outbox's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use tokio::{sync::OwnedMutexGuard, time::timeout};

use super::budget::UsedUp;
use crate::{
    config::{Access, Login, providers::Provider},
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

/// How long a login waits for the only connection that a provider allows. Longer than a usual look takes; who waits for a
/// first look tries again later.
const LINE_WAIT: Duration = Duration::from_secs(60);

/// Servers that take one connection at a time, by user and place: reading and placing drafts take turns.
static LINES: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>> = Mutex::new(BTreeMap::new());

/// The right to connect, where there is only one.
async fn line(login: &Login) -> Result<Option<OwnedMutexGuard<()>>> {
    if !login.provider.as_deref().is_some_and(Provider::takes_one_connection) {
        return Ok(None);
    }
    let line = Arc::clone(LINES.lock().unwrap_or_else(PoisonError::into_inner).entry(key(login)).or_default());
    let waited = timeout(LINE_WAIT, line.lock_owned()).await;
    waited.map(Some).context("the only connection that this provider allows is in use; it is tried again")
}

/// Logins whose fresh token was refused as well: another one is of no use until one is taken, and every try counts with
/// providers that lock accounts.
static USELESS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A token was refused, and then another one: two tries of those there are.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a fresh token was refused too")]
struct RefusedTwice;

/// How many tries at a login this refusal took.
pub fn tries(error: &anyhow::Error) -> usize {
    if error.downcast_ref::<RefusedTwice>().is_some() { 2 } else { 1 }
}

/// The person may have put right what was refused: each login may show a fresh token again.
pub fn forget_refusals() {
    USELESS.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

fn useless() -> MutexGuard<'static, BTreeSet<String>> {
    USELESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A login, told apart from others.
fn key(login: &Login) -> String {
    format!("{}@{}:{}", login.user, login.server.host, login.server.port)
}

/// What opens the server now. No connection to it is open while a token is fetched.
pub async fn credential(access: &Access) -> Result<Credential> {
    Ok(match access {
        Access::Password(source) => Credential::Password(secret::read(source).await?),
        Access::Token(source) => Credential::Token(secret::read(source).await?),
        Access::OAuth(oauth) => Credential::Token(oauth::access_token(oauth).await?),
    })
}

/// Another token than the one that was refused; `None` where there is none, or where one has been of no use before.
async fn another(login: &Login, refused: &Credential) -> Result<Option<Credential>> {
    let Credential::Token(refused) = refused else { return Ok(None) };
    if useless().contains(&key(login)) {
        return Ok(None);
    }
    let token: Secret = match &login.access {
        Access::Password(_) => return Ok(None),
        Access::Token(source) => secret::read(source).await?,
        Access::OAuth(oauth) => oauth::renewed(oauth, refused).await?,
    };
    Ok((token.expose() != refused.expose()).then_some(Credential::Token(token)))
}

/// Connects to the IMAP server and logs in; once more with another token where the first may have been too old, and where
/// that has not been of no use before.
pub async fn open(login: &Login) -> Result<Session> {
    let credential = credential(&login.access).await?;
    let error = match attempt(login, &credential, line(login).await?).await {
        Err(error) if error.wants_fresh_token() => error,
        Err(error) => return Err(error.into()),
        Ok(session) => {
            useless().remove(&key(login));
            return Ok(session);
        }
    };
    let Some(credential) = another(login, &credential).await? else { return Err(error.into()) };
    match attempt(login, &credential, line(login).await?).await {
        Err(error) if error.wants_fresh_token() => {
            useless().insert(key(login));
            Err(anyhow::Error::from(error).context(RefusedTwice))
        }
        done => Ok(done?),
    }
}

/// Whether the provider wants our name although its server does not say so.
fn names_itself(login: &Login) -> bool {
    login.provider.as_ref().is_some_and(|row| row.needs_id)
}

async fn attempt(
    login: &Login,
    credential: &Credential,
    line: Option<OwnedMutexGuard<()>>,
) -> Result<Session, ImapError> {
    let connected = Session::connect(&login.server).await?.naming_itself(names_itself(login)).holding(line);
    match credential {
        Credential::Password(password) => connected.login(&login.user, password).await,
        Credential::Token(token) => connected.login_with_token(&login.user, token).await,
    }
}

/// Submits a draft that was taken for sending, and once more where the token was too old: nothing left then. Gives how
/// many tries at the login it took as well.
pub async fn submit(
    login: &Login,
    credential: &Credential,
    ready: &ApprovedDraft,
    gate: &mut impl smtp::Gate,
) -> (Delivery, usize) {
    let first = smtp::submit(&login.server, &login.user, credential, ready, gate).await;
    if !first.stale_token {
        if let Delivery::Sent(_) = first.delivery {
            useless().remove(&key(login));
        }
        return (first.delivery, 1);
    }
    match another(login, credential).await {
        Ok(Some(fresh)) => {
            let second = smtp::submit(&login.server, &login.user, &fresh, ready, gate).await;
            if second.stale_token {
                useless().insert(key(login));
            }
            (second.delivery, 2)
        }
        Ok(None) => (first.delivery, 1),
        Err(error) => (Delivery::AccountRefused(crate::clean::line(&format!("{error:#}"))), 1),
    }
}

/// Sends a mail of the person's to themself, and once more where the token was too old.
pub async fn rehearse(login: &Login, address: &str, now: Timestamp) -> Result<Delivery> {
    let credential = credential(&login.access).await?;
    let first = smtp::rehearse(&login.server, &login.user, &credential, address, now).await;
    if first.stale_token
        && let Some(fresh) = another(login, &credential).await?
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
        if let Some(used_up) = error.downcast_ref::<UsedUp>() {
            return Matter::Passing(Some(used_up.rest));
        }
        match error.chain().find_map(|e| e.downcast_ref::<TokenError>()) {
            Some(token) if token.needs_person() => Matter::Person,
            Some(token) if token.is_refused() => Matter::Refused,
            _ => Matter::Passing(None),
        }
    }
}
