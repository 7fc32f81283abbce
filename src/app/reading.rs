//! Reading the new messages of a mailbox: fetch, judge, store, batch by batch.
//!
//! A message is counted before it is parsed, so that one that takes the process down is given up in the end; it is
//! stored, with its batch, in one transaction. It must not decide what is new (that is `sync`) nor what a mail means.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use anyhow::Result;
use jiff::Timestamp;

use super::{
    budget::Budget,
    ingest::{self, Arrived, Judged},
    pulse::Pulse,
    watch::{Desk, Looked},
};
use crate::{
    config::Account,
    io::{
        clock,
        imap::{Batch, FETCH_BATCH_MAX, Fetched, Session},
        store::{Attempt, Committed, Place, Store, StoreError},
    },
    learn::Learned,
    outcome::Category,
    sync::{Cursor, SyncPlan, Void},
};

/// First octets of a message that are read: enough for the text of all but a few mails, and one round trip
/// (`reference/spike.md` measured it). RFC822.SIZE tells when there is more.
pub const FETCH_OCTETS: u32 = 65_536;
/// Messages asked for in the first commands, before it is known how large they are in this mailbox: at their largest
/// 3 MB.
const FIRST_BATCH: usize = 50;
/// Bytes of a batch, as far as the messages before tell: at line rate over a slow connection without holding much in
/// memory, where one batch is judged while the next one comes.
const BATCH_BYTES: u64 = 1_500_000;
/// Fewest messages in one command.
const BATCH_MIN: usize = 20;
/// Batches asked for at once: while one comes, the server knows what is wanted next, and the line never waits for a
/// round trip.
const UNDER_WAY: usize = 2;
/// Most threads that judge one batch: more than a few processors are the person's, not ours.
const JUDGES_MAX: usize = 4;
/// What is on record for a message that made the program fail.
const FAILED_INSIDE: &str = "reading it failed inside onward";
/// What is on record for a message that the server would not give.
const NOT_GIVEN: &str = "the server listed it and did not give it";

/// A mailbox that is being read.
pub(super) struct Reading<'a> {
    pub desk: &'a Desk,
    pub account: &'a Account,
    pub mailbox: &'a str,
    /// Whether that is where the provider puts what it takes for spam.
    pub in_junk: bool,
    /// 0 where the server gives none.
    pub uid_validity: u32,
    pub plan: SyncPlan,
}

impl Reading<'_> {
    /// Reads these messages, ascending UIDs, in batches: while one is judged and stored, the next one is fetched. The
    /// cursor goes to `end` when all of them are stored. A task that is to end asks for no further batch, and neither does
    /// one that has used the `budget` of the day; what is on its way is stored.
    pub(super) async fn read(
        &self,
        session: &mut Session,
        uids: &[u32],
        end: Cursor,
        budget: &mut Budget,
        pulse: &Pulse,
    ) -> Result<Looked> {
        let suspects = self.prepare(uids).await?;
        // Without such attempts the cursor says it all.
        let to_read = if suspects.is_empty() { uids.to_vec() } else { self.to_read(uids).await? };
        let uids = to_read.as_slice();
        if uids.is_empty() {
            self.finish(end).await?;
            return Ok(Looked::default());
        }
        let mut sum = Looked::default();
        let mut read = 0;
        let mut left = Batches { rest: uids, suspects: &suspects, bytes: 0, messages: 0 };
        let mut fetched: Option<Batch> = None;
        let mut fetching = session.fetching()?;
        let (mut stopped, mut used_up) = (false, None);
        loop {
            pulse.beat();
            if uids.len() > FIRST_BATCH {
                pulse.progress(read, uids.len());
            }
            // What is counted is what has come.
            let at_once = if budget.is_limited() { 1 } else { UNDER_WAY };
            while fetching.under_way() < at_once && !left.rest.is_empty() {
                stopped = pulse.is_stopped();
                used_up = budget.used_up(clock::now());
                if stopped || used_up.is_some() {
                    break;
                }
                fetching.ask(left.take(), FETCH_OCTETS).await?;
            }
            let store = async {
                match fetched.take() {
                    Some(batch) => self.store(batch).await,
                    None => Ok(Looked::default()),
                }
            };
            let (next, stored) = tokio::join!(fetching.next(), store);
            // What was fetched before is stored, whatever became of the connection meanwhile.
            sum.add(stored?);
            let Some(batch) = next? else { break };
            read += batch.messages.len() + batch.missing.len();
            budget.spend(left.learn(&batch), clock::now());
            fetched = Some(batch);
        }
        fetching.end();
        if stopped || used_up.is_some() {
            return Ok(Looked { used_up, ..sum });
        }
        self.finish(end).await?;
        Ok(sum)
    }

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

    async fn to_read(&self, uids: &[u32]) -> Result<Vec<u32>> {
        let (account, mailbox, uid_validity) = self.place();
        let uids = uids.to_vec();
        let work = move |store: &mut Store| store.to_read(&account, &mailbox, uid_validity, &uids, clock::now());
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
            Err(error) if error.spares_the_message() => {
                let (account, mailbox, uid_validity) = self.place();
                let excuse = move |store: &mut Store| {
                    for uid in uids {
                        store.excuse(Place { account: &account, mailbox: &mailbox, uid_validity, uid });
                    }
                    Ok(())
                };
                self.desk.db.call(excuse).await?;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
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
        let in_junk = self.in_junk;
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
                    let arrived = arrived(fetched, bytes, (&account, &mailbox, uid_validity), in_junk, now);
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
        let ((account, mailbox, uid_validity), in_junk) = (self.place(), self.in_junk);
        let part = messages.len().div_ceil(threads).max(1);
        let parts: Vec<_> = messages
            .chunks(part)
            .map(|messages| {
                let (messages, learned) = (messages.to_vec(), Arc::clone(&learned));
                let (kit, account, mailbox) = (Arc::clone(&self.desk.kit), account.clone(), mailbox.clone());
                tokio::task::spawn_blocking(move || {
                    let one = |fetched: &Arc<Fetched>| {
                        let bytes = fetched.body.as_ref()?;
                        let arrived =
                            arrived(fetched, bytes, (&account, &mailbox, uid_validity), in_junk, clock::now());
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
    in_junk: bool,
    now: Timestamp,
) -> Arrived<'a> {
    Arrived {
        account,
        mailbox,
        in_junk,
        uid_validity,
        uid: Some(fetched.uid),
        internal_date: fetched.internal_date.unwrap_or(now),
        size: u64::from(fetched.size),
        truncated: fetched.is_truncated(FETCH_OCTETS),
        bytes,
    }
}

/// The messages to read, in order, in batches. One whose last reading never ended is read alone: it may take the
/// process down again, and its neighbours shall not count for it.
struct Batches<'u> {
    rest: &'u [u32],
    suspects: &'u [u32],
    /// Bytes that came so far, and of how many messages.
    bytes: u64,
    messages: u64,
}

impl<'u> Batches<'u> {
    /// The next batch.
    fn take(&mut self) -> &'u [u32] {
        let alone = |uid: &u32| self.suspects.binary_search(uid).is_ok();
        let group = self.rest.chunk_by(|before, after| !alone(before) && !alone(after)).next().unwrap_or_default();
        let (batch, rest) = self.rest.split_at_checked(group.len().min(self.size())).unwrap_or((self.rest, &[]));
        self.rest = rest;
        batch
    }

    /// How many messages are a batch.
    fn size(&self) -> usize {
        let fitting = (BATCH_BYTES * self.messages).checked_div(self.bytes).and_then(|fitting| fitting.try_into().ok());
        fitting.map_or(FIRST_BATCH, |fitting: usize| fitting.clamp(BATCH_MIN, FETCH_BATCH_MAX))
    }

    /// Learns from a batch how large messages are here. Gives its bytes.
    fn learn(&mut self, batch: &Batch) -> u64 {
        let bytes =
            batch.messages.iter().filter_map(|message| message.body.as_ref()).map(|body| body.len() as u64).sum();
        self.bytes += bytes;
        self.messages += batch.messages.len() as u64;
        bytes
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
