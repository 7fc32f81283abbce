//! The database: the only module that holds SQL.

use crate::draft::Digest;

/// A draft whose approval was checked against its row: the only thing a transport takes. Only the store builds one.
#[derive(Debug)]
pub struct ApprovedDraft {
    id: i64,
    from: String,
    to: String,
    message_id: String,
    bytes: Vec<u8>,
    digest: Digest,
}

impl ApprovedDraft {
    /// The draft's number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// `MAIL FROM`.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// `RCPT TO`.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// `Message-ID` without angle brackets.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The message, CRLF line ends.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was approved.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
