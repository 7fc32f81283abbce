//! Which messages there are (UID SEARCH, RFC 3501 §6.4.4).

use jiff::civil::Date;

use super::Session;
use super::command::Command;
use super::error::{ImapError, Phase};
use super::reply::Untagged;
use crate::message::MessageId;

impl Session {
    /// The UIDs above `last_uid` in the open mailbox, ascending.
    pub async fn uids_above(&mut self, last_uid: u32) -> Result<Vec<u32>, ImapError> {
        let Some(uid) = last_uid.checked_add(1) else { return Ok(Vec::new()) };
        let mut uids = self.search(&Command::SearchFrom { uid }).await?;
        // `n:*` always holds the last message, even where its UID is below n (RFC 3501 §6.4.8).
        uids.retain(|found| *found > last_uid);
        Ok(uids)
    }

    /// The UIDs of messages that arrived on this day of the server's or later, ascending.
    pub async fn uids_since(&mut self, date: Date) -> Result<Vec<u32>, ImapError> {
        self.search(&Command::SearchSince { date }).await
    }

    /// The UIDs of messages with this Message-ID in a mailbox, which is left open read-only.
    pub async fn find_by_message_id(&mut self, mailbox: &str, id: &MessageId) -> Result<Vec<u32>, ImapError> {
        self.examine(mailbox).await?;
        self.search(&Command::SearchMessageId { id: id.to_string() }).await
    }

    /// The UIDs of messages in a mailbox that answer this one directly; the mailbox is left open read-only.
    pub async fn find_answers(&mut self, mailbox: &str, to: &MessageId) -> Result<Vec<u32>, ImapError> {
        self.examine(mailbox).await?;
        self.search(&Command::SearchAnswerTo { id: to.to_string() }).await
    }

    /// Likewise in Sent; where the server may have given it another Message-ID, also by the one it had.
    pub async fn find_sent(
        &mut self,
        mailbox: &str,
        id: &MessageId,
        may_be_rewritten: bool,
    ) -> Result<Vec<u32>, ImapError> {
        let found = self.find_by_message_id(mailbox, id).await?;
        if !found.is_empty() || !may_be_rewritten {
            return Ok(found);
        }
        self.search(&Command::SearchOriginalId { id: id.to_string() }).await
    }

    async fn search(&mut self, command: &Command<'_>) -> Result<Vec<u32>, ImapError> {
        let mut uids = Vec::new();
        let note = |untagged| {
            if let Untagged::Search(found) = untagged {
                uids.extend(found);
            }
        };
        let mut wire = self.take(Phase::Search)?;
        wire.complete(Phase::Search, command, note).await?;
        self.wire = Some(wire);
        uids.retain(|uid| *uid != 0);
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }
}
