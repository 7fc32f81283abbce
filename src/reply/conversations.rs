//! Which conversations there certainly were before a no, and who else wrote: what a thank-you can be specific about.
//!
//! A false or hollow thanks is worse than a general one, so whatever may have been moved, called off or mistaken leaves
//! nothing to say. This module must not write texts.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    Identity,
    eligibility::is_own,
    person::{organisation, personal_name, same_mailbox},
};
use crate::{message::Address, outcome::Stage};

/// A mail of the same process that may have set a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interview {
    /// When it arrived.
    pub at: Timestamp,
    /// The days it names. Of one day alone it is certain that it is the conversation's; a mail that may have moved or
    /// ended a conversation names none.
    pub dates: Vec<Date>,
}

/// What can be said of conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conversations {
    /// How many there were, where there were at least two.
    pub rounds: Option<u8>,
    /// The day of the only one.
    pub day: Option<Date>,
}

/// What is certain about the conversations before a no of that stage which arrived at `no`.
pub fn conversations(interviews: &[Interview], stage: Stage, no: Timestamp, zone: &TimeZone) -> Conversations {
    if !matches!(stage, Stage::AfterInterview | Stage::AfterFinal) {
        return Conversations::default();
    }
    let day_of = |at: Timestamp| at.to_zoned(zone.clone()).date();
    let mut mails: Vec<&Interview> = interviews.iter().filter(|mail| mail.at < no).collect();
    mails.sort_by_key(|mail| mail.at);
    let mut days: Vec<Date> = Vec::new();
    for mail in mails {
        // Several days are proposals, none is an invitation without one, and a day that is past is told of, not set.
        let [day] = mail.dates.as_slice() else { return Conversations::default() };
        if *day < day_of(mail.at) || *day >= day_of(no) {
            return Conversations::default();
        }
        // What comes before the day of the last one, or on it, moves or repeats that one.
        if days.last().is_some_and(|last| day_of(mail.at) <= *last) {
            days.pop();
        }
        days.push(*day);
    }
    match days.as_slice() {
        [] => Conversations::default(),
        [day] => Conversations { rounds: None, day: Some(*day) },
        several => Conversations { rounds: u8::try_from(several.len()).ok(), day: None },
    }
}

/// Somebody else at the recipient's organisation who wrote in person: neither the recipient, nor who signed the no, nor
/// the person themselves. `people` with the latest first.
pub(super) fn colleague(
    people: &[Address],
    recipient: &Address,
    signer: Option<&str>,
    identities: &[Identity],
) -> Option<String> {
    let taken: Vec<String> = [personal_name(recipient), Some(recipient.name.clone()), signer.map(str::to_owned)]
        .into_iter()
        .flatten()
        .chain(identities.iter().map(|identity| identity.name.clone()))
        .collect();
    let organisation_of = |address: &Address| organisation(address.domain());
    people
        .iter()
        .filter(|one| !same_mailbox(&one.email, &recipient.email) && !is_own(&one.email, identities))
        .filter(|one| organisation_of(one) == organisation_of(recipient))
        .filter_map(personal_name)
        .find(|name| !taken.iter().any(|other| share_a_word(name, other)))
}

/// Whether two names may be of one person: a first name or a family name alone is not told apart.
fn share_a_word(a: &str, b: &str) -> bool {
    let words = |name: &str| name.to_lowercase().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let b = words(b);
    words(a).iter().any(|word| b.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certain_conversations_are_spoken_of() {
        use Stage::{AfterApplication, AfterFinal, AfterInterview, Unknown};
        let at = |text: &str| format!("2026-{text}:00Z").parse::<Timestamp>().unwrap();
        let day = |text: &str| format!("2026-{text}").parse::<Date>().unwrap();
        type Mails<'a> = &'a [(&'a str, &'a [&'a str])];
        type Row<'a> = (&'a str, Mails<'a>, Stage, Option<u8>, Option<&'a str>);
        let rows: &[Row<'_>] = &[
            ("none", &[], AfterInterview, None, None),
            ("one", &[("03-01T09:00", &["03-05"])], AfterInterview, None, Some("03-05")),
            ("one, last round", &[("03-01T09:00", &["03-05"])], AfterFinal, None, Some("03-05")),
            ("the no speaks of no conversation", &[("03-01T09:00", &["03-05"])], AfterApplication, None, None),
            ("nor does this one", &[("03-01T09:00", &["03-05"])], Unknown, None, None),
            ("no day", &[("03-01T09:00", &[])], AfterInterview, None, None),
            ("two days to choose from", &[("03-01T09:00", &["03-05", "03-06"])], AfterInterview, None, None),
            ("the no came before it", &[("03-01T09:00", &["03-25"])], AfterInterview, None, None),
            ("the no came on its day", &[("03-01T09:00", &["03-20"])], AfterInterview, None, None),
            ("the invitation came after the no", &[("03-21T09:00", &["03-25"])], AfterInterview, None, None),
            ("a day that was past", &[("03-06T09:00", &["03-05"])], AfterInterview, None, None),
            ("moved", &[("03-01T09:00", &["03-05"]), ("03-04T09:00", &["03-09"])], AfterInterview, None, Some("03-09")),
            (
                "moved that day",
                &[("03-01T09:00", &["03-05"]), ("03-05T07:00", &["03-09"])],
                AfterInterview,
                None,
                Some("03-09"),
            ),
            (
                "confirmed",
                &[("03-01T09:00", &["03-05"]), ("03-02T09:00", &["03-05"])],
                AfterInterview,
                None,
                Some("03-05"),
            ),
            ("two rounds", &[("03-01T09:00", &["03-05"]), ("03-06T09:00", &["03-09"])], AfterFinal, Some(2), None),
            (
                "three rounds, one of them moved",
                &[
                    ("03-01T09:00", &["03-05"]),
                    ("03-06T09:00", &["03-09"]),
                    ("03-08T09:00", &["03-10"]),
                    ("03-11T09:00", &["03-12"]),
                ],
                AfterFinal,
                Some(3),
                None,
            ),
            ("perhaps moved", &[("03-01T09:00", &["03-05"]), ("03-04T09:00", &[])], AfterInterview, None, None),
            (
                "perhaps another",
                &[("03-01T09:00", &["03-05"]), ("03-06T09:00", &["03-09", "03-10"])],
                AfterInterview,
                None,
                None,
            ),
            (
                "in any order",
                &[("03-06T09:00", &["03-09"]), ("03-01T09:00", &["03-05"])],
                AfterInterview,
                Some(2),
                None,
            ),
        ];
        for (what, mails, stage, rounds, only) in rows {
            let interviews: Vec<Interview> = mails
                .iter()
                .map(|(arrived, dates)| Interview { at: at(arrived), dates: dates.iter().map(|d| day(d)).collect() })
                .collect();
            let said = conversations(&interviews, *stage, at("03-20T09:00"), &TimeZone::UTC);
            assert_eq!(said, Conversations { rounds: *rounds, day: only.map(day) }, "{what}");
        }
    }

    #[test]
    fn a_colleague_is_certainly_somebody_else() {
        let address = |name: &str, email: &str| Address { name: name.into(), email: email.into() };
        let identities =
            [Identity { name: "Sam Roe".into(), addresses: vec!["sam@roe.example".into()], language: "en".into() }];
        let anna = address("Anna Schmidt", "anna.schmidt@kestrel.example");
        for (who, signer, expected) in [
            (address("Ben Ito", "ben.ito@kestrel.example"), None, Some("Ben Ito")),
            (address("Ben Ito", "ben@mail.kestrel.example"), None, Some("Ben Ito")),
            (address("Ben Ito", "ben.ito@kestrel.example"), Some("Ben"), None),
            (address("Ben Ito", "ben.ito@elsewhere.example"), None, None),
            (address("Anna Schmidt", "a.schmidt@kestrel.example"), None, None),
            (address("Anna Schmidt", "ANNA.schmidt@kestrel.example"), None, None),
            (address("Ben", "ben@kestrel.example"), None, None),
            (address("Kestrel Recruiting", "recruiting@kestrel.example"), None, None),
            (address("Ben Ito", "x7f3@kestrel.example"), None, None),
            (address("Sam Roe", "sam.roe@kestrel.example"), None, None),
        ] {
            let found = colleague(std::slice::from_ref(&who), &anna, signer, &identities);
            assert_eq!(found.as_deref(), expected, "{} <{}>", who.name, who.email);
        }
    }
}
