//! By SMTP: taken on disk first, one mail after the other and not too many, and never twice.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use jiff::SignedDuration;

use super::{Delivered, Outbox, When, held, pace::Shown};
use crate::{
    app::login,
    config::{Account, Config, Login},
    delivery::{self, Delivery},
    draft::DraftEvent,
    io::{
        clock, gate, smtp,
        store::{Db, DraftView, StoreError},
    },
};

/// Asked when the server waits for DATA: delivery is not paused, and that the message may leave is on disk.
struct Leave {
    db: Db,
    dir: PathBuf,
    draft: i64,
}

impl smtp::Gate for Leave {
    async fn open(&mut self) -> Result<(), String> {
        if let Some(why) = held(&self.dir) {
            return Err(why);
        }
        let draft = self.draft;
        let begun = self.db.call(move |store| store.record(draft, DraftEvent::Begin, "", clock::now())).await;
        begun.map(drop).map_err(|error| error.to_string())
    }
}

/// Why nothing is sent by SMTP for this account yet, if so: a reply to an employer is not the mail to find out with
/// whether sending works.
pub fn unproven(dir: &Path, account: &Account) -> Option<String> {
    let login = account.smtp.as_ref()?;
    gate::proven(dir, &account.name, login).is_none().then(|| {
        format!(
            "sending is off until it was tried with a mail to yourself: run `onward send --test` (account `{}`)",
            account.name
        )
    })
}

/// Sends a mail from the account's own address to itself, and writes down that it can send. Gives the address.
pub async fn rehearse(config: &Config, account: &Account) -> Result<String> {
    let login =
        account.smtp.as_ref().with_context(|| format!("the account `{}` has no [account.smtp]", account.name))?;
    let address = account.identity.addresses.first().context("the identity has no address")?;
    let dir = config.store.parent().unwrap_or(Path::new("."));
    match login::rehearse(login, address, clock::now()).await? {
        Delivery::Sent(_) => {}
        Delivery::Unconfirmed(why) => {
            bail!("nobody can tell whether it was sent: {why}; look into your inbox and try again")
        }
        Delivery::Deferred(why) | Delivery::Refused(why) | Delivery::AccountRefused(why) | Delivery::Held(why) => {
            bail!("it was not sent: {why}")
        }
    }
    gate::prove(dir, &account.name, login, clock::now())
        .with_context(|| format!("cannot write in {}", dir.display()))?;
    Ok(address.clone())
}

/// Sends an approved draft by SMTP, at most once.
pub(super) async fn send(
    outbox: &Outbox<'_>,
    account: &Account,
    login: &Login,
    draft: &DraftView,
    when: When,
) -> Result<(Delivered, Shown)> {
    let (id, db) = (draft.id, &outbox.db);
    let waits = |why: String| Ok((Delivered::Later(why), Shown::Nothing));
    if let Some(why) = unproven(outbox.dir(), account) {
        return waits(why);
    }
    let now = clock::now();
    if when == When::Due && draft.attempts > 0 {
        match delivery::next_attempt(draft.attempts, draft.changed_at) {
            Some(due) if due > now => return waits(format!("the next attempt is due at {due}")),
            _ => {}
        }
    }
    let within = |span: SignedDuration| db.call(move |store| store.taken_since(now - span));
    let last_minute = within(SignedDuration::from_mins(1)).await?;
    let last_day = within(SignedDuration::from_hours(24)).await?;
    if let Some(why) = outbox.limits.reached(last_minute, last_day) {
        return waits(why);
    }
    // The password comes first: without it nothing is taken, and a draft never waits in `sending` for a keyring.
    let credential = login::credential(&login.access).await?;
    let ready = match db.call(move |store| store.take(id, clock::now())).await {
        Ok(ready) => ready,
        Err(error @ (StoreError::Lapsed { .. } | StoreError::StaleDigest | StoreError::NotAllowed(_))) => {
            return Ok((Delivered::Not(error.to_string()), Shown::Nothing));
        }
        Err(error) => return Err(error.into()),
    };
    let mut leave = Leave { db: db.clone(), dir: outbox.dir().to_owned(), draft: id };
    let (delivery, tries) = login::submit(login, &credential, &ready, &mut leave).await;
    let shown = match &delivery {
        Delivery::AccountRefused(_) => Shown::LoginRefused { tries },
        Delivery::Sent(_) | Delivery::Refused(_) => Shown::AccountFine,
        Delivery::Deferred(_) | Delivery::Unconfirmed(_) | Delivery::Held(_) => Shown::Nothing,
    };
    Ok((record(db, id, draft.attempts + 1, delivery).await?, shown))
}

/// Writes down what came of an attempt.
async fn record(db: &Db, id: i64, attempts: u32, delivery: Delivery) -> Result<Delivered> {
    let (event, remark, delivered) = match delivery {
        Delivery::Sent(reply) => (DraftEvent::Accepted, format!("{} {}", reply.code, reply.text), Delivered::Sent),
        Delivery::Deferred(why) if delivery::next_attempt(attempts, clock::now()).is_none() => {
            let why = format!("{why}; attempts are used up");
            (DraftEvent::Refused, why.clone(), Delivered::Refused(why))
        }
        Delivery::Deferred(why) => (DraftEvent::Deferred, why.clone(), Delivered::Later(why)),
        Delivery::AccountRefused(why) | Delivery::Held(why) => {
            (DraftEvent::Release, why.clone(), Delivered::Later(why))
        }
        Delivery::Refused(why) => (DraftEvent::Refused, why.clone(), Delivered::Refused(why)),
        Delivery::Unconfirmed(why) => (DraftEvent::Lost, why.clone(), Delivered::Unconfirmed(why)),
    };
    db.call(move |store| store.record(id, event, &remark, clock::now())).await?;
    tracing::info!(draft = id, event = event.as_str(), "An attempt to send a reply ended.");
    Ok(delivered)
}
