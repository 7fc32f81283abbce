//! One account, watched: log in, look at each mailbox, wait for news, look again.
//!
//! A connection that errs is dropped and a new one made after a pause; nothing here decides what a mail means. IDLE is
//! a hint: every wait ends with a look, and a look asks the server itself what is new.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::time::Instant;

use super::{
    budget::{Budget, UsedUp},
    kit::Kit,
    later, login, mailboxes, maildir,
    pulse::Pulse,
    reading::Reading,
    sent, submit,
};
use crate::{
    config::{Account, Junk, Login, Source, providers::Provider},
    io::{
        clock,
        imap::{IDLE_MAX, IdleEnd, ImapError, Kind, Phase, Session},
        store::{Db, Store},
    },
    pace::{self, Bursts},
    sync::{self, Cursor, LookBack, Selected, SyncPlan},
};

/// How far back is looked again when a mailbox was renumbered: what is older is history.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How long a mailbox that could not be opened is left alone: each try costs a login.
const SHUT_FOR: Duration = Duration::from_secs(15 * 60);
/// How long a server that refused IDLE is not asked for it again (`reliability.md` A4): providers switch it off under
/// load.
const NO_IDLE_FOR: Duration = Duration::from_secs(60 * 60);
/// How often it is considered whether something is to be written without a mail to answer: days count there.
const OFFERS_APART: Duration = Duration::from_secs(60 * 60);
/// How long it is taken for granted which mailbox is Junk: who makes one or renames it does so once in a while.
const JUNK_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest wait without a sign of life from a task that keeps the pace of logins.
const PAUSE_STEP: Duration = Duration::from_secs(30);

/// What a look needs.
#[derive(Clone)]
pub struct Desk {
    /// The log.
    pub db: Db,
    /// Rules and texts.
    pub kit: Arc<Kit>,
}

/// What a look brought, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// Messages stored.
    pub stored: u32,
    /// Messages met before.
    pub known: u32,
    /// Messages that could not be read and are tried again or given up.
    pub failed: u32,
    /// Rejections among the stored ones.
    pub noes: u32,
    /// Mailboxes that the server would not open.
    pub unopened: u32,
    /// Why it ended early, where the provider's day is used up.
    pub used_up: Option<UsedUp>,
}

impl Looked {
    /// Adds what another part of a look brought.
    pub(super) fn add(&mut self, other: Looked) {
        self.stored += other.stored;
        self.known += other.known;
        self.failed += other.failed;
        self.noes += other.noes;
        self.unopened += other.unopened;
        self.used_up = self.used_up.or(other.used_up);
    }
}

/// Looks once at every mailbox of an account.
pub async fn look_once(desk: &Desk, account: &Account) -> Result<Looked> {
    let (_running, stop) = tokio::sync::watch::channel(false);
    let pulse = Pulse::new(stop);
    match &account.source {
        Source::Imap(login) => {
            let mut memory = Memory { unpaced: true, ..Memory::default() };
            let mut watcher = Watcher::open(desk, account, login, &mut memory, &pulse).await?;
            let looked = watcher.look_at_all().await?;
            watcher.session.logout().await;
            memory.offer_later(desk, account).await?;
            Ok(looked)
        }
        Source::Maildir(path) => {
            let looked = maildir::look(desk, account, path, &pulse).await?;
            Memory::default().offer_later(desk, account).await?;
            Ok(looked)
        }
    }
}

/// What is known of an account's server from one connection to the next.
#[derive(Debug)]
pub struct Memory {
    /// The pace of logins.
    logins: Bursts,
    /// No pace is kept: the person asked for one look and waits for it.
    unpaced: bool,
    /// Until when the server is not asked for IDLE, which it refused.
    no_idle_until: Option<Instant>,
    /// Mailboxes that could not be opened, and when they are tried again.
    shut: BTreeMap<String, Instant>,
    /// When it was last considered whether something is to be written without a mail to answer.
    offered: Option<Instant>,
    /// The look at what the person sent.
    sent: sent::Memory,
    /// The server's Junk mailbox, and when it was asked for it.
    junk: Option<(Instant, Option<String>)>,
    /// What may still be fetched today.
    budget: Budget,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            logins: Bursts::LOGINS,
            unpaced: false,
            no_idle_until: None,
            shut: BTreeMap::new(),
            offered: None,
            sent: sent::Memory::default(),
            junk: None,
            budget: Budget::default(),
        }
    }
}

impl Memory {
    /// Connects and logs in, no more often than a server likes.
    async fn log_in(&mut self, login: &Login, pulse: &Pulse) -> Result<Session> {
        let mut pause = self.logins.next(Instant::now().into_std());
        while !pause.is_zero() && !self.unpaced {
            // In steps, so that the watchdog sees the task move.
            let step = pause.min(PAUSE_STEP);
            pulse.beat();
            tokio::time::sleep(step).await;
            pause -= step;
        }
        pulse.beat();
        login::open(login).await
    }

    /// Offers what is due without a mail to answer, now and then. After a look: what just came may be the answer.
    async fn offer_later(&mut self, desk: &Desk, account: &Account) -> Result<()> {
        if self.offered.is_some_and(|at| at.elapsed() < OFFERS_APART) {
            return Ok(());
        }
        self.offered = Some(Instant::now());
        let (kit, name) = (Arc::clone(&desk.kit), account.name.clone());
        let work = move |store: &mut Store| later::offer(store, &kit, &name, clock::now());
        desk.db.call(work).await?;
        Ok(())
    }

    fn is_shut(&self, mailbox: &str) -> bool {
        self.shut.get(mailbox).is_some_and(|until| Instant::now() < *until)
    }

    fn may_idle(&self) -> bool {
        self.no_idle_until.is_none_or(|until| Instant::now() >= until)
    }
}

/// An account whose server is connected.
struct Watcher<'a> {
    desk: &'a Desk,
    account: &'a Account,
    login: &'a Login,
    pulse: &'a Pulse,
    memory: &'a mut Memory,
    session: Session,
}

impl<'a> Watcher<'a> {
    async fn open(
        desk: &'a Desk,
        account: &'a Account,
        login: &'a Login,
        memory: &'a mut Memory,
        pulse: &'a Pulse,
    ) -> Result<Watcher<'a>> {
        memory.budget.limit_to(login.provider.as_ref().and_then(|row| row.daily_bytes));
        let session = memory.log_in(login, pulse).await?;
        Ok(Watcher { desk, account, login, pulse, memory, session })
    }

    /// Looks at every mailbox. One that the server will not open is reported and left out: the others go on. Only when
    /// none can be opened the look has failed.
    async fn look_at_all(&mut self) -> Result<Looked> {
        let mut sum = Looked::default();
        let mut refused = None;
        let mut opened = 0;
        // A look in which nothing was opened proves nothing: where all are shut, all are tried.
        if self.account.mailboxes.iter().all(|mailbox| self.memory.is_shut(mailbox)) {
            self.memory.shut.clear();
        }
        let junk = self.junk().await?;
        if !self.session.is_open() {
            self.session = self.memory.log_in(self.login, self.pulse).await?;
        }
        // What the person answered already is known before mail is judged that they answered.
        sent::look(self.desk, self.account, &mut self.session, &mut self.memory.sent, self.pulse).await?;
        let besides = junk.iter().filter(|name| !self.account.mailboxes.contains(name));
        // The first mailbox comes last: it stays open, and IDLE then speaks of it.
        for mailbox in self.account.mailboxes.iter().chain(besides).rev() {
            if sum.used_up.is_some() {
                break;
            }
            if self.memory.is_shut(mailbox) {
                sum.unopened += 1;
                continue;
            }
            if !self.session.is_open() {
                self.session = self.memory.log_in(self.login, self.pulse).await?;
            }
            let selected = match self.session.examine(mailbox).await {
                Ok(selected) => selected,
                Err(error) if is_about_mailbox(&error) => {
                    tracing::warn!(
                        account = self.account.name,
                        mailbox,
                        reason = %error,
                        "A mailbox cannot be opened; `onward doctor` and the server's list of mailboxes help."
                    );
                    self.memory.shut.insert(mailbox.clone(), Instant::now() + SHUT_FOR);
                    sum.unopened += 1;
                    refused = Some(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.memory.shut.remove(mailbox.as_str());
            opened += 1;
            sum.add(self.look(mailbox, selected, junk.as_ref() == Some(mailbox)).await?);
        }
        match refused {
            Some(error) if opened == 0 => Err(error.into()),
            Some(_) if !self.session.is_open() => {
                self.session = self.memory.log_in(self.login, self.pulse).await?;
                Ok(sum)
            }
            _ => Ok(sum),
        }
    }

    /// The Junk mailbox to watch, if there is one. The server is asked for it once a day; one that does not tell has none.
    async fn junk(&mut self) -> Result<Option<String>> {
        match &self.account.junk {
            Junk::Never => return Ok(None),
            Junk::Named(name) => return Ok(Some(name.clone())),
            Junk::Auto => {}
        }
        if let Some((asked, found)) = &self.memory.junk
            && asked.elapsed() < JUNK_FOR
        {
            return Ok(found.clone());
        }
        if !self.session.is_open() {
            self.session = self.memory.log_in(self.login, self.pulse).await?;
        }
        let listed = match self.session.list().await {
            Ok(listed) => listed,
            Err(error) if is_refusal(&error) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let found = mailboxes::junk_among(&listed);
        self.memory.sent.known(mailboxes::sent_among(&listed, self.account));
        self.memory.junk = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    /// Reads what is new in a mailbox that was just opened.
    async fn look(&mut self, mailbox: &str, selected: Selected, in_junk: bool) -> Result<Looked> {
        let db = &self.desk.db;
        let (name, of) = (self.account.name.clone(), mailbox.to_owned());
        let cursor = db.call(move |store| store.require_room().and_then(|()| store.cursor(&name, &of))).await?;
        let plan = sync::plan(cursor, &selected, look_back(self.account, clock::now()));
        let session = &mut self.session;
        let uids = match plan {
            SyncPlan::Baseline | SyncPlan::Nothing => Vec::new(),
            SyncPlan::FirstLook { since } => session.uids_since(since).await?,
            SyncPlan::Reread { why, since } => {
                tracing::warn!(account = self.account.name, mailbox, reason = %why, "A mailbox is read anew.");
                session.uids_since(since).await?
            }
            SyncPlan::From { last_uid } => session.uids_above(last_uid).await?,
        };
        // Where the cursor goes when everything that was found is stored.
        let highest = uids.last().copied().unwrap_or(0);
        let uid_validity = selected.uid_validity.unwrap_or(0);
        let end = match plan {
            SyncPlan::From { last_uid } => Cursor { uid_validity, last_uid: last_uid.max(highest) },
            // Without UIDNEXT only the mailbox itself says where its end is.
            SyncPlan::Baseline | SyncPlan::FirstLook { .. } | SyncPlan::Reread { .. }
                if selected.uid_next.is_none() =>
            {
                selected.cursor_at_end(session.uids_above(0).await?.last().copied().unwrap_or(0).max(highest))
            }
            _ => selected.cursor_at_end(highest),
        };
        let reading = Reading { desk: self.desk, account: self.account, mailbox, in_junk, uid_validity, plan };
        reading.read(session, &uids, end, &mut self.memory.budget, self.pulse).await
    }
}

/// Whether the server refuses this mailbox, and not the login or everything for load.
fn is_about_mailbox(error: &ImapError) -> bool {
    error.phase == Phase::Examine && is_refusal(error)
}

/// Whether the server will not do what it was asked for, and would not a minute later.
pub(super) fn is_refusal(error: &ImapError) -> bool {
    matches!(error.kind, Kind::Refused { .. }) && !error.is_authentication() && !error.is_transient()
}

/// How far back the first look and a look after renumbering go, as IMAP dates. A day is added: SEARCH SINCE compares
/// dates in the server's zone.
pub(super) fn look_back(account: &Account, now: Timestamp) -> LookBack {
    let date = |ago: SignedDuration| {
        let ago = ago.saturating_add(SignedDuration::from_hours(24));
        now.checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).date()
    };
    let first = SignedDuration::try_from(account.look_back).unwrap_or(LOOK_AGAIN);
    LookBack { first: (!account.look_back.is_zero()).then(|| date(first)), again: date(first.max(LOOK_AGAIN)) }
}

/// Watches an account until it is told to stop; returns early only with an error, and then a new connection is due.
pub async fn watch(desk: &Desk, account: &Account, memory: &mut Memory, pulse: &Pulse) -> Result<()> {
    match &account.source {
        Source::Imap(login) => watch_imap(desk, account, login, memory, pulse).await,
        Source::Maildir(path) => loop {
            pulse.beat();
            pulse.looked(maildir::look(desk, account, path, pulse).await?);
            memory.offer_later(desk, account).await?;
            if pulse.rest(account.poll).await {
                return Ok(());
            }
        },
    }
}

async fn watch_imap(desk: &Desk, account: &Account, login: &Login, memory: &mut Memory, pulse: &Pulse) -> Result<()> {
    // A connection that is waited for is dropped when the daemon ends: what is stored is stored, the rest comes again.
    let opened = unless_stopped(pulse, Watcher::open(desk, account, login, memory, pulse)).await;
    let Some(mut watcher) = opened.transpose()? else { return Ok(()) };
    let provider = login.provider.as_deref();
    let one_connection = provider.is_some_and(Provider::takes_one_connection);
    let idle_max = provider.and_then(|row| row.idle_max).unwrap_or(IDLE_MAX).min(IDLE_MAX);
    let mut looks = Bursts::LOOKS;
    loop {
        pulse.beat();
        let Some(looked) = unless_stopped(pulse, watcher.look_at_all()).await else { return Ok(()) };
        let looked = looked?;
        pulse.looked(looked);
        if let Some(used_up) = looked.used_up {
            pulse.paused(used_up.until);
            return Err(used_up.into());
        }
        watcher.memory.offer_later(desk, account).await?;
        if one_connection {
            // The outbox is waiting for its turn.
            watcher.session.leave().await;
        }
        if one_connection || !watcher.memory.may_idle() {
            if pulse.rest(pace::around(account.poll, submit::jitter())).await {
                break;
            }
            continue;
        }
        match watcher.session.idle(account.poll.min(idle_max), pulse.stopped()).await {
            Ok(IdleEnd::Changed) => {
                let early = looks.next(Instant::now().into_std());
                if !early.is_zero() && pulse.rest(early).await {
                    break;
                }
            }
            Ok(IdleEnd::Deadline) => {}
            Ok(IdleEnd::Stopped) => break,
            Err(error) if matches!(error.kind, Kind::NotSupported(_)) => {
                tracing::info!(
                    account = account.name,
                    "The server does not announce new mail; it is asked on a timer."
                );
                watcher.memory.no_idle_until = Some(Instant::now() + NO_IDLE_FOR);
                let opened = unless_stopped(pulse, watcher.memory.log_in(login, pulse)).await;
                let Some(session) = opened.transpose()? else { return Ok(()) };
                watcher.session = session;
            }
            Err(error) => return Err(error.into()),
        }
    }
    watcher.session.logout().await;
    Ok(())
}

/// The result, or `None` when the task is to end first.
async fn unless_stopped<T>(pulse: &Pulse, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = pulse.stopped() => None,
        done = work => Some(done),
    }
}
