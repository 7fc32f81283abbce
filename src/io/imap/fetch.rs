//! Reading messages without a trace: `BODY.PEEK[]`, the first bytes of each, matched by UID.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Session;
use super::command::Command;
use super::error::{ImapError, Kind, Phase};
use super::guard::Allowance;
use super::wire::{Untagged, Wire, while_moving};
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
        let mut wire = self.take(Phase::Fetch)?;
        if uids.len() > FETCH_BATCH_MAX {
            return Err(wire.error(Phase::Fetch, Kind::Argument("more messages at once than one fetch takes")));
        }
        let mut wanted: BTreeMap<u32, Option<Item>> = uids.iter().map(|uid| (*uid, None)).collect();
        for set in sequence_sets(uids, SET_CHARS_MAX) {
            fetch_set(&mut wire, &set, octets, &mut wanted).await?;
        }
        self.wire = Some(wire);
        let mut batch = Batch::default();
        for uid in uids {
            match wanted.remove(uid) {
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
        Ok(batch)
    }
}

async fn fetch_set(
    wire: &mut Wire,
    set: &str,
    octets: u32,
    wanted: &mut BTreeMap<u32, Option<Item>>,
) -> Result<(), ImapError> {
    let phase = Phase::Fetch;
    let literal = u64::from(octets) + LITERAL_GRACE;
    wire.allow(Allowance { literal, total: (literal + ITEM_BYTES) * FETCH_BATCH_MAX as u64 + CHATTER_BYTES });
    let (moved, still, total) = (wire.moved(), wire.deadlines.progress, wire.deadlines.transfer);
    let work = async {
        let tag = wire.start(phase, &Command::Fetch { set, octets }).await?;
        wire.finish(phase, &tag, |untagged| note(wanted, untagged)).await
    };
    match while_moving(work, &moved, still, total).await {
        None => Err(wire.error(phase, Kind::Timeout(still))),
        Some(Err(error)) => Err(error),
        Some(Ok(tagged)) if tagged.ok => Ok(()),
        Some(Ok(tagged)) => Err(wire.error(phase, tagged.refusal())),
    }
}

/// Takes what was asked for; flag changes of other messages and responses without a UID are none of it.
fn note(wanted: &mut BTreeMap<u32, Option<Item>>, untagged: Untagged) {
    let Untagged::Fetch(item) = untagged else { return };
    // A bare flag change of a wanted message is no answer about it.
    if item.size.is_none() && item.internal_date.is_none() && item.body.is_none() {
        return;
    }
    let Some(known) = item.uid.and_then(|uid| wanted.get_mut(&uid)) else { return };
    let merged = known.take().unwrap_or_default();
    *known = Some(Item {
        uid: item.uid,
        internal_date: item.internal_date.or(merged.internal_date),
        size: item.size.or(merged.size),
        body: item.body.or(merged.body),
    });
}
