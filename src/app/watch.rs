//! One account, watched: log in, look at each mailbox, wait for news, look again.
//!
//! A connection that errs is dropped and a new one made after a pause; nothing here decides what a mail means. IDLE is
//! a hint: every wait ends with a look, and a look asks the server itself what is new.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    ingest::{self, Arrived},
    kit::Kit,
    pulse::Pulse,
    submit,
};
use crate::{
    config::{Account, Login, Source},
    io::{
        clock,
        imap::{FETCH_BATCH_MAX, Fetched, IDLE_MAX, IdleEnd, Kind, Session},
        maildir,
        store::{Attempt, Committed, Db, Place, Store},
    },
    outcome::Category,
    sync::{self, Cursor, LookBack, Selected, SyncPlan},
};

/// First octets of a message that are read: enough for the text of all but a few mails, and one round trip
/// (`reference/spike.md` measured it). RFC822.SIZE tells when there is more.
pub const FETCH_OCTETS: u32 = 65_536;
/// Messages asked for in one command: at line rate over a slow connection without holding much in memory.
const BATCH: usize = if FETCH_BATCH_MAX < 100 { FETCH_BATCH_MAX } else { 100 };
/// How far back is looked again when a mailbox was renumbered: what is older is history.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How far looks at a Maildir overlap: clocks of mail programs differ, and files are dated before they appear.
const MAILDIR_OVERLAP: SignedDuration = SignedDuration::from_hours(1);

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
}

impl Looked {
    fn add(&mut self, other: Looked) {
        self.stored += other.stored;
        self.known += other.known;
        self.failed += other.failed;
        self.noes += other.noes;
    }
}

/// Looks once at every mailbox of an account.
pub async fn look_once(desk: &Desk, account: &Account) -> Result<Looked> {
    match &account.source {
        Source::Imap(login) => {
            let mut session = submit::open(login).await?;
            let looked = look_at_all(desk, account, &mut session).await?;
            session.logout().await;
            Ok(looked)
        }
        Source::Maildir(path) => look_at_maildir(desk, account, path).await,
    }
}

/// Looks at every mailbox over an open session. A mailbox that is gone is reported and skipped: the others go on.
pub async fn look_at_all(desk: &Desk, account: &Account, session: &mut Session) -> Result<Looked> {
    let mut sum = Looked::default();
    // The first mailbox comes last: it stays open, and IDLE then speaks of it.
    for mailbox in account.mailboxes.iter().rev() {
        sum.add(look(desk, account, session, mailbox).await?);
    }
    Ok(sum)
}

/// Reads what is new in one mailbox.
async fn look(desk: &Desk, account: &Account, session: &mut Session, mailbox: &str) -> Result<Looked> {
    let selected = session.examine(mailbox).await?;
    let (name, of) = (account.name.clone(), mailbox.to_owned());
    let cursor = desk.db.call(move |store| store.cursor(&name, &of)).await?;
    let plan = sync::plan(cursor, &selected, look_back(account, clock::now()));
    let uids = match plan {
        SyncPlan::Baseline | SyncPlan::Nothing => Vec::new(),
        SyncPlan::FirstLook { since } => session.uids_since(since).await?,
        SyncPlan::Reread { why, since } => {
            tracing::warn!(account = account.name, mailbox, reason = %why, "A mailbox is read anew.");
            session.uids_since(since).await?
        }
        SyncPlan::From { last_uid } => session.uids_above(last_uid).await?,
    };
    // Where the cursor goes when everything that was found is stored.
    let highest = uids.iter().copied().max().unwrap_or(0);
    let end = match plan {
        SyncPlan::From { last_uid } => {
            Cursor { uid_validity: selected.uid_validity.unwrap_or(0), last_uid: last_uid.max(highest) }
        }
        _ => selected.cursor_at_end(highest),
    };
    let reading = Reading { desk, account, mailbox, selected, plan };
    let mut sum = Looked::default();
    for batch in uids.chunks(BATCH) {
        sum.add(reading.batch(session, batch).await?);
    }
    let (name, of) = (account.name.clone(), mailbox.to_owned());
    let anew = matches!(plan, SyncPlan::Reread { .. });
    desk.db
        .call(move |store| {
            if anew {
                store.reset_cursor(&name, &of, end, clock::now())
            } else {
                store.advance_cursor(&name, &of, end, clock::now()).map(|_| ())
            }
        })
        .await?;
    Ok(sum)
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
    selected: Selected,
    plan: SyncPlan,
}

impl Reading<'_> {
    /// Fetches and stores one batch. Messages the server said nothing about are gone; a body it would not give is
    /// tried again at the next look, three times in all.
    async fn batch(&self, session: &mut Session, uids: &[u32]) -> Result<Looked> {
        let batch = session.fetch(uids, FETCH_OCTETS).await?;
        let mut sum = Looked::default();
        for message in batch.messages {
            sum.add(self.message(message).await?);
        }
        for uid in batch.missing {
            let (account, mailbox, uid_validity) = self.place();
            let vanished = move |store: &mut Store| {
                store.vanished(Place { account: &account, mailbox: &mailbox, uid_validity, uid }, clock::now())
            };
            self.desk.db.call(vanished).await?;
        }
        Ok(sum)
    }

    fn place(&self) -> (String, String, u32) {
        (self.account.name.clone(), self.mailbox.to_owned(), self.selected.uid_validity.unwrap_or(0))
    }

    async fn message(&self, fetched: Fetched) -> Result<Looked> {
        let (account, mailbox, uid_validity) = self.place();
        let kit = Arc::clone(&self.desk.kit);
        // Every stored message moves the cursor. A mailbox that is read anew moves it at the end: until then the old
        // cursor says that there is something left to do.
        let in_order = !matches!(self.plan, SyncPlan::Reread { .. });
        let work = move |store: &mut Store| {
            let now = clock::now();
            let place = Place { account: &account, mailbox: &mailbox, uid_validity, uid: fetched.uid };
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
                uid: Some(fetched.uid),
                internal_date: fetched.internal_date.unwrap_or(now),
                size: u64::from(fetched.size),
                truncated,
                bytes,
            };
            let cursor = in_order.then_some(Cursor { uid_validity, last_uid: fetched.uid });
            ingest::ingest(store, &kit, &arrived, cursor, now).map(Some)
        };
        let done = self.desk.db.call(work).await?;
        Ok(tally(done.as_ref(), &self.account.name))
    }
}

fn tally(done: Option<&ingest::Ingested>, account: &str) -> Looked {
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

/// Looks at a Maildir: files delivered since the last look. Its cursor counts seconds of delivery time instead of UIDs,
/// and overlaps by [`MAILDIR_OVERLAP`]: what is met twice is known by its hash.
async fn look_at_maildir(desk: &Desk, account: &Account, path: &Path) -> Result<Looked> {
    let mailbox = account.mailboxes.first().cloned().unwrap_or_else(|| "INBOX".to_owned());
    let (name, of) = (account.name.clone(), mailbox.clone());
    let cursor = desk.db.call(move |store| store.cursor(&name, &of)).await?;
    let look_back = SignedDuration::try_from(account.look_back).unwrap_or(LOOK_AGAIN);
    let since = match cursor {
        Some(cursor) => i64::from(cursor.last_uid) - MAILDIR_OVERLAP.as_secs(),
        None => clock::now().as_second() - look_back.as_secs(),
    };
    let entries = maildir::entries(path)
        .with_context(|| format!("{} is no Maildir that can be read (it needs `new` and `cur`)", path.display()))?;
    let mut sum = Looked::default();
    let mut newest = cursor.map_or(0, |cursor| cursor.last_uid);
    for entry in entries.into_iter().filter(|entry| entry.modified.as_second() >= since) {
        newest = newest.max(u32::try_from(entry.modified.as_second()).unwrap_or(u32::MAX));
        let (kit, name, mailbox) = (Arc::clone(&desk.kit), account.name.clone(), mailbox.clone());
        let done = desk.db.call(move |store| {
            // A file that another program renamed meanwhile is met at the next look.
            let Ok(found) = maildir::read_entry(&entry.path) else { return Ok(None) };
            let arrived = Arrived {
                account: &name,
                mailbox: &mailbox,
                uid_validity: 0,
                uid: None,
                internal_date: entry.modified,
                size: found.bytes.len() as u64,
                truncated: found.oversized,
                bytes: &found.bytes,
            };
            ingest::ingest(store, &kit, &arrived, None, clock::now()).map(Some)
        });
        sum.add(tally(done.await?.as_ref(), &account.name));
    }
    let (name, end) = (account.name.clone(), Cursor { uid_validity: 0, last_uid: newest });
    desk.db.call(move |store| store.advance_cursor(&name, &mailbox, end, clock::now())).await?;
    Ok(sum)
}

/// Watches an account until it is told to stop; returns early only with an error, and then a new connection is due.
pub async fn watch(desk: &Desk, account: &Account, pulse: &Pulse) -> Result<()> {
    match &account.source {
        Source::Imap(login) => watch_imap(desk, account, login, pulse).await,
        Source::Maildir(path) => loop {
            pulse.beat();
            let looked = look_at_maildir(desk, account, path).await?;
            pulse.looked(looked);
            if pulse.rest(account.poll).await {
                return Ok(());
            }
        },
    }
}

async fn watch_imap(desk: &Desk, account: &Account, login: &Login, pulse: &Pulse) -> Result<()> {
    let mut session = submit::open(login).await?;
    let mut idle_works = true;
    loop {
        pulse.beat();
        let looked = look_at_all(desk, account, &mut session).await?;
        pulse.looked(looked);
        if !idle_works {
            if pulse.rest(account.poll).await {
                break;
            }
            continue;
        }
        match session.idle(account.poll.min(IDLE_MAX), pulse.stopped()).await {
            Ok(IdleEnd::Changed | IdleEnd::Deadline) => {}
            Ok(IdleEnd::Stopped) => break,
            Err(error) if matches!(error.kind, Kind::NotSupported(_)) => {
                tracing::info!(
                    account = account.name,
                    "The server does not announce new mail; it is asked on a timer."
                );
                idle_works = false;
                session = submit::open(login).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    session.logout().await;
    Ok(())
}
