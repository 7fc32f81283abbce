//! What to fetch next: pure decisions about cursors.
//!
//! It must not speak IMAP; `io::imap` carries plans out.

use jiff::civil::Date;
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

impl Selected {
    /// The cursor once every message of this view that matters is stored; `highest_uid` is the highest UID that was
    /// seen in it, 0 for none. Messages that arrive later stand above it.
    pub fn cursor_at_end(&self, highest_uid: u32) -> Cursor {
        let before_next = self.uid_next.map_or(0, |next| next.saturating_sub(1));
        Cursor { uid_validity: self.uid_validity.unwrap_or(0), last_uid: before_next.max(highest_uid) }
    }
}

/// Where reading starts when the cursor does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookBack {
    /// For a mailbox never read before: the first day that matters; `None` starts with the next message to arrive.
    pub first: Option<Date>,
    /// For a mailbox whose numbers are void: a day from which on everything is surely covered, for instance the day
    /// before the last completed look. What is already stored is recognised by its content.
    pub again: Date,
}

/// What to read in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPlan {
    /// Read nothing and store [`Selected::cursor_at_end`]: only what arrives from now on matters. Where `uid_next` is
    /// not known, the highest UID must be asked for first.
    Baseline,
    /// Read what arrived since this day, then store [`Selected::cursor_at_end`]. Until all of it is stored there is no
    /// cursor, and an interrupted first look begins again.
    FirstLook {
        /// The first day.
        since: Date,
    },
    /// Nothing is new.
    Nothing,
    /// Read the messages above this UID.
    From {
        /// The cursor's UID.
        last_uid: u32,
    },
    /// The numbers the cursor speaks of are void: read what arrived since this day, then store
    /// [`Selected::cursor_at_end`].
    Reread {
        /// Why, to be told to the person.
        why: Void,
        /// The first day.
        since: Date,
    },
}

/// Why a cursor no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Void {
    /// UIDVALIDITY is another: the mailbox was replaced or renumbered (RFC 3501 §2.3.1.1).
    UidValidity {
        /// The stored value, 0 for none.
        was: u32,
        /// The server's value, 0 for none.
        is: u32,
    },
    /// UIDNEXT went back under the same UIDVALIDITY, which no server should do: it was restored from a backup.
    UidNext {
        /// The cursor's UID.
        last_uid: u32,
        /// The server's value.
        uid_next: u32,
    },
}

impl std::fmt::Display for Void {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Void::UidValidity { was, is } => {
                write!(f, "the mailbox was replaced or renumbered (UIDVALIDITY {was}, now {is})")
            }
            Void::UidNext { last_uid, uid_next } => {
                write!(f, "the mailbox went back in time (UID {last_uid} was read, UIDNEXT is {uid_next})")
            }
        }
    }
}

/// What to read, given how far was read and what EXAMINE said.
pub fn plan(cursor: Option<Cursor>, selected: &Selected, look_back: LookBack) -> SyncPlan {
    let Some(Cursor { uid_validity: was, last_uid }) = cursor else {
        return look_back.first.map_or(SyncPlan::Baseline, |since| SyncPlan::FirstLook { since });
    };
    let is = selected.uid_validity.unwrap_or(0);
    let reread = |why| SyncPlan::Reread { why, since: look_back.again };
    match selected.uid_next {
        _ if was != is => reread(Void::UidValidity { was, is }),
        Some(uid_next) if uid_next <= last_uid => reread(Void::UidNext { last_uid, uid_next }),
        Some(uid_next) if uid_next - 1 == last_uid => SyncPlan::Nothing,
        _ if selected.exists == 0 => SyncPlan::Nothing,
        _ => SyncPlan::From { last_uid },
    }
}

/// UIDs as sequence sets (RFC 3501 §9) of at most `chars_max` characters each, ascending. Ranges hold nothing that was
/// not asked for. A single range is never cut, so a set may reach 21 characters whatever the limit.
pub fn sequence_sets(uids: &[u32], chars_max: usize) -> Vec<String> {
    let mut uids = uids.to_vec();
    uids.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if uid == *last || last.checked_add(1) == Some(uid) => *last = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let mut sets: Vec<String> = Vec::new();
    for (first, last) in ranges {
        let range = if first == last { first.to_string() } else { format!("{first}:{last}") };
        match sets.last_mut() {
            Some(set) if set.len() + 1 + range.len() <= chars_max => {
                set.push(',');
                set.push_str(&range);
            }
            _ => sets.push(range),
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const AGAIN: Date = date(2026, 11, 20);
    const FIRST: Date = date(2026, 10, 1);

    #[test]
    fn plans() {
        let at = |uid_validity, last_uid| Some(Cursor { uid_validity, last_uid });
        let from = |last_uid| SyncPlan::From { last_uid };
        let renumbered = |was, is| SyncPlan::Reread { why: Void::UidValidity { was, is }, since: AGAIN };
        let back = |last_uid, uid_next| SyncPlan::Reread { why: Void::UidNext { last_uid, uid_next }, since: AGAIN };
        // cursor, UIDVALIDITY, UIDNEXT, EXISTS, plan
        let table = [
            (None, Some(7), Some(10), 5, SyncPlan::FirstLook { since: FIRST }),
            (None, None, None, 0, SyncPlan::FirstLook { since: FIRST }),
            (at(7, 9), Some(7), Some(10), 5, SyncPlan::Nothing),
            (at(7, 9), Some(7), Some(10), 0, SyncPlan::Nothing),
            (at(7, 9), Some(7), Some(11), 6, from(9)),
            (at(7, 0), Some(7), Some(1), 0, SyncPlan::Nothing),
            (at(7, 0), Some(7), Some(2), 1, from(0)),
            // Everything that arrived since was taken away again.
            (at(7, 9), Some(7), Some(12), 0, SyncPlan::Nothing),
            // Servers without UIDNEXT are asked, servers without UIDVALIDITY count as 0.
            (at(7, 9), Some(7), None, 5, from(9)),
            (at(7, 9), Some(7), None, 0, SyncPlan::Nothing),
            (at(0, 9), None, Some(11), 5, from(9)),
            (at(7, 9), None, Some(11), 5, renumbered(7, 0)),
            (at(7, 9), Some(8), Some(10), 5, renumbered(7, 8)),
            // Replaced by an empty one: still not the same mailbox.
            (at(7, 9), Some(8), Some(1), 0, renumbered(7, 8)),
            (at(7, 9), Some(7), Some(9), 5, back(9, 9)),
            (at(7, 9), Some(7), Some(1), 0, back(9, 1)),
            (at(7, u32::MAX - 1), Some(7), Some(u32::MAX), 1, SyncPlan::Nothing),
            (at(7, u32::MAX), Some(7), Some(u32::MAX), 1, back(u32::MAX, u32::MAX)),
        ];
        for (cursor, uid_validity, uid_next, exists, expected) in table {
            let selected = Selected { uid_validity, uid_next, exists };
            let look_back = LookBack { first: Some(FIRST), again: AGAIN };
            assert_eq!(plan(cursor, &selected, look_back), expected, "{cursor:?} {selected:?}");
        }
        let selected = Selected { uid_validity: Some(7), uid_next: Some(10), exists: 5 };
        assert_eq!(plan(None, &selected, LookBack { first: None, again: AGAIN }), SyncPlan::Baseline);
    }

    #[test]
    fn the_cursor_after_a_full_look_stands_before_the_next_message() {
        let view = |uid_next| Selected { uid_validity: Some(7), uid_next, exists: 3 };
        for (uid_next, highest, last_uid) in
            [(Some(10), 4, 9), (Some(1), 0, 0), (None, 4, 4), (None, 0, 0), (Some(0), 0, 0)]
        {
            assert_eq!(view(uid_next).cursor_at_end(highest), Cursor { uid_validity: 7, last_uid });
        }
    }

    #[test]
    fn sequence_sets_are_short_and_exact() {
        for (uids, chars_max, expected) in [
            (vec![], 20, vec![]),
            (vec![5], 20, vec!["5"]),
            (vec![3, 2, 1], 20, vec!["1:3"]),
            (vec![1, 3, 4, 5, 9, 9], 20, vec!["1,3:5,9"]),
            (vec![10, 20, 30, 40], 8, vec!["10,20,30", "40"]),
            (vec![u32::MAX, u32::MAX - 1], 5, vec!["4294967294:4294967295"]),
        ] {
            assert_eq!(sequence_sets(&uids, chars_max), expected, "{uids:?}");
        }
        let spread: Vec<u32> = (1..=200).map(|n| u32::MAX - n * 2).collect();
        let sets = sequence_sets(&spread, 900);
        assert!(sets.iter().all(|set| set.len() <= 900) && sets.len() == 3, "{}", sets.len());
    }
}
