//! The outbox: approved drafts to the Drafts mailbox or to SMTP.
//!
//! One process at a time delivers (a lock beside the database), whoever approved. Placing is repeatable: the Drafts
//! mailbox is searched for the draft's Message-ID first. Sending is not: `sending` is on disk before a connection
//! opens, and doubt ends in `unconfirmed`. It must not decide what a server's answer means (that is `delivery`).

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use serde::Serialize;
use tokio::time::Instant;

use super::{
    login::{self, Matter, PERSON_EVERY},
    pulse::Pulse,
};
use crate::{
    config::{Account, Config, Deliver, Login, Source},
    delivery::{self, Delivery},
    draft::{DraftEvent, DraftState},
    io::{
        clock,
        imap::{AppendFlags, Session, SpecialUse},
        store::{AlreadyRunning, Db, DraftView, Lock, Store, StoreError},
    },
    message::MessageId,
    pace::Backoff,
};

/// The pauses after a refused login: a second try may follow a server's hiccup, more would lock the account.
pub const LOGIN_PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(15 * 60)];
/// The pause once those are used up: delivering waits for the person, who may have to change the password elsewhere.
const LOGIN_PAUSE_MAX: Duration = Duration::from_secs(6 * 60 * 60);

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

impl Delivered {
    /// The state in one word, without the words of a server.
    pub fn as_str(&self) -> &'static str {
        match self {
            Delivered::Placed { .. } => "placed",
            Delivered::Sent => "sent",
            Delivered::Later(_) => "later",
            Delivered::Refused(_) => "refused",
            Delivered::Unconfirmed(_) => "unconfirmed",
            Delivered::Not(_) => "not",
        }
    }
}

/// When what failed may be tried again. An account that cannot be reached rests with all its drafts: a wrong password is
/// not tried once for each of them. A draft that the server would not take rests alone.
#[derive(Debug, Default)]
pub struct Pace(BTreeMap<Resting, Paused>);

/// What rests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Resting {
    Account(String),
    Draft(i64),
}

#[derive(Debug, Default)]
struct Paused {
    until: Option<Instant>,
    why: String,
    backoff: Backoff,
    refused: usize,
}

impl Pace {
    /// Why a draft of this account is left alone now, if it is.
    fn paused(&self, account: &str, draft: i64) -> Option<&str> {
        let now = Instant::now();
        [Resting::Account(account.to_owned()), Resting::Draft(draft)]
            .iter()
            .filter_map(|what| self.0.get(what))
            .find(|paused| paused.until.is_some_and(|until| now < until))
            .map(|paused| paused.why.as_str())
    }

    /// Lets something rest, longer each time; `login_refused` when user or password were not accepted.
    fn failed(&mut self, what: Resting, why: &str, login_refused: bool, hint: Option<Duration>) {
        let paused = self.0.entry(what).or_default();
        why.clone_into(&mut paused.why);
        let pause = if login_refused {
            paused.refused += 1;
            LOGIN_PAUSES.get(paused.refused - 1).copied().unwrap_or(LOGIN_PAUSE_MAX)
        } else {
            hint.unwrap_or_else(|| paused.backoff.failed(jitter()))
        };
        paused.until = Some(Instant::now() + pause);
    }
}

/// Full jitter, so that many daemons do not knock at a server that comes back all at once.
pub fn jitter() -> u16 {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
}

/// Delivers these drafts now, in order, and says what became of each.
pub async fn deliver(outbox: &Outbox<'_>, drafts: &[i64], when: When) -> Vec<(i64, Delivered)> {
    let (_running, stop) = tokio::sync::watch::channel(false);
    deliver_paced(outbox, drafts, when, &mut Pace::default(), &Pulse::new(stop)).await
}

/// [`deliver`] for a loop: accounts in trouble rest, and the end comes between two drafts.
pub async fn deliver_paced(
    outbox: &Outbox<'_>,
    drafts: &[i64],
    when: When,
    pace: &mut Pace,
    pulse: &Pulse,
) -> Vec<(i64, Delivered)> {
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
        if pulse.is_stopped() {
            break;
        }
        pulse.beat();
        let delivered = match one(outbox, *id, &mut sessions, when, pace).await {
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
            let mut session = login::open(login).await?;
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

async fn one(outbox: &Outbox<'_>, id: i64, sessions: &mut Sessions, when: When, pace: &mut Pace) -> Result<Delivered> {
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
    if let Some(why) = pace.paused(&account.name, id) {
        return Ok(Delivered::Later(why.to_owned()));
    }
    let done = match outbox.config.reply.deliver {
        Deliver::Drafts if matches!(account.source, Source::Maildir(_)) => {
            return Ok(Delivered::Not(NO_DRAFTS.to_owned()));
        }
        Deliver::Drafts => place_for(outbox, account, sessions, id).await,
        Deliver::Smtp => match &account.smtp {
            Some(login) => send(&outbox.db, login, &draft, when).await,
            None => return Ok(Delivered::Not(format!("the account `{}` has no [account.smtp]", account.name))),
        },
    };
    keep_pace(pace, &account.name, id, &done);
    done.map(|(delivered, _)| delivered)
}

/// What an attempt showed apart from what became of the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The account can be used.
    AccountFine,
    /// The server took the user or the password for wrong.
    LoginRefused,
    /// The account can be used, but not for this draft.
    DraftTrouble,
    /// Nothing.
    Nothing,
}

/// Lets the account, or the draft, rest after trouble. An error is trouble with the account.
fn keep_pace(pace: &mut Pace, account: &str, draft: i64, done: &Result<(Delivered, Shown)>) {
    let account = Resting::Account(account.to_owned());
    match done {
        Ok((Delivered::Later(why), Shown::LoginRefused)) => pace.failed(account, why, true, None),
        Ok((Delivered::Later(why), Shown::DraftTrouble)) => pace.failed(Resting::Draft(draft), why, false, None),
        Ok((_, Shown::AccountFine)) => {
            pace.0.remove(&account);
        }
        Ok(_) => {}
        Err(error) => {
            let why = crate::clean::line(&format!("{error:#}"));
            match Matter::of(error) {
                Matter::Refused => pace.failed(account, &why, true, None),
                Matter::Person => pace.failed(account, &why, false, Some(PERSON_EVERY)),
                Matter::Passing(hint) => pace.failed(account, &why, false, hint),
            }
        }
    }
}

async fn place_for(
    outbox: &Outbox<'_>,
    account: &Account,
    sessions: &mut Sessions,
    id: i64,
) -> Result<(Delivered, Shown)> {
    let (session, mailbox) = sessions.of(account).await?;
    Ok(match place(&outbox.db, session, &mailbox, id).await {
        Ok(delivered) => (delivered, Shown::AccountFine),
        Err(error) => (Delivered::Later(crate::clean::line(&format!("{error:#}"))), Shown::DraftTrouble),
    })
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
async fn send(db: &Db, login: &Login, draft: &DraftView, when: When) -> Result<(Delivered, Shown)> {
    let id = draft.id;
    let now = clock::now();
    if when == When::Due && draft.attempts > 0 {
        match delivery::next_attempt(draft.attempts, draft.changed_at) {
            Some(due) if due > now => {
                return Ok((Delivered::Later(format!("the next attempt is due at {due}")), Shown::Nothing));
            }
            _ => {}
        }
    }
    let today = db.call(move |store| store.taken_since(now - SignedDuration::from_hours(24))).await?;
    if today >= SENT_PER_DAY_MAX {
        let why = format!("{SENT_PER_DAY_MAX} mails went out in the last 24 hours; the rest waits");
        return Ok((Delivered::Later(why), Shown::Nothing));
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
    let delivery = login::submit(login, &credential, &ready).await;
    let shown = match &delivery {
        Delivery::AccountRefused(_) => Shown::LoginRefused,
        Delivery::Sent(_) | Delivery::Refused(_) => Shown::AccountFine,
        Delivery::Deferred(_) | Delivery::Unconfirmed(_) => Shown::Nothing,
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

/// The approved drafts, oldest first.
pub async fn approved(db: &Db) -> Result<Vec<i64>> {
    Ok(db.call(|store| Ok(store.drafts(&[DraftState::Approved])?.iter().map(|draft| draft.id).collect())).await?)
}

/// The approved drafts; `None` when there is nothing to do for an outbox. One that another process left in `sending` is
/// something: see [`recover`].
pub async fn to_deliver(db: &Db) -> Result<Option<Vec<i64>>> {
    let drafts = db.call(|store| store.drafts(&[DraftState::Approved, DraftState::Sending])).await?;
    let approved = drafts.iter().filter(|draft| draft.state == DraftState::Approved).map(|draft| draft.id).collect();
    Ok((!drafts.is_empty()).then_some(approved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(why: &str) -> Delivered {
        Delivered::Later(why.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_password_is_tried_three_times_whatever_waits() {
        let mut pace = Pace::default();
        let mut tried = 0;
        let day = Instant::now() + Duration::from_secs(6 * 60 * 60);
        while Instant::now() < day {
            for draft in 1..=10 {
                if pace.paused("a", draft).is_none() {
                    tried += 1;
                    keep_pace(&mut pace, "a", draft, &Ok((later("535 no"), Shown::LoginRefused)));
                }
                assert_eq!(pace.paused("b", draft), None, "another account goes on");
            }
            tokio::time::advance(Duration::from_secs(2)).await;
        }
        assert_eq!(tried, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_in_trouble_rests_with_all_its_drafts_and_a_draft_alone() {
        let mut pace = Pace::default();
        keep_pace(&mut pace, "a", 1, &Err(anyhow::anyhow!("no password from the command `pass`")));
        assert_eq!(pace.paused("a", 2), Some("no password from the command `pass`"));
        tokio::time::advance(Backoff::MAX).await;
        assert_eq!(pace.paused("a", 1), None);
        keep_pace(&mut pace, "a", 1, &Ok((later("over quota"), Shown::DraftTrouble)));
        assert_eq!((pace.paused("a", 1), pace.paused("a", 2)), (Some("over quota"), None));
        keep_pace(&mut pace, "a", 2, &Err(anyhow::anyhow!("down")));
        keep_pace(&mut pace, "a", 2, &Ok((Delivered::Sent, Shown::AccountFine)));
        assert_eq!(pace.paused("a", 2), None);
    }
}
