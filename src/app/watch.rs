//! One account, watched: log in, look at each mailbox, wait for news, look again.
//!
//! A connection that errs is dropped and a new one made after a pause; nothing here decides what a mail means. IDLE is
//! a hint: every wait ends with a look, and a look asks the server itself what is new.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::time::Instant;

use super::{
    ingest::{self, Arrived, Judged},
    kit::Kit,
    maildir,
    pulse::Pulse,
    submit,
};
use crate::{
    config::{Account, Login, Source},
    io::{
        clock,
        imap::{Batch, FETCH_BATCH_MAX, Fetched, IDLE_MAX, IdleEnd, ImapError, Kind, Phase, Session},
        store::{Attempt, Committed, Db, Place, Store, StoreError},
    },
    learn::Learned,
    outcome::Category,
    pace::{self, Logins},
    sync::{self, Cursor, LookBack, Selected, SyncPlan, Void},
};

/// First octets of a message that are read: enough for the text of all but a few mails, and one round trip
/// (`reference/spike.md` measured it). RFC822.SIZE tells when there is more.
pub const FETCH_OCTETS: u32 = 65_536;
/// Messages asked for in one command: at line rate over a slow connection without holding much in memory.
const BATCH: usize = if FETCH_BATCH_MAX < 100 { FETCH_BATCH_MAX } else { 100 };
/// Most threads that judge one batch: more than a few processors are the person's, not ours.
const JUDGES_MAX: usize = 4;
/// What is on record for a message that made the program fail.
const FAILED_INSIDE: &str = "reading it failed inside onward";
/// What is on record for a message that the server would not give.
const NOT_GIVEN: &str = "the server listed it and did not give it";
/// How far back is looked again when a mailbox was renumbered: what is older is history.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How long a mailbox that could not be opened is left alone: each try costs a login.
const SHUT_FOR: Duration = Duration::from_secs(15 * 60);
/// Shortest time between two looks: news that come in a burst are read together, and a server that always has news is
/// not asked without pause.
const LOOKS_APART: Duration = Duration::from_secs(1);

/// How long a server that refused IDLE is not asked for it again (`reliability.md` A4): providers switch it off under
/// load.
const NO_IDLE_FOR: Duration = Duration::from_secs(60 * 60);
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
            let mut memory = Memory { unpaced: true, ..Memory::default() };
            let mut watcher = Watcher::open(desk, account, login, &mut memory, &pulse).await?;
            let looked = watcher.look_at_all().await?;
            watcher.session.logout().await;
            Ok(looked)
        }
        Source::Maildir(path) => maildir::look(desk, account, path, &pulse).await,
    }
}

/// What is known of an account's server from one connection to the next.
#[derive(Debug, Default)]
pub struct Memory {
    /// The pace of logins.
    logins: Logins,
    /// No pace is kept: the person asked for one look and waits for it.
    unpaced: bool,
    /// Until when the server is not asked for IDLE, which it refused.
    no_idle_until: Option<Instant>,
    /// Mailboxes that could not be opened, and when they are tried again.
    shut: BTreeMap<String, Instant>,
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
        submit::open(login).await
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
        let session = memory.log_in(login, pulse).await?;
        Ok(Watcher { desk, account, login, pulse, memory, session })
    }

    /// Looks at every mailbox. One that the server will not open is reported and left out: the others go on. Only when
    /// none can be opened the look has failed.
    async fn look_at_all(&mut self) -> Result<Looked> {
        let mut sum = Looked::default();
        let mut refused = None;
        let mut opened = 0;
        // The first mailbox comes last: it stays open, and IDLE then speaks of it.
        for mailbox in self.account.mailboxes.iter().rev() {
            if self.memory.shut.get(mailbox.as_str()).is_some_and(|until| Instant::now() < *until) {
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
            sum.add(self.look(mailbox, selected).await?);
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

    /// Reads what is new in a mailbox that was just opened.
    async fn look(&mut self, mailbox: &str, selected: Selected) -> Result<Looked> {
        let db = &self.desk.db;
        let (name, of) = (self.account.name.clone(), mailbox.to_owned());
        let cursor = db.call(move |store| store.cursor(&name, &of)).await?;
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
        let suspects = reading.prepare(&uids).await?;
        let Some(sum) = self.read(&reading, &batches(&uids, &suspects), uids.len()).await? else {
            return Ok(Looked::default());
        };
        reading.finish(end).await?;
        Ok(sum)
    }

    /// Reads batch after batch: while one is judged and stored, the next one is fetched. `None` when the task is to end
    /// before all is read.
    async fn read(&mut self, reading: &Reading<'_>, batches: &[&[u32]], all: usize) -> Result<Option<Looked>> {
        let mut sum = Looked::default();
        let mut read = 0;
        let mut fetched: Option<Batch> = None;
        for batch in batches.iter().map(Some).chain([None]) {
            if self.pulse.is_stopped() {
                return Ok(None);
            }
            self.pulse.beat();
            if all > BATCH {
                self.pulse.progress(read, all);
            }
            let session = &mut self.session;
            let fetch = async {
                match batch {
                    Some(uids) => session.fetch(uids, FETCH_OCTETS).await.map(Some),
                    None => Ok(None),
                }
            };
            let store = async {
                match fetched.take() {
                    Some(batch) => reading.store(batch).await,
                    None => Ok(Looked::default()),
                }
            };
            let (next, stored) = tokio::join!(fetch, store);
            // What was fetched before is stored, whatever became of the connection meanwhile.
            sum.add(stored?);
            fetched = next?;
            read += batch.map_or(0, |uids| uids.len());
        }
        Ok(Some(sum))
    }
}

/// The messages to read, in order, in batches. One whose last reading never ended is read alone: it may take the
/// process down again, and its neighbours shall not count for it.
fn batches<'u>(uids: &'u [u32], suspects: &[u32]) -> Vec<&'u [u32]> {
    let alone = |uid: &u32| suspects.binary_search(uid).is_ok();
    let groups = uids.chunk_by(|before, after| !alone(before) && !alone(after));
    groups.flat_map(|group| group.chunks(BATCH)).collect()
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
    /// mailbox went back in time, its UIDs are forgotten: they may mean other messages now. Gives the UIDs, ascending,
    /// whose reading was begun before and did not end.
    async fn prepare(&self, uids: &[u32]) -> Result<Vec<u32>> {
        let (account, mailbox, uid_validity) = self.place();
        let renumbered = matches!(self.plan, SyncPlan::Reread { why: Void::UidNext { .. }, .. });
        let uids = uids.to_vec();
        let work = move |store: &mut Store| {
            if renumbered {
                store.forget_places(&account, &mailbox, uid_validity)?;
            }
            let mut open = store.open_attempts(&account, &mailbox, uid_validity)?;
            for uid in open.extract_if(.., |uid| uids.binary_search(uid).is_err()) {
                store.vanished(Place { account: &account, mailbox: &mailbox, uid_validity, uid }, clock::now())?;
            }
            Ok(open)
        };
        Ok(self.desk.db.call(work).await?)
    }

    /// Judges and stores one batch in one transaction. What the server would not give, body or all, is tried again at
    /// the next look, three times in all; where it is no longer listed then, it is gone.
    async fn store(&self, batch: Batch) -> Result<Looked> {
        let mut sum = Looked::default();
        if !batch.missing.is_empty() {
            // First, because storing a message moves the cursor up to it.
            sum.failed += batch.missing.len() as u32;
            self.failed(batch.missing, NOT_GIVEN).await?;
        }
        let messages = self.begin(batch.messages).await?;
        sum.add(self.store_begun(messages).await?);
        Ok(sum)
    }

    /// Stores messages whose attempts are counted.
    async fn store_begun(&self, messages: Vec<Arc<Fetched>>) -> Result<Looked> {
        let uids: Vec<u32> = messages.iter().map(|message| message.uid).collect();
        match self.file(messages.clone()).await {
            Ok(looked) => Ok(looked),
            Err(StoreError::Panicked) if messages.len() > 1 => {
                // One of them made it fail: each for itself tells which.
                let mut sum = Looked::default();
                for message in messages {
                    sum.add(Box::pin(self.store_begun(vec![message])).await?);
                }
                Ok(sum)
            }
            Err(StoreError::Panicked) => {
                self.failed(uids, FAILED_INSIDE).await?;
                Ok(Looked { failed: 1, ..Looked::default() })
            }
            Err(error) => {
                let (account, mailbox, uid_validity) = self.place();
                let withdraw = move |store: &mut Store| {
                    for uid in uids {
                        store.withdraw_attempt(Place { account: &account, mailbox: &mailbox, uid_validity, uid })?;
                    }
                    Ok(())
                };
                // Where the disk is full this fails too; the error that is told is the first one.
                let _ = self.desk.db.call(withdraw).await;
                Err(error.into())
            }
        }
    }

    /// Counts an attempt at each message, durably, before any of them is parsed. Gives those that may be tried.
    async fn begin(&self, messages: Vec<Fetched>) -> Result<Vec<Arc<Fetched>>> {
        let (account, mailbox, uid_validity) = self.place();
        let work = move |store: &mut Store| {
            let now = clock::now();
            store.together(|store| {
                let mut begun = Vec::new();
                for message in messages {
                    let place = Place { account: &account, mailbox: &mailbox, uid_validity, uid: message.uid };
                    if store.begin_attempt(place, now)? != Attempt::Quarantined {
                        begun.push(Arc::new(message));
                    }
                }
                Ok(begun)
            })
        };
        Ok(self.desk.db.call(work).await?)
    }

    /// Judges messages and stores them, all or none.
    async fn file(&self, messages: Vec<Arc<Fetched>>) -> Result<Looked, StoreError> {
        let kit = Arc::clone(&self.desk.kit);
        let learned = self.desk.db.call(move |store| kit.learned(store)).await?;
        let judged = self.judge(&messages, learned).await;
        let (account, mailbox, uid_validity) = self.place();
        let kit = Arc::clone(&self.desk.kit);
        // Every stored message moves the cursor. A mailbox that is read anew moves it at the end: until then the old
        // cursor says that there is something left to do.
        let in_order = !matches!(self.plan, SyncPlan::Reread { .. });
        let work = move |store: &mut Store| {
            store.together(|store| {
                let mut sum = Looked::default();
                for (fetched, judged) in messages.iter().zip(judged) {
                    let (now, uid) = (clock::now(), fetched.uid);
                    let place = Place { account: &account, mailbox: &mailbox, uid_validity, uid };
                    let (Some(judged), Some(bytes)) = (judged, &fetched.body) else {
                        let why = if fetched.body.is_some() { FAILED_INSIDE } else { "the server gave no body" };
                        store.fail_attempt(place, why, now)?;
                        sum.failed += 1;
                        continue;
                    };
                    let arrived = arrived(fetched, bytes, (&account, &mailbox, uid_validity), now);
                    let cursor = in_order.then_some(Cursor { uid_validity, last_uid: uid });
                    let done = ingest::file(store, &kit, &arrived, judged, cursor, now)?;
                    sum.add(tally(Some(&done), &account));
                }
                Ok(sum)
            })
        };
        self.desk.db.call(work).await
    }

    /// Judges messages, on as many threads as there are processors; `None` for one that could not be.
    async fn judge(&self, messages: &[Arc<Fetched>], learned: Arc<Learned>) -> Vec<Option<Judged>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(JUDGES_MAX);
        let (account, mailbox, uid_validity) = self.place();
        let part = messages.len().div_ceil(threads).max(1);
        let parts: Vec<_> = messages
            .chunks(part)
            .map(|messages| {
                let (messages, learned) = (messages.to_vec(), Arc::clone(&learned));
                let (kit, account, mailbox) = (Arc::clone(&self.desk.kit), account.clone(), mailbox.clone());
                tokio::task::spawn_blocking(move || {
                    let one = |fetched: &Arc<Fetched>| {
                        let bytes = fetched.body.as_ref()?;
                        let arrived = arrived(fetched, bytes, (&account, &mailbox, uid_validity), clock::now());
                        // The panic's own line says where to look for the mistake; the mail is tried again.
                        catch_unwind(AssertUnwindSafe(|| ingest::judge(&kit, &learned, &arrived))).ok()
                    };
                    messages.iter().map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut judged = Vec::new();
        for (part, messages) in parts.into_iter().zip(messages.chunks(part)) {
            judged.extend(part.await.unwrap_or_else(|_| messages.iter().map(|_| None).collect()));
        }
        judged
    }

    /// Records that messages could not be read.
    async fn failed(&self, uids: Vec<u32>, why: &'static str) -> Result<()> {
        let (account, mailbox, uid_validity) = self.place();
        let work = move |store: &mut Store| {
            let now = clock::now();
            store.together(|store| {
                for uid in uids {
                    let place = Place { account: &account, mailbox: &mailbox, uid_validity, uid };
                    // What was not given was not begun either.
                    if why != NOT_GIVEN || store.begin_attempt(place, now)? != Attempt::Quarantined {
                        store.fail_attempt(place, why, now)?;
                    }
                }
                Ok(())
            })
        };
        Ok(self.desk.db.call(work).await?)
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
}

/// A fetched message with where it came from.
fn arrived<'a>(
    fetched: &Fetched,
    bytes: &'a [u8],
    (account, mailbox, uid_validity): (&'a str, &'a str, u32),
    now: Timestamp,
) -> Arrived<'a> {
    Arrived {
        account,
        mailbox,
        uid_validity,
        uid: Some(fetched.uid),
        internal_date: fetched.internal_date.unwrap_or(now),
        size: u64::from(fetched.size),
        truncated: fetched.is_truncated(FETCH_OCTETS),
        bytes,
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
pub async fn watch(desk: &Desk, account: &Account, memory: &mut Memory, pulse: &Pulse) -> Result<()> {
    match &account.source {
        Source::Imap(login) => watch_imap(desk, account, login, memory, pulse).await,
        Source::Maildir(path) => loop {
            pulse.beat();
            pulse.looked(maildir::look(desk, account, path, pulse).await?);
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
    loop {
        pulse.beat();
        let Some(looked) = unless_stopped(pulse, watcher.look_at_all()).await else { return Ok(()) };
        pulse.looked(looked?);
        if !watcher.memory.may_idle() {
            if pulse.rest(pace::around(account.poll, submit::jitter())).await {
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
