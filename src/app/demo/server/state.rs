//! The mailboxes in memory. Knows nothing of connections; tells them that something changed by a counter.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imap_codec::imap_types::flag::Flag;
use jiff::Timestamp;
use tokio::sync::watch;

/// The name every server has (RFC 3501 §5.1).
pub(super) const INBOX: &str = "INBOX";
/// The mailboxes and what each is for (RFC 6154 §2).
const NAMES: [(&str, Option<&str>); 5] = [
    (INBOX, None),
    ("Drafts", Some("\\Drafts")),
    ("Sent", Some("\\Sent")),
    ("Junk", Some("\\Junk")),
    ("Trash", Some("\\Trash")),
];
/// UIDVALIDITY of every mailbox: fixed, so that two runs of the demo look the same.
pub(super) const UID_VALIDITY: u32 = 1_763_000_000;

/// There is no mailbox of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sample server has no mailbox of that name; there are INBOX, Drafts, Sent, Junk and Trash")]
pub struct UnknownMailbox;

/// The flags of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagsOf {
    /// The mailbox it is in.
    pub mailbox: String,
    /// Its UID.
    pub uid: u32,
    /// Its flags as IMAP writes them, sorted.
    pub flags: Vec<String>,
}

/// A message as the server keeps it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub uid: u32,
    pub flags: Vec<Flag<'static>>,
    pub internal_date: Timestamp,
    pub bytes: Arc<[u8]>,
}

impl Stored {
    /// Whether a flag is set.
    pub fn has(&self, flag: &Flag<'_>) -> bool {
        self.flags.contains(flag)
    }
}

#[derive(Debug)]
struct Mailbox {
    name: &'static str,
    uid_next: u32,
    messages: Vec<Stored>,
}

/// All mailboxes of the one person.
#[derive(Debug)]
pub(super) struct Mailboxes {
    all: Mutex<Vec<Mailbox>>,
    changes: watch::Sender<u64>,
}

impl Mailboxes {
    pub fn new() -> Mailboxes {
        let all = NAMES.iter().map(|(name, _)| Mailbox { name, uid_next: 1, messages: Vec::new() }).collect();
        Mailboxes { all: Mutex::new(all), changes: watch::Sender::new(0) }
    }

    /// Counts up with every change of any mailbox.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Name and special use of every mailbox.
    pub fn names(&self) -> &'static [(&'static str, Option<&'static str>)] {
        &NAMES
    }

    /// The fixed name for one given by a client; only INBOX is the same in any case (RFC 3501 §5.1).
    pub fn find(&self, name: &str) -> Option<&'static str> {
        let same = |known: &str| known == name || (known == INBOX && name.eq_ignore_ascii_case(INBOX));
        NAMES.iter().map(|(known, _)| *known).find(|known| same(known))
    }

    /// Adds a message and returns its UID.
    pub fn add(
        &self,
        mailbox: &str,
        bytes: Vec<u8>,
        internal_date: Timestamp,
        flags: Vec<Flag<'static>>,
    ) -> Result<u32, UnknownMailbox> {
        let mailbox = self.find(mailbox).ok_or(UnknownMailbox)?;
        let uid = self
            .with(mailbox, |mailbox| {
                let uid = mailbox.uid_next;
                mailbox.uid_next = uid.saturating_add(1);
                mailbox.messages.push(Stored { uid, flags, internal_date, bytes: bytes.into() });
                uid
            })
            .ok_or(UnknownMailbox)?;
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        Ok(uid)
    }

    /// The messages of a mailbox in UID order. Bytes are shared, not copied.
    pub fn messages(&self, mailbox: &str) -> Vec<Stored> {
        self.find(mailbox).and_then(|name| self.with(name, |mailbox| mailbox.messages.clone())).unwrap_or_default()
    }

    /// The UID the next message will get.
    pub fn uid_next(&self, mailbox: &str) -> u32 {
        self.with(mailbox, |mailbox| mailbox.uid_next).unwrap_or(1)
    }

    /// Changes the flags of one message; `None` where it is gone.
    pub fn change_flags(
        &self,
        mailbox: &str,
        uid: u32,
        change: impl FnOnce(&mut Vec<Flag<'static>>),
    ) -> Option<Stored> {
        self.with(mailbox, |mailbox| {
            let message = mailbox.messages.iter_mut().find(|message| message.uid == uid)?;
            change(&mut message.flags);
            Some(message.clone())
        })
        .flatten()
    }

    /// Removes what is marked `\Deleted` and passes `chosen`.
    pub fn expunge(&self, mailbox: &str, chosen: impl Fn(u32) -> bool) {
        self.with(mailbox, |mailbox| {
            mailbox.messages.retain(|message| !(message.has(&Flag::Deleted) && chosen(message.uid)));
        });
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The flags of everything.
    pub fn flags(&self) -> Vec<FlagsOf> {
        let all = self.lock();
        let of = |mailbox: &Mailbox, message: &Stored| {
            let mut flags: Vec<String> = message.flags.iter().map(ToString::to_string).collect();
            flags.sort();
            FlagsOf { mailbox: mailbox.name.to_owned(), uid: message.uid, flags }
        };
        all.iter().flat_map(|mailbox| mailbox.messages.iter().map(move |message| of(mailbox, message))).collect()
    }

    fn with<T>(&self, name: &str, work: impl FnOnce(&mut Mailbox) -> T) -> Option<T> {
        self.lock().iter_mut().find(|mailbox| mailbox.name == name).map(work)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Mailbox>> {
        // No code panics while it holds the lock; a poisoned one would still hold whole messages.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
