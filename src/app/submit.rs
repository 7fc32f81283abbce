//! The outbox: approved drafts to the Drafts mailbox or to SMTP.
//!
//! One process at a time delivers (a lock beside the database), whoever approved. Placing is repeatable: the Drafts
//! mailbox is searched for the draft's Message-ID first. Sending is not: `sending` is on disk before a connection
//! opens, that the message may leave is on disk before it does, and doubt ends in `unconfirmed`. It must not decide what
//! a server's answer means (that is `delivery`).

mod pace;
mod place;
mod send;
mod sent;
mod sessions;

use std::{path::Path, sync::Arc};

use anyhow::Result;
use serde::Serialize;

use self::{pace::keep_pace, sessions::Sessions};
pub use self::{
    pace::{LOGIN_PAUSES, Pace, jitter},
    place::OTHER_TEXT,
    send::{rehearse, unproven},
};
use super::{kit, pulse::Pulse};
use crate::{
    config::{Account, Config, Deliver, Source},
    delivery::SendLimits,
    draft::DraftState,
    io::{
        clock, gate,
        store::{self, AlreadyRunning, Db, DraftView, Lock, Store},
    },
};

/// Why nothing is placed for an account that is a Maildir, and what to do.
pub const NO_DRAFTS: &str = "a Maildir has no Drafts mailbox to put replies into; set reply.deliver = \"smtp\" with \
                             [account.smtp], or copy the text of `onward draft show` into your mail program";

/// What is needed to deliver.
pub struct Outbox<'a> {
    /// The log.
    pub db: Db,
    /// The configuration.
    pub config: &'a Config,
    /// How many mails may go out.
    pub limits: SendLimits,
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
        /// Whether what lies there under its Message-ID has another text than the approved one, and was left as it is: it
        /// got there in an attempt whose end nobody saw, and was changed since, there or here.
        other_text: bool,
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

/// How many mails may go out, as the person's policy says. A broken policy file is told where rules are loaded; until it is
/// mended the shipped numbers hold.
pub fn limits(config: &Config) -> SendLimits {
    let (policy, _) = kit::load_policy(&config.rules_dir());
    SendLimits { a_minute: policy.caps().sends_a_minute, a_day: policy.caps().sends_a_day }
}

impl<'a> Outbox<'a> {
    /// Opens the log for delivering.
    pub fn open(config: &'a Config) -> Result<Outbox<'a>> {
        let store = Store::open(&config.store)?;
        Ok(Outbox { db: Db::new(store), config, limits: limits(config) })
    }

    fn dir(&self) -> &'a Path {
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

/// Delivers these drafts now, in order, and says what became of each. Sent is left to a running daemon: the person waits
/// for this.
pub async fn deliver(outbox: &Outbox<'_>, drafts: &[i64], when: When) -> Vec<(i64, Delivered)> {
    let (_running, stop) = tokio::sync::watch::channel(false);
    let looks = !Lock::is_held(outbox.dir());
    turn(outbox, drafts, when, &mut Pace::default(), &Pulse::new(stop), looks).await
}

/// [`deliver`] for a loop: accounts in trouble rest, and the end comes between two drafts.
pub async fn deliver_paced(
    outbox: &Outbox<'_>,
    drafts: &[i64],
    when: When,
    pace: &mut Pace,
    pulse: &Pulse,
) -> Vec<(i64, Delivered)> {
    turn(outbox, drafts, when, pace, pulse, true).await
}

async fn turn(
    outbox: &Outbox<'_>,
    drafts: &[i64],
    when: When,
    pace: &mut Pace,
    pulse: &Pulse,
    looks: bool,
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
    if looks {
        sent::look(outbox, &mut sessions, pace, pulse).await;
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

/// Why nothing is delivered for anybody now, if so.
pub fn held(dir: &Path) -> Option<String> {
    let pause = gate::paused(dir)?;
    let since = pause.since.map(|at| format!(" since {}", at.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    let why = if pause.why.is_empty() { String::new() } else { format!(" ({})", pause.why) };
    Some(format!("delivery is paused{since}{why}; `onward send --resume` lets it go on"))
}

/// Why approved drafts wait, as far as the person can do something about it: a pause, and servers of which nobody knows yet
/// whether they send.
pub fn obstacles(config: &Config) -> Vec<String> {
    let dir = config.store.parent().unwrap_or(Path::new("."));
    let by_smtp = config.reply.enabled && config.reply.deliver == Deliver::Smtp;
    let accounts = config.accounts.iter().filter(|_| by_smtp);
    held(dir).into_iter().chain(accounts.filter_map(|account| unproven(dir, account))).collect()
}

/// The account a draft is delivered for: the one its mail came to, else the first.
async fn account_of<'a>(outbox: &Outbox<'a>, draft: &DraftView) -> Result<Option<&'a Account>> {
    let outcome = draft.outcome;
    let name = outbox.db.call(move |store| Ok(store.item(outcome)?.row.mail.map(|mail| mail.account))).await?;
    let config = outbox.config;
    Ok(name.as_deref().and_then(|name| config.account(name)).or(config.accounts.first()))
}

async fn one(outbox: &Outbox<'_>, id: i64, sessions: &mut Sessions, when: When, pace: &mut Pace) -> Result<Delivered> {
    let draft = outbox.db.call(move |store| store.draft(id)).await?;
    if draft.state != DraftState::Approved {
        return Ok(Delivered::Not(format!("it is {} and not approved", draft.state)));
    }
    let Some(account) = account_of(outbox, &draft).await? else {
        return Ok(Delivered::Not("no account is configured".to_owned()));
    };
    if let Some(why) = held(outbox.dir()) {
        return Ok(Delivered::Later(why));
    }
    if let Some(why) = pace.paused(&account.name, id) {
        return Ok(Delivered::Later(why.to_owned()));
    }
    let done = match outbox.config.reply.deliver {
        Deliver::Drafts if matches!(account.source, Source::Maildir(_)) => {
            return Ok(Delivered::Not(NO_DRAFTS.to_owned()));
        }
        Deliver::Drafts => place::place(outbox, account, sessions, &draft).await,
        Deliver::Smtp => match &account.smtp {
            Some(login) => send::send(outbox, account, login, &draft, when).await,
            None => return Ok(Delivered::Not(format!("the account `{}` has no [account.smtp]", account.name))),
        },
    };
    keep_pace(pace, &account.name, id, &done);
    done.map(|(delivered, _)| delivered)
}

/// The approved drafts, those approved first first.
pub fn approved(store: &Store) -> store::Result<Vec<i64>> {
    let mut drafts = store.drafts(&[DraftState::Approved])?;
    drafts.sort_by_key(|draft| (draft.approved_at, draft.id));
    Ok(drafts.iter().map(|draft| draft.id).collect())
}

/// The approved drafts; `None` when there is nothing to do for an outbox. One that another process left in `sending` is
/// something (see [`recover`]), and so is one to look for in Sent.
pub async fn to_deliver(outbox: &Outbox<'_>, pace: &Pace) -> Result<Option<Vec<i64>>> {
    let approved = outbox.db.call(|store| approved(store)).await?;
    let idle = approved.is_empty()
        && outbox.db.call(|store| store.drafts(&[DraftState::Sending])).await?.is_empty()
        && sent::tasks(outbox, pace).await?.is_empty();
    Ok((!idle).then_some(approved))
}
