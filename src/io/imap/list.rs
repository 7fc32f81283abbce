//! Which mailboxes there are and what they are for (LIST, RFC 3501 §6.3.8; SPECIAL-USE, RFC 6154).

use super::Session;
use super::command::Command;
use super::error::{ImapError, Phase};
use super::text::{decode_mailbox, encode_mailbox, quote, unescape};
use super::wire::Untagged;
use crate::outcome::named;

/// Most mailboxes taken from one LIST; nobody has more by hand.
const MAILBOXES_MAX: usize = 10_000;

named! {
    /// What a mailbox is for (RFC 6154 §2), as far as it matters here.
    pub enum SpecialUse {
        /// Drafts.
        Drafts = "\\Drafts",
        /// Sent mail.
        Sent = "\\Sent",
        /// Suspected spam.
        Junk = "\\Junk",
        /// Archive.
        Archive = "\\Archive",
        /// All mail, as at Gmail.
        All = "\\All",
        /// Deleted mail.
        Trash = "\\Trash",
    }
}

/// A mailbox in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name, decoded; [`Session::examine`] takes it as it is. It may hold what must be cleaned before it is shown.
    pub name: String,
    /// Attributes as the server writes them, e.g. `\Drafts`, `\Noselect`.
    pub attributes: Vec<String>,
}

impl Listed {
    /// A mailbox as the parser hands it over; `None` where its name could not be said to the server again.
    pub(super) fn new(escaped: &str, attributes: Vec<String>) -> Option<Listed> {
        let wire = unescape(escaped);
        let name = decode_mailbox(&wire);
        (encode_mailbox(&name) == wire && quote(&wire).is_ok()).then_some(Listed { name, attributes })
    }

    /// Whether the server says it is for this.
    pub fn is(&self, special_use: SpecialUse) -> bool {
        self.has(special_use.as_str())
    }

    /// Whether it can be opened.
    pub fn is_selectable(&self) -> bool {
        !self.has("\\Noselect") && !self.has("\\NonExistent")
    }

    fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a.eq_ignore_ascii_case(attribute))
    }
}

impl Session {
    /// All mailboxes, in the server's order.
    pub async fn list(&mut self) -> Result<Vec<Listed>, ImapError> {
        let command = Command::List { return_special_use: self.can("SPECIAL-USE") && self.can("LIST-EXTENDED") };
        let mut listed = Vec::new();
        let note = |untagged| match untagged {
            Untagged::List(mailbox) if listed.len() < MAILBOXES_MAX => listed.push(mailbox),
            _ => {}
        };
        let mut wire = self.take(Phase::List)?;
        wire.complete(Phase::List, &command, note).await?;
        self.wire = Some(wire);
        Ok(listed)
    }

    /// The mailboxes that the server says are for something ([`SpecialUse`]) and that can be opened.
    pub async fn special_use(&mut self) -> Result<Vec<Listed>, ImapError> {
        let mut listed = self.list().await?;
        listed.retain(|mailbox| mailbox.is_selectable() && SpecialUse::ALL.iter().any(|special| mailbox.is(*special)));
        Ok(listed)
    }
}
