//! Reading messages without a trace: `BODY.PEEK[]`, the first bytes of each, matched by UID.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::Session;
use super::command::Command;
use super::error::{ImapError, Kind, Phase};
use super::guard::Allowance;
use super::reply::{Reply, Untagged};
use super::wire::{Wire, while_moving};
use crate::sync::sequence_sets;

/// Most UIDs that [`Session::fetch`] takes at once: more win nothing (one round trip each), and 200 messages of 64 KiB
/// are 13 MB in memory.
pub const FETCH_BATCH_MAX: usize = 200;
/// Longest sequence set in a FETCH, in characters: with the items it stays below the 1,000 that old servers take.
const SET_CHARS_MAX: usize = 900;
/// What a literal may be larger than asked for, in bytes. Nothing more is needed; a little grace costs nothing.
const LITERAL_GRACE: u64 = 4096;
/// Room for everything but the body in the response for one message, in bytes.
const ITEM_BYTES: u64 = 16 * 1024;
/// Room for what a busy server says meanwhile, in bytes.
const CHATTER_BYTES: u64 = 4 * 1024 * 1024;

/// A message as the server gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// UID.
    pub uid: u32,
    /// INTERNALDATE: when it arrived in the mailbox.
    pub internal_date: Option<Timestamp>,
    /// RFC822.SIZE in bytes; some servers estimate. 0 where the server gives none.
    pub size: u32,
    /// Its first bytes, at most as many as asked for; `None` where the server gave no body (`BODY[] NIL`).
    pub body: Option<Vec<u8>>,
}

impl Fetched {
    /// Whether the body goes on beyond the `octets` that were asked for.
    pub fn is_truncated(&self, octets: u32) -> bool {
        self.size > octets && self.body.as_ref().is_some_and(|body| body.len() as u64 >= u64::from(octets))
    }
}

/// What came of a FETCH.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The messages, in the order they were asked for.
    pub messages: Vec<Fetched>,
    /// UIDs the server said nothing about: gone since they were listed, or to be asked for again.
    pub missing: Vec<u32>,
}

/// What one FETCH response says; servers may spread a message over several.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub uid: Option<u32>,
    pub internal_date: Option<Timestamp>,
    pub size: Option<u32>,
    pub body: Option<Vec<u8>>,
}

impl Session {
    /// The first `octets` bytes of messages of the open mailbox. At most [`FETCH_BATCH_MAX`] UIDs.
    pub async fn fetch(&mut self, uids: &[u32], octets: u32) -> Result<Batch, ImapError> {
        let mut fetching = self.fetching()?;
        fetching.ask(uids, octets).await?;
        let batch = fetching.next().await?;
        fetching.end();
        Ok(batch.unwrap_or_default())
    }

    /// Starts fetching batch after batch.
    pub fn fetching(&mut self) -> Result<Fetching<'_>, ImapError> {
        let wire = self.take(Phase::Fetch)?;
        Ok(Fetching { session: self, wire, asked: VecDeque::new() })
    }
}

/// Batches that are asked for before the ones ahead of them have come, so that the line never waits for a round trip.
/// Dropped while anything is asked for, it takes the connection with it.
#[derive(Debug)]
pub struct Fetching<'s> {
    session: &'s mut Session,
    wire: Wire,
    asked: VecDeque<Asked>,
}

/// A batch that was asked for.
#[derive(Debug)]
struct Asked {
    uids: Vec<u32>,
    /// The tags of its commands that are not answered yet.
    tags: Vec<String>,
    wanted: BTreeMap<u32, Option<Item>>,
}

impl Fetching<'_> {
    /// Asks for the first `octets` bytes of messages and does not wait for them. At most [`FETCH_BATCH_MAX`] UIDs.
    pub async fn ask(&mut self, uids: &[u32], octets: u32) -> Result<(), ImapError> {
        let (phase, wire) = (Phase::Fetch, &mut self.wire);
        if uids.len() > FETCH_BATCH_MAX {
            return Err(wire.error(phase, Kind::Argument("more messages at once than one fetch takes")));
        }
        let literal = u64::from(octets) + LITERAL_GRACE;
        let of_batch = (literal + ITEM_BYTES) * FETCH_BATCH_MAX as u64 + CHATTER_BYTES;
        wire.allow(Allowance { literal, total: of_batch * (self.asked.len() as u64 + 1) });
        let mut tags = Vec::new();
        for set in sequence_sets(uids, SET_CHARS_MAX) {
            let within = wire.deadlines.progress;
            let sent = tokio::time::timeout(within, wire.start(phase, &Command::Fetch { set: &set, octets })).await;
            tags.push(sent.unwrap_or_else(|_| Err(wire.error(phase, Kind::Timeout(within))))?);
        }
        let wanted = uids.iter().map(|uid| (*uid, None)).collect();
        self.asked.push_back(Asked { uids: uids.to_vec(), tags, wanted });
        Ok(())
    }

    /// Number of batches that were asked for and have not come.
    pub fn under_way(&self) -> usize {
        self.asked.len()
    }

    /// The batch that was asked for first, when all of it has come; `None` where nothing is asked for.
    pub async fn next(&mut self) -> Result<Option<Batch>, ImapError> {
        let phase = Phase::Fetch;
        let Fetching { wire, asked, .. } = self;
        let (moved, still, total) = (wire.moved(), wire.deadlines.progress, wire.deadlines.transfer);
        let work = async {
            while asked.front().is_some_and(|first| !first.tags.is_empty()) {
                match wire.next(phase).await? {
                    Reply::Tagged(tagged) => {
                        let answered = asked.iter_mut().find_map(|batch| {
                            let at = batch.tags.iter().position(|tag| *tag == tagged.tag)?;
                            Some(batch.tags.swap_remove(at))
                        });
                        if answered.is_none() {
                            return Err(wire.out_of_step(phase, "the server answered a command that was not given"));
                        }
                        if !tagged.ok {
                            return Err(wire.error(phase, tagged.refusal()));
                        }
                    }
                    Reply::Continue(_) => {
                        return Err(wire.out_of_step(phase, "the server asks for more where there is no more"));
                    }
                    Reply::Untagged(Untagged::Bye(text)) => return Err(wire.error(phase, Kind::Bye(text))),
                    Reply::Untagged(untagged) => note(asked, untagged),
                }
            }
            Ok(())
        };
        match while_moving(work, &moved, still, total).await {
            None => Err(wire.error(phase, Kind::Timeout(still))),
            Some(Err(error)) => Err(error),
            Some(Ok(())) => Ok(asked.pop_front().map(Asked::into_batch)),
        }
    }

    /// Gives the connection back, if nothing is on its way any more.
    pub fn end(self) {
        if self.asked.is_empty() {
            self.session.wire = Some(self.wire);
        }
    }
}

impl Asked {
    fn into_batch(mut self) -> Batch {
        let mut batch = Batch::default();
        for uid in &self.uids {
            match self.wanted.remove(uid) {
                Some(Some(item)) => batch.messages.push(Fetched {
                    uid: *uid,
                    internal_date: item.internal_date,
                    size: item.size.unwrap_or(0),
                    body: item.body,
                }),
                Some(None) => batch.missing.push(*uid),
                None => {}
            }
        }
        batch
    }
}

/// Takes what was asked for; flag changes of other messages and responses without a UID are none of it. A server may
/// answer what was asked for later first (RFC 3501 §5.5).
fn note(asked: &mut VecDeque<Asked>, untagged: Untagged) {
    let Untagged::Fetch(item) = untagged else { return };
    // A bare flag change of a wanted message is no answer about it.
    if item.size.is_none() && item.internal_date.is_none() && item.body.is_none() {
        return;
    }
    let Some(uid) = item.uid else { return };
    let Some(known) = asked.iter_mut().find_map(|batch| batch.wanted.get_mut(&uid)) else { return };
    let merged = known.take().unwrap_or_default();
    *known = Some(Item {
        uid: item.uid,
        internal_date: item.internal_date.or(merged.internal_date),
        size: item.size.or(merged.size),
        body: item.body.or(merged.body),
    });
}
