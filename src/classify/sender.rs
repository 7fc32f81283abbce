//! Who sent a mail and whether a reply to them reaches anybody. Facts, never a filter.

use crate::{
    message::{Address, Message},
    rules::{NoReply, RuleSet},
};

/// What is known about the sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SenderFacts {
    /// Id in the sender table.
    pub id: Option<String>,
    /// Its kind there.
    pub kind: Option<String>,
    /// The vendor's name.
    pub brand: Option<String>,
    /// Whether a reply reaches nobody.
    pub noreply: bool,
    /// Whether the mailbox or the display name is that of people who hire: `jobs@`, `Acme Recruiting`.
    pub hires: bool,
}

impl SenderFacts {
    /// Whether the sender is known to relay mail about applications.
    pub(crate) fn relays_hiring(&self) -> bool {
        matches!(self.kind.as_deref(), Some("ats" | "jobboard" | "assessment" | "interview-platform"))
    }

    /// Reads the facts of a message.
    pub(crate) fn read(rules: &RuleSet, message: &Message) -> SenderFacts {
        let Some(from) = message.from.first() else { return SenderFacts::default() };
        let known = rules.senders.by_address(from);
        let reply_to = message.reply_to.first().filter(|r| r.email != from.email);
        let target = reply_to.unwrap_or(from);
        let target_known = rules.senders.by_address(target);
        let by_name = is_noreply_local(rules, target.local());
        let noreply = match target_known.map(|s| s.noreply) {
            // A relay that never takes replies says so about its own address, not about a Reply-To elsewhere.
            Some(NoReply::Always) => true,
            Some(NoReply::No) => by_name && !is_tagged(target.local()),
            Some(NoReply::Default) | None => by_name,
        };
        SenderFacts {
            id: known.map(|s| s.id.clone()),
            kind: known.map(|s| s.kind.clone()),
            brand: known.and_then(|s| s.brand.first().cloned()),
            noreply,
            hires: known.is_none() && is_hiring(rules, from),
        }
    }
}

/// Whether an address is that of people who hire, by the words of its local part and of its display name. The words
/// are data (`hiring-mailboxes`).
fn is_hiring(rules: &RuleSet, from: &Address) -> bool {
    let (local, name) = (from.local().to_lowercase(), from.name.to_lowercase());
    let words = local.split(|c: char| !c.is_alphanumeric()).chain(name.split(|c: char| !c.is_alphanumeric()));
    let known = rules.list("hiring-mailboxes");
    let fits = |word: &str, known: &String| match known.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == known,
    };
    words.filter(|word| !word.is_empty()).any(|word| known.iter().any(|k| fits(word, k)))
}

/// Whether a local part says that nobody reads replies. The words are data (`no-reply-locals`); they count whole or as
/// a part between separators.
pub(crate) fn is_noreply_local(rules: &RuleSet, local: &str) -> bool {
    let local = local.to_lowercase();
    let squeezed: String = local.chars().filter(|c| c.is_alphanumeric()).collect();
    if ["noreply", "donotreply", "nepasrepondre", "nichtantworten", "keineantwort"].iter().any(|w| squeezed.contains(w))
    {
        return true;
    }
    let base = local.split('+').next().unwrap_or_default();
    rules.list("no-reply-locals").iter().any(|w| w.eq_ignore_ascii_case(base))
}

/// `inbox+id@relay`: an address made for one conversation.
fn is_tagged(local: &str) -> bool {
    local.contains('+')
}
