//! The outbox: approved drafts to the Drafts mailbox or to SMTP.
//!
//! One process at a time delivers (a lock beside the database), whoever approved. Placing is repeatable: the Drafts
//! mailbox is searched for the draft's Message-ID first. Sending is not: `sending` is on disk before a connection
//! opens, and doubt ends in `unconfirmed`. It must not decide what a server's answer means (that is `delivery`).

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use serde::Serialize;

use crate::{
    config::{Account, Config, Deliver, Login, Source},
    delivery::{self, Delivery},
    draft::{DraftEvent, DraftState},
    io::{
        clock,
        imap::{AppendFlags, Session, SpecialUse},
        smtp,
        store::{AlreadyRunning, Db, DraftView, Lock, Store, StoreError},
    },
    message::MessageId,
    secret,
};

/// Most mails sent in a day: beyond that something is wrong, and providers begin to block (`reliability.md` D5).
const SENT_PER_DAY_MAX: u32 = 20;
/// Names of a Drafts mailbox where the server marks none (RFC 6154 is optional), most common first.
const DRAFTS_NAMES: &[&str] =
    &["Drafts", "INBOX.Drafts", "[Gmail]/Drafts", "Entwürfe", "Draft", "Brouillons", "Borradores"];

/// Why nothing is placed for an account that is a Maildir, and what to do.
pub const NO_DRAFTS: &str = "a Maildir has no Drafts mailbox to put replies into; set reply.deliver = \"smtp\" with \
                             [account.smtp], or copy the text of `onward draft show` into your mail program";

/// What is needed to deliver.
pub struct Outbox<'a> {
    /// The log.
    pub db: Db,
    /// The configuration.
    pub config: &'a Config,
}

/// Whether the pace of repeated attempts is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The person asks for it now.
    Now,
    /// Only what is due by the schedule of `delivery`.
    Due,
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "why")]
pub enum Delivered {
    /// It lies in this mailbox.
    Placed {
        /// The Drafts mailbox.
        mailbox: String,
    },
    /// The server took it.
    Sent,
    /// Nothing left; it stays approved.
    Later(String),
    /// The server refused it for good.
    Refused(String),
    /// It may have left; only the person can tell.
    Unconfirmed(String),
    /// It was not for us to deliver: not approved any more, lapsed, no account.
    Not(String),
}

impl<'a> Outbox<'a> {
    /// Opens the log for delivering.
    pub fn open(config: &'a Config) -> Result<Outbox<'a>> {
        let store = Store::open(&config.store)?;
        Ok(Outbox { db: Db::new(store), config })
    }

    fn dir(&self) -> &Path {
        self.config.store.parent().unwrap_or(Path::new("."))
    }
}

/// Delivers these drafts, in order, and says what became of each.
pub async fn deliver(outbox: &Outbox<'_>, drafts: &[i64], when: When) -> Vec<(i64, Delivered)> {
    let mut done = Vec::new();
    let lock = match Lock::acquire_outbox(outbox.dir()) {
        Ok(lock) => Arc::new(lock),
        Err(error) => {
            let why = match error {
                AlreadyRunning::Held { .. } => "another onward is delivering just now and takes it along".to_owned(),
                other => other.to_string(),
            };
            return drafts.iter().map(|id| (*id, Delivered::Later(why.clone()))).collect();
        }
    };
    if let Err(error) = recover(&outbox.db, Arc::clone(&lock)).await {
        return drafts.iter().map(|id| (*id, Delivered::Not(format!("{error:#}")))).collect();
    }
    let mut sessions = Sessions::default();
    for id in drafts {
        let delivered = match one(outbox, *id, &mut sessions, when).await {
            Ok(delivered) => delivered,
            Err(error) => Delivered::Later(crate::clean::line(&format!("{error:#}"))),
        };
        done.push((*id, delivered));
    }
    sessions.close().await;
    drop(lock);
    done
}

/// Marks what an ended process left in `sending` as unconfirmed. The outbox lock proves that nobody sends now.
pub async fn recover(db: &Db, lock: Arc<Lock>) -> Result<()> {
    let lost = db.call(move |store| store.recover(&lock, clock::now())).await?;
    for draft in lost {
        tracing::warn!(draft, "It is not known whether this draft was sent; the person is asked.");
    }
    Ok(())
}

/// Connections opened while delivering, one an account.
#[derive(Default)]
struct Sessions(Vec<(String, Session, String)>);

impl Sessions {
    /// The open session of an account and the name of its Drafts mailbox.
    async fn of(&mut self, account: &Account) -> Result<(&mut Session, String)> {
        self.0.retain(|(_, session, _)| session.is_open());
        if !self.0.iter().any(|(name, ..)| *name == account.name) {
            let Source::Imap(login) = &account.source else { anyhow::bail!(NO_DRAFTS) };
            let mut session = open(login).await?;
            let drafts = drafts_mailbox(&mut session, account).await?;
            self.0.push((account.name.clone(), session, drafts));
        }
        let found = self.0.iter_mut().find(|(name, ..)| *name == account.name).context("the session is gone")?;
        Ok((&mut found.1, found.2.clone()))
    }

    async fn close(self) {
        for (_, session, _) in self.0 {
            if session.is_open() {
                session.logout().await;
            }
        }
    }
}

/// Connects and logs in.
pub async fn open(login: &Login) -> Result<Session> {
    let password = secret::read(&login.password).await?;
    Ok(Session::connect(&login.server).await?.login(&login.user, &password).await?)
}

async fn one(outbox: &Outbox<'_>, id: i64, sessions: &mut Sessions, when: When) -> Result<Delivered> {
    let (draft, account) = outbox
        .db
        .call(move |store| {
            let draft = store.draft(id)?;
            let item = store.item(draft.outcome)?;
            Ok((draft, item.row.mail.map(|mail| mail.account)))
        })
        .await?;
    if draft.state != DraftState::Approved {
        return Ok(Delivered::Not(format!("it is {} and not approved", draft.state)));
    }
    let account = account.as_deref().and_then(|name| outbox.config.account(name));
    let Some(account) = account.or(outbox.config.accounts.first()) else {
        return Ok(Delivered::Not("no account is configured".to_owned()));
    };
    match outbox.config.reply.deliver {
        Deliver::Drafts if matches!(account.source, Source::Maildir(_)) => Ok(Delivered::Not(NO_DRAFTS.to_owned())),
        Deliver::Drafts => {
            let (session, mailbox) = sessions.of(account).await?;
            place(&outbox.db, session, &mailbox, id).await
        }
        Deliver::Smtp => match &account.smtp {
            Some(login) => send(&outbox.db, login, &draft, when).await,
            None => Ok(Delivered::Not(format!("the account `{}` has no [account.smtp]", account.name))),
        },
    }
}

/// The Drafts mailbox: as configured, else the one the server marks, else one of a known name. Never created.
pub async fn drafts_mailbox(session: &mut Session, account: &Account) -> Result<String> {
    if let Some(name) = &account.drafts {
        return Ok(name.clone());
    }
    let listed = session.list().await?;
    let marked = listed.iter().find(|mailbox| mailbox.is(SpecialUse::Drafts) && mailbox.is_selectable());
    let known = || {
        DRAFTS_NAMES
            .iter()
            .find_map(|name| listed.iter().find(|mailbox| mailbox.name == *name && mailbox.is_selectable()))
    };
    let found = marked.or_else(known).with_context(|| {
        format!(
            "the account `{}` has no Drafts mailbox that can be recognised; name it with `drafts = \"…\"`",
            account.name
        )
    })?;
    Ok(found.name.clone())
}

/// Puts an approved draft into Drafts, unless it lies there already from an attempt whose end nobody saw.
pub async fn place(db: &Db, session: &mut Session, mailbox: &str, id: i64) -> Result<Delivered> {
    let ready = match db.call(move |store| store.approved_for_drafts(id)).await {
        Ok(ready) => ready,
        Err(error @ (StoreError::StaleDigest | StoreError::NotAllowed(_))) => {
            return Ok(Delivered::Not(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let message_id = MessageId::new(ready.message_id()).context("the draft has no usable Message-ID")?;
    let there = session.find_by_message_id(mailbox, &message_id).await?;
    if there.is_empty() {
        session.append(mailbox, AppendFlags::Draft, ready.bytes()).await?;
    }
    let remark = mailbox.to_owned();
    db.call(move |store| store.record(id, DraftEvent::Place, &remark, clock::now())).await?;
    tracing::info!(draft = id, "A reply was placed in Drafts.");
    Ok(Delivered::Placed { mailbox: mailbox.to_owned() })
}

/// Sends an approved draft by SMTP, at most once.
async fn send(db: &Db, login: &Login, draft: &DraftView, when: When) -> Result<Delivered> {
    let id = draft.id;
    let now = clock::now();
    if when == When::Due && draft.attempts > 0 {
        match delivery::next_attempt(draft.attempts, draft.changed_at) {
            Some(due) if due > now => return Ok(Delivered::Later(format!("the next attempt is due at {due}"))),
            _ => {}
        }
    }
    let today = db.call(move |store| store.taken_since(now - SignedDuration::from_hours(24))).await?;
    if today >= SENT_PER_DAY_MAX {
        return Ok(Delivered::Later(format!("{SENT_PER_DAY_MAX} mails went out in the last 24 hours; the rest waits")));
    }
    // The password comes first: without it nothing is taken, and a draft never waits in `sending` for a keyring.
    let password = secret::read(&login.password).await?;
    let ready = match db.call(move |store| store.take(id, clock::now())).await {
        Ok(ready) => ready,
        Err(error @ (StoreError::Lapsed { .. } | StoreError::StaleDigest | StoreError::NotAllowed(_))) => {
            return Ok(Delivered::Not(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let delivery = smtp::submit(&login.server, &login.user, &password, &ready, |_| {}).await;
    record(db, id, draft.attempts + 1, delivery).await
}

/// Writes down what came of an attempt.
async fn record(db: &Db, id: i64, attempts: u32, delivery: Delivery) -> Result<Delivered> {
    let (event, remark, delivered) = match delivery {
        Delivery::Sent(reply) => (DraftEvent::Accepted, format!("{} {}", reply.code, reply.text), Delivered::Sent),
        Delivery::Deferred(why) if delivery::next_attempt(attempts, clock::now()).is_none() => {
            let why = format!("{why}; attempts are used up");
            (DraftEvent::Refused, why.clone(), Delivered::Refused(why))
        }
        Delivery::Deferred(why) | Delivery::AccountRefused(why) => {
            (DraftEvent::Deferred, why.clone(), Delivered::Later(why))
        }
        Delivery::Refused(why) => (DraftEvent::Refused, why.clone(), Delivered::Refused(why)),
        Delivery::Unconfirmed(why) => (DraftEvent::Lost, why.clone(), Delivered::Unconfirmed(why)),
    };
    db.call(move |store| store.record(id, event, &remark, clock::now())).await?;
    tracing::info!(draft = id, event = event.as_str(), "An attempt to send a reply ended.");
    Ok(delivered)
}

/// Whether anything approved waits, so that a loop need not connect for nothing.
pub async fn approved(db: &Db) -> Result<Vec<i64>> {
    Ok(db.call(|store| Ok(store.drafts(&[DraftState::Approved])?.iter().map(|draft| draft.id).collect())).await?)
}
