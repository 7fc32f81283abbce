//! What a client may do once a mailbox is selected (RFC 3501 §6.4).

use imap_codec::imap_types::{
    IntoStatic,
    command::CommandBody,
    fetch::{MacroOrMessageDataItemNames, MessageDataItemName},
    flag::{Flag, StoreResponse, StoreType},
    search::SearchKey,
    sequence::SequenceSet,
};

use super::{
    super::{fetch, search, state::Stored, wire::put_string},
    End, Session, ok,
};

/// The selected mailbox as this client knows it: message number n is the nth UID.
pub(super) struct View {
    pub mailbox: &'static str,
    pub read_only: bool,
    pub uids: Vec<u32>,
}

impl Session<'_> {
    /// Commands of the selected state.
    pub(super) fn run_selected(&mut self, body: CommandBody<'_>) -> End {
        let Some(view) = &self.view else { return "BAD select a mailbox first".to_owned() };
        let (mailbox, read_only) = (view.mailbox, view.read_only);
        match body {
            CommandBody::Fetch { sequence_set, macro_or_item_names, uid } => {
                self.fetch(&sequence_set, &macro_or_item_names, uid)
            }
            CommandBody::Search { criteria, uid, .. } => self.search(criteria.as_ref(), uid),
            CommandBody::Unselect => {
                self.view = None;
                ok()
            }
            CommandBody::Close => {
                if !read_only {
                    self.mailboxes.expunge(mailbox, |_| true);
                }
                self.view = None;
                ok()
            }
            CommandBody::Store { .. } | CommandBody::Expunge | CommandBody::ExpungeUid { .. } if read_only => {
                "NO [READ-ONLY] the mailbox was opened with EXAMINE".to_owned()
            }
            CommandBody::Store { sequence_set, kind, response, flags, uid } => {
                self.store(&sequence_set, kind, response, &flags, uid)
            }
            CommandBody::Expunge => {
                self.mailboxes.expunge(mailbox, |_| true);
                ok()
            }
            CommandBody::ExpungeUid { sequence_set } => {
                let largest = self.largest().uid;
                self.mailboxes.expunge(mailbox, |uid| search::names(&sequence_set, uid, largest));
                ok()
            }
            CommandBody::Copy { .. } | CommandBody::Move { .. } => {
                "NO [CANNOT] the sample server keeps every message where it is".to_owned()
            }
            _ => "BAD not offered here".to_owned(),
        }
    }

    fn search(&mut self, criteria: &[SearchKey<'_>], uid: bool) -> End {
        let largest = self.largest();
        let found: Vec<String> = self
            .messages()
            .into_iter()
            .filter(|(number, message)| search::fits(criteria, *number, message, largest))
            .map(|(number, message)| format!(" {}", if uid { message.uid } else { number }))
            .collect();
        self.line(&format!("* SEARCH{}", found.concat()));
        ok()
    }

    fn fetch(&mut self, set: &SequenceSet, asked: &MacroOrMessageDataItemNames<'_>, uid: bool) -> End {
        let mut items = fetch::items(asked);
        if uid && !items.contains(&MessageDataItemName::Uid) {
            items.insert(0, MessageDataItemName::Uid);
        }
        let marks = items.iter().any(fetch::marks_seen) && self.view.as_ref().is_some_and(|view| !view.read_only);
        for (number, message) in self.named(set, uid) {
            let message = if marks && !message.has(&Flag::Seen) {
                if !items.contains(&MessageDataItemName::Flags) {
                    items.push(MessageDataItemName::Flags);
                }
                self.change_flags(message.uid, |flags| flags.push(Flag::Seen)).unwrap_or(message)
            } else {
                message
            };
            if !self.put_fetch(number, &items, &message) {
                return "BAD an item that is not offered here".to_owned();
            }
        }
        ok()
    }

    fn store(
        &mut self,
        set: &SequenceSet,
        kind: StoreType,
        response: StoreResponse,
        flags: &[Flag<'_>],
        uid: bool,
    ) -> End {
        let given: Vec<Flag<'static>> = flags.iter().cloned().map(IntoStatic::into_static).collect();
        let mut items = vec![MessageDataItemName::Flags];
        if uid {
            items.insert(0, MessageDataItemName::Uid);
        }
        for (number, message) in self.named(set, uid) {
            let changed = self.change_flags(message.uid, |flags| {
                match kind {
                    StoreType::Replace => flags.clear(),
                    StoreType::Add | StoreType::Remove => flags.retain(|flag| !given.contains(flag)),
                }
                if kind != StoreType::Remove {
                    flags.extend(given.iter().cloned());
                }
            });
            if let Some(changed) = changed.filter(|_| response == StoreResponse::Answer) {
                self.put_fetch(number, &items, &changed);
            }
        }
        ok()
    }

    fn put_fetch(&mut self, number: u32, items: &[MessageDataItemName<'_>], message: &Stored) -> bool {
        self.out.extend_from_slice(format!("* {number} FETCH (").as_bytes());
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(b' ');
            }
            if !fetch::put_item(&mut self.out, item, message) {
                // The line has begun and must be a whole one: an empty value stands for the item.
                put_string(&mut self.out, b"");
                self.out.extend_from_slice(b")\r\n");
                return false;
            }
        }
        self.out.extend_from_slice(b")\r\n");
        true
    }

    fn change_flags(&self, uid: u32, change: impl FnOnce(&mut Vec<Flag<'static>>)) -> Option<Stored> {
        self.mailboxes.change_flags(self.view.as_ref()?.mailbox, uid, change)
    }

    /// The messages of the view that still exist, with their numbers.
    fn messages(&self) -> Vec<(u32, Stored)> {
        let Some(view) = &self.view else { return Vec::new() };
        let numbered = |message: Stored| {
            let at = view.uids.binary_search(&message.uid).ok()?;
            Some((u32::try_from(at).ok()?.checked_add(1)?, message))
        };
        self.mailboxes.messages(view.mailbox).into_iter().filter_map(numbered).collect()
    }

    /// Those of them that a set names.
    fn named(&self, set: &SequenceSet, uid: bool) -> Vec<(u32, Stored)> {
        let largest = self.largest();
        let mut messages = self.messages();
        messages.retain(|(number, message)| {
            if uid { search::names(set, message.uid, largest.uid) } else { search::names(set, *number, largest.number) }
        });
        messages
    }

    fn largest(&self) -> search::Largest {
        let uids = self.view.as_ref().map(|view| view.uids.as_slice()).unwrap_or_default();
        search::Largest {
            number: u32::try_from(uids.len()).unwrap_or(u32::MAX),
            uid: uids.last().copied().unwrap_or(0),
        }
    }

    /// Tells what was removed and what came since the client was last told (RFC 3501 §7.3.1, §7.4.1).
    pub(super) fn show_changes(&mut self) {
        let Some(view) = &mut self.view else { return };
        let uids: Vec<u32> = self.mailboxes.messages(view.mailbox).iter().map(|message| message.uid).collect();
        let before = view.uids.len();
        // From the end, so that the numbers of what is still to be told stay true.
        let gone = view.uids.iter().enumerate().rev().filter(|(_, uid)| !uids.contains(uid));
        let lines: Vec<String> = gone.map(|(at, _)| format!("* {} EXPUNGE", at + 1)).collect();
        let left = before - lines.len();
        let grown = (uids.len() > left).then(|| format!("* {} EXISTS", uids.len()));
        view.uids = uids;
        lines.iter().chain(&grown).for_each(|line| self.line(line));
    }
}
