//! One account, watched: log in, look at each mailbox, wait for news, look again.
//!
//! A connection that errs is dropped and a new one made after a pause; nothing here decides what a mail means. IDLE is
//! a hint: every wait ends with a look, and a look asks the server itself what is new.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::time::Instant;

use super::{
    ingest::{self, Arrived},
    kit::Kit,
    maildir,
    pulse::Pulse,
    submit,
};
use crate::{
    config::{Account, Login, Source},
    io::{
        clock,
        imap::{FETCH_BATCH_MAX, Fetched, IDLE_MAX, IdleEnd, ImapError, Kind, Phase, Session},
        store::{Attempt, Committed, Db, Place, Store, StoreError},
    },
    outcome::Category,
    sync::{self, Cursor, LookBack, Selected, SyncPlan, Void},
};

/// First octets of a message that are read: enough for the text of all but a few mails, and one round trip
/// (`reference/spike.md` measured it). RFC822.SIZE tells when there is more.
pub const FETCH_OCTETS: u32 = 65_536;
/// Messages asked for in one command: at line rate over a slow connection without holding much in memory.
const BATCH: usize = if FETCH_BATCH_MAX < 100 { FETCH_BATCH_MAX } else { 100 };
/// How far back is looked again when a mailbox was renumbered: what is older is history.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How long a mailbox that could not be opened is left alone: each try costs a login.
const SHUT_FOR: Duration = Duration::from_secs(15 * 60);
/// Shortest time between two looks: news that come in a burst are read together, and a server that always has news is
/// not asked without pause.
const LOOKS_APART: Duration = Duration::from_secs(1);

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
}

impl Looked {
    /// Adds what another part of a look brought.
    pub(super) fn add(&mut self, other: Looked) {
        self.stored += other.stored;
        self.known += other.known;
        self.failed += other.failed;
        self.noes += other.noes;
        self.unopened += other.unopened;
    }
}

/// Looks once at every mailbox of an account.
pub async fn look_once(desk: &Desk, account: &Account) -> Result<Looked> {
    let (_running, stop) = tokio::sync::watch::channel(false);
    let pulse = Pulse::new(stop);
    match &account.source {
        Source::Imap(login) => {
            let mut watcher = Watcher::open(desk, account, login, &pulse).await?;
            let looked = watcher.look_at_all().await?;
            watcher.session.logout().await;
            Ok(looked)
        }
        Source::Maildir(path) => maildir::look(desk, account, path, &pulse).await,
    }
}

/// An account whose server is connected.
struct Watcher<'a> {
    desk: &'a Desk,
    account: &'a Account,
    login: &'a Login,
    pulse: &'a Pulse,
    session: Session,
    /// Mailboxes that could not be opened, and when they are tried again.
    shut: BTreeMap<&'a str, Instant>,
}

impl<'a> Watcher<'a> {
    async fn open(desk: &'a Desk, account: &'a Account, login: &'a Login, pulse: &'a Pulse) -> Result<Watcher<'a>> {
        let session = submit::open(login).await?;
        Ok(Watcher { desk, account, login, pulse, session, shut: BTreeMap::new() })
    }

    /// Looks at every mailbox. One that the server will not open is reported and left out: the others go on. Only when
    /// none can be opened the look has failed.
    async fn look_at_all(&mut self) -> Result<Looked> {
        let mut sum = Looked::default();
        let mut refused = None;
        let mut opened = 0;
        // The first mailbox comes last: it stays open, and IDLE then speaks of it.
        for mailbox in self.account.mailboxes.iter().rev() {
            if self.shut.get(mailbox.as_str()).is_some_and(|until| Instant::now() < *until) {
                sum.unopened += 1;
                continue;
            }
            if !self.session.is_open() {
                self.session = submit::open(self.login).await?;
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
                    self.shut.insert(mailbox, Instant::now() + SHUT_FOR);
                    sum.unopened += 1;
                    refused = Some(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.shut.remove(mailbox.as_str());
            opened += 1;
            sum.add(self.look(mailbox, selected).await?);
        }
        match refused {
            Some(error) if opened == 0 => Err(error.into()),
            Some(_) if !self.session.is_open() => {
                self.session = submit::open(self.login).await?;
                Ok(sum)
            }
            _ => Ok(sum),
        }
    }

    /// Reads what is new in a mailbox that was just opened.
    async fn look(&mut self, mailbox: &str, selected: Selected) -> Result<Looked> {
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
        let reading = Reading { desk: self.desk, account: self.account, mailbox, uid_validity, plan };
        reading.prepare(&uids).await?;
        let mut sum = Looked::default();
        for batch in uids.chunks(BATCH) {
            if self.pulse.is_stopped() {
                return Ok(sum);
            }
            self.pulse.beat();
            sum.add(reading.batch(session, batch).await?);
        }
        reading.finish(end).await?;
        Ok(sum)
    }
}

/// Whether the server refuses this mailbox, and not the login or everything for load.
fn is_about_mailbox(error: &ImapError) -> bool {
    error.phase == Phase::Examine
        && matches!(error.kind, Kind::Refused { .. })
        && !error.is_authentication()
        && error.retry_after().is_none()
}

/// How far back the first look and a look after renumbering go, as IMAP dates. A day is added: SEARCH SINCE compares
/// dates in the server's zone.
fn look_back(account: &Account, now: Timestamp) -> LookBack {
    let date = |ago: SignedDuration| {
        let ago = ago.saturating_add(SignedDuration::from_hours(24));
        now.checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).date()
    };
    let first = SignedDuration::try_from(account.look_back).unwrap_or(LOOK_AGAIN);
    LookBack { first: (!account.look_back.is_zero()).then(|| date(first)), again: date(first.max(LOOK_AGAIN)) }
}

/// A mailbox that is being read.
struct Reading<'a> {
    desk: &'a Desk,
    account: &'a Account,
    mailbox: &'a str,
    uid_validity: u32,
    plan: SyncPlan,
}

impl Reading<'_> {
    /// Ends attempts at messages that are gone meanwhile, so that the cursor does not wait for them for ever. Where the
    /// mailbox went back in time, its UIDs are forgotten: they may mean other messages now.
    async fn prepare(&self, uids: &[u32]) -> Result<()> {
        let (account, mailbox, uid_validity) = self.place();
        let renumbered = matches!(self.plan, SyncPlan::Reread { why: Void::UidNext { .. }, .. });
        let uids = uids.to_vec();
        let work = move |store: &mut Store| {
            if renumbered {
                store.forget_places(&account, &mailbox, uid_validity)?;
            }
            for uid in store.open_attempts(&account, &mailbox, uid_validity)? {
                if uids.binary_search(&uid).is_err() {
                    store.vanished(Place { account: &account, mailbox: &mailbox, uid_validity, uid }, clock::now())?;
                }
            }
            Ok(())
        };
        Ok(self.desk.db.call(work).await?)
    }

    /// Fetches and stores one batch. What the server would not give, body or all, is tried again at the next look,
    /// three times in all; where it is no longer listed then, it is gone.
    async fn batch(&self, session: &mut Session, uids: &[u32]) -> Result<Looked> {
        let batch = session.fetch(uids, FETCH_OCTETS).await?;
        let mut sum = Looked::default();
        // First, because storing a message moves the cursor up to it.
        for uid in batch.missing {
            let (account, mailbox, uid_validity) = self.place();
            let missing = move |store: &mut Store| {
                let place = Place { account: &account, mailbox: &mailbox, uid_validity, uid };
                let now = clock::now();
                if store.begin_attempt(place, now)? != Attempt::Quarantined {
                    store.fail_attempt(place, "the server listed it and did not give it", now)?;
                }
                Ok(())
            };
            self.desk.db.call(missing).await?;
            sum.failed += 1;
        }
        for message in batch.messages {
            sum.add(self.message(message).await?);
        }
        Ok(sum)
    }

    /// Moves the cursor after a look in which everything was stored.
    async fn finish(&self, end: Cursor) -> Result<()> {
        let (account, mailbox, _) = self.place();
        let anew = matches!(self.plan, SyncPlan::Reread { .. });
        let work = move |store: &mut Store| {
            if anew {
                store.reset_cursor(&account, &mailbox, end, clock::now())
            } else {
                store.advance_cursor(&account, &mailbox, end, clock::now()).map(|_| ())
            }
        };
        Ok(self.desk.db.call(work).await?)
    }

    fn place(&self) -> (String, String, u32) {
        (self.account.name.clone(), self.mailbox.to_owned(), self.uid_validity)
    }

    async fn message(&self, fetched: Fetched) -> Result<Looked> {
        let (account, mailbox, uid_validity) = self.place();
        let uid = fetched.uid;
        let kit = Arc::clone(&self.desk.kit);
        // Every stored message moves the cursor. A mailbox that is read anew moves it at the end: until then the old
        // cursor says that there is something left to do.
        let in_order = !matches!(self.plan, SyncPlan::Reread { .. });
        let work = move |store: &mut Store| {
            let now = clock::now();
            let place = Place { account: &account, mailbox: &mailbox, uid_validity, uid };
            if store.begin_attempt(place, now)? == Attempt::Quarantined {
                return Ok(None);
            }
            let truncated = fetched.is_truncated(FETCH_OCTETS);
            let Some(bytes) = &fetched.body else {
                store.fail_attempt(place, "the server gave no body", now)?;
                return Ok(None);
            };
            let arrived = Arrived {
                account: &account,
                mailbox: &mailbox,
                uid_validity,
                uid: Some(uid),
                internal_date: fetched.internal_date.unwrap_or(now),
                size: u64::from(fetched.size),
                truncated,
                bytes,
            };
            let cursor = in_order.then_some(Cursor { uid_validity, last_uid: uid });
            ingest::ingest(store, &kit, &arrived, cursor, now).map(Some)
        };
        match self.desk.db.call(work).await {
            Ok(done) => Ok(tally(done.as_ref(), &self.account.name)),
            Err(StoreError::Panicked) => {
                let (account, mailbox, uid_validity) = self.place();
                let failed = move |store: &mut Store| {
                    let place = Place { account: &account, mailbox: &mailbox, uid_validity, uid };
                    store.fail_attempt(place, "reading it failed inside onward", clock::now())
                };
                self.desk.db.call(failed).await?;
                Ok(tally(None, &self.account.name))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What one message counts as, with the log line for what was stored.
pub(super) fn tally(done: Option<&ingest::Ingested>, account: &str) -> Looked {
    match done {
        None => Looked { failed: 1, ..Looked::default() },
        Some(ingested) => match &ingested.committed {
            Committed::Duplicate { .. } => Looked { known: 1, ..Looked::default() },
            Committed::Stored { message, outcome, draft, .. } => {
                let no = ingested.verdict.is_some_and(|(category, decided)| decided && category == Category::Rejection);
                if let (Some((category, decided)), Some(outcome)) = (ingested.verdict, outcome) {
                    tracing::info!(
                        account,
                        message,
                        outcome,
                        category = category.as_str(),
                        decided,
                        draft,
                        "A mail was logged."
                    );
                }
                Looked { stored: 1, noes: u32::from(no), ..Looked::default() }
            }
        },
    }
}

/// Watches an account until it is told to stop; returns early only with an error, and then a new connection is due.
pub async fn watch(desk: &Desk, account: &Account, pulse: &Pulse) -> Result<()> {
    match &account.source {
        Source::Imap(login) => watch_imap(desk, account, login, pulse).await,
        Source::Maildir(path) => loop {
            pulse.beat();
            pulse.looked(maildir::look(desk, account, path, pulse).await?);
            if pulse.rest(account.poll).await {
                return Ok(());
            }
        },
    }
}

async fn watch_imap(desk: &Desk, account: &Account, login: &Login, pulse: &Pulse) -> Result<()> {
    // A connection that is waited for is dropped when the daemon ends: what is stored is stored, the rest comes again.
    let opened = unless_stopped(pulse, Watcher::open(desk, account, login, pulse)).await;
    let Some(mut watcher) = opened.transpose()? else { return Ok(()) };
    let mut idle_works = true;
    loop {
        pulse.beat();
        let Some(looked) = unless_stopped(pulse, watcher.look_at_all()).await else { return Ok(()) };
        pulse.looked(looked?);
        if !idle_works {
            if pulse.rest(account.poll).await {
                break;
            }
            continue;
        }
        match watcher.session.idle(account.poll.min(IDLE_MAX), pulse.stopped()).await {
            Ok(IdleEnd::Changed) => {
                if pulse.rest(LOOKS_APART).await {
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
                idle_works = false;
                let opened = unless_stopped(pulse, submit::open(login)).await;
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
