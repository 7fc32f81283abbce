//! What to fetch next: pure decisions about cursors, and the pace of trying again.
//!
//! It must not speak IMAP; `io::imap` carries plans out.

use serde::{Deserialize, Serialize};

/// How far a mailbox has been read: everything up to `last_uid` under `uid_validity` is stored (RFC 3501 §2.3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// UIDVALIDITY; 0 where the server gives none.
    pub uid_validity: u32,
    /// The highest UID below which nothing is missing.
    pub last_uid: u32,
}

/// What EXAMINE said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// UIDVALIDITY, where given.
    pub uid_validity: Option<u32>,
    /// UIDNEXT, where given.
    pub uid_next: Option<u32>,
    /// Number of messages.
    pub exists: u32,
}
