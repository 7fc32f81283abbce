//! Which messages a SEARCH finds, and which a sequence set names.

use imap_codec::imap_types::{
    datetime::NaiveDate,
    flag::Flag,
    search::SearchKey,
    sequence::{SeqOrUid, Sequence, SequenceSet},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{parts, state::Stored};

/// Deepest nesting of NOT and OR followed; a client's search is two or three deep.
const DEPTH_MAX: usize = 16;

/// The largest number and UID in the view, which `*` stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Largest {
    pub number: u32,
    pub uid: u32,
}

/// Whether a set names this number. `*` and ranges whose ends are exchanged are as RFC 3501 §9 says.
pub(super) fn names(set: &SequenceSet, value: u32, largest: u32) -> bool {
    let expand = |end: SeqOrUid| match end {
        SeqOrUid::Value(value) => value.get(),
        SeqOrUid::Asterisk => largest,
    };
    set.0.as_ref().iter().any(|sequence| match sequence {
        Sequence::Single(only) => expand(*only) == value,
        Sequence::Range(a, b) => {
            let (a, b) = (expand(*a), expand(*b));
            (a.min(b)..=a.max(b)).contains(&value)
        }
    })
}

/// Whether a message fits all keys (RFC 3501 §6.4.4).
pub(super) fn fits(keys: &[SearchKey<'_>], number: u32, message: &Stored, largest: Largest) -> bool {
    let one = Candidate { number, message, largest };
    keys.iter().all(|key| one.fits(key, DEPTH_MAX))
}

struct Candidate<'a> {
    number: u32,
    message: &'a Stored,
    largest: Largest,
}

impl Candidate<'_> {
    fn fits(&self, key: &SearchKey<'_>, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let has = |flag: Flag<'_>| self.message.has(&flag);
        let size = self.message.bytes.len() as u64;
        match key {
            SearchKey::And(keys) => keys.as_ref().iter().all(|key| self.fits(key, depth)),
            SearchKey::Or(a, b) => self.fits(a, depth) || self.fits(b, depth),
            SearchKey::Not(key) => !self.fits(key, depth),
            SearchKey::All | SearchKey::Old => true,
            SearchKey::SequenceSet(set) => names(set, self.number, self.largest.number),
            SearchKey::Uid(set) => names(set, self.message.uid, self.largest.uid),
            SearchKey::Answered => has(Flag::Answered),
            SearchKey::Deleted => has(Flag::Deleted),
            SearchKey::Draft => has(Flag::Draft),
            SearchKey::Flagged => has(Flag::Flagged),
            SearchKey::Seen => has(Flag::Seen),
            SearchKey::Unanswered => !has(Flag::Answered),
            SearchKey::Undeleted => !has(Flag::Deleted),
            SearchKey::Undraft => !has(Flag::Draft),
            SearchKey::Unflagged => !has(Flag::Flagged),
            SearchKey::Unseen => !has(Flag::Seen),
            SearchKey::Keyword(word) => has(Flag::keyword(word.clone())),
            SearchKey::Unkeyword(word) => !has(Flag::keyword(word.clone())),
            SearchKey::Larger(bytes) => size > u64::from(*bytes),
            SearchKey::Smaller(bytes) => size < u64::from(*bytes),
            SearchKey::Since(day) => self.received(day, |date, day| date >= day),
            SearchKey::Before(day) => self.received(day, |date, day| date < day),
            SearchKey::On(day) => self.received(day, |date, day| date == day),
            SearchKey::SentSince(day) => self.sent(day, |date, day| date >= day),
            SearchKey::SentBefore(day) => self.sent(day, |date, day| date < day),
            SearchKey::SentOn(day) => self.sent(day, |date, day| date == day),
            SearchKey::Header(name, value) => self.header(&String::from_utf8_lossy(name.as_ref()), value.as_ref()),
            SearchKey::From(value) => self.header("From", value.as_ref()),
            SearchKey::To(value) => self.header("To", value.as_ref()),
            SearchKey::Cc(value) => self.header("Cc", value.as_ref()),
            SearchKey::Bcc(value) => self.header("Bcc", value.as_ref()),
            SearchKey::Subject(value) => self.header("Subject", value.as_ref()),
            SearchKey::Text(value) => contains(&self.message.bytes, value.as_ref()),
            SearchKey::Body(value) => contains(parts::Part::of(&self.message.bytes).body, value.as_ref()),
            // `\Recent` is never set here.
            SearchKey::New | SearchKey::Recent => false,
        }
    }

    fn received(&self, day: &NaiveDate, compare: fn(Date, Date) -> bool) -> bool {
        civil(day).is_some_and(|day| compare(utc_day(self.message.internal_date), day))
    }

    fn sent(&self, day: &NaiveDate, compare: fn(Date, Date) -> bool) -> bool {
        let value = parts::Part::of(&self.message.bytes).value("Date").unwrap_or_default();
        let sent = jiff::fmt::rfc2822::parse(&String::from_utf8_lossy(&value)).ok().map(|zoned| zoned.date());
        sent.zip(civil(day)).is_some_and(|(sent, day)| compare(sent, day))
    }

    fn header(&self, name: &str, wanted: &[u8]) -> bool {
        let message = parts::Part::of(&self.message.bytes);
        parts::fields(message.header).iter().any(|field| field.is(name) && contains(&field.value(), wanted))
    }
}

fn utc_day(time: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(time).date()
}

/// The codec keeps dates in another library's type; its text form is ISO 8601.
fn civil(day: &NaiveDate) -> Option<Date> {
    day.as_ref().to_string().parse().ok()
}

/// Substring in any ASCII case; the empty string is in everything (RFC 3501 §6.4.4).
fn contains(text: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || text.windows(wanted.len()).any(|window| window.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_name_numbers() {
        for (set, value, largest, expected) in [
            ("1", 1, 9, true),
            ("2:4,9", 3, 9, true),
            ("2:4,9", 5, 9, false),
            ("*", 9, 9, true),
            ("12:*", 9, 9, true),
            ("12:*", 8, 9, false),
            ("4:2", 3, 9, true),
        ] {
            let parsed = SequenceSet::try_from(set).unwrap();
            assert_eq!(names(&parsed, value, largest), expected, "{set} {value}");
        }
    }
}
