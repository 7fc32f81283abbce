//! True numbers from the log for the note: counted here, stated by `note`, never anything but counts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    io::store::{Filter, NoteUse, OutcomeRow, Store, StoreError},
    message::Message,
    note::NoteFact,
    outcome::{Category, Outcome, Stage, employer_key},
};

/// How many answered applications the recent share is taken over, and compared with as many before.
const RECENT: usize = 10;

/// The outcome a note is made for. It counts itself, in the place of what the log holds for the same mail.
#[derive(Clone, Copy)]
pub struct AtHand<'a> {
    /// The mail.
    pub message: &'a Message,
    /// What it means.
    pub outcome: &'a Outcome,
    /// When it arrived.
    pub at: Timestamp,
}

impl AtHand<'_> {
    fn is(&self, row: &OutcomeRow) -> bool {
        let id = row.mail.as_ref().and_then(|mail| mail.message_id.as_deref());
        id.is_some() && id == self.message.id.as_ref().map(|id| id.as_str())
    }
}

/// The facts a note on this mail may state, the most telling first.
pub fn note_facts(
    store: &Store,
    at_hand: AtHand<'_>,
    applicants: Option<u32>,
    used: &[NoteUse],
) -> Result<Vec<NoteFact>, StoreError> {
    let rows = store.list(&Filter { decided: Some(true), ..Filter::default() })?;
    let others = rows.iter().filter(|row| !at_hand.is(row)).map(|row| (&row.outcome, row.detected_at));
    let outcomes: Vec<(&Outcome, Timestamp)> = others.chain([(at_hand.outcome, at_hand.at)]).collect();
    let mut facts: Vec<NoteFact> = interviews_of_recent(&outcomes).into_iter().collect();
    if let Some(n) = applicants.map(u64::from) {
        facts.push(fact("applicants_named", vec![("n", n)], n, false));
    }
    for fact in &mut facts {
        fact.last_used = used.iter().filter(|u| u.facts.contains(&fact.name)).map(|u| u.at).max();
    }
    Ok(facts)
}

/// Noes after an interview or a last round since then, the one at hand included when it is one.
pub fn late_stage_noes(store: &Store, since: Timestamp, at_hand: AtHand<'_>) -> Result<u32, StoreError> {
    let categories = vec![Category::Rejection];
    let rows = store.list(&Filter { categories, decided: Some(true), since: Some(since), ..Filter::default() })?;
    let others = rows.iter().filter(|row| !at_hand.is(row)).map(|row| &row.outcome);
    let late = others.chain([at_hand.outcome]).filter(|o| is_late(o.stage)).count();
    Ok(u32::try_from(late).unwrap_or(u32::MAX))
}

fn is_late(stage: Stage) -> bool {
    matches!(stage, Stage::AfterInterview | Stage::AfterFinal)
}

/// When an application was answered last, and whether it ever led to a conversation.
#[derive(Debug, Clone, Copy)]
struct Answered {
    at: Timestamp,
    talked: bool,
}

/// Of the last answered applications, how many led to a conversation.
fn interviews_of_recent(outcomes: &[(&Outcome, Timestamp)]) -> Option<NoteFact> {
    let mut answered = applications(outcomes);
    answered.sort_by_key(|a| std::cmp::Reverse(a.at));
    let talked = |part: &[Answered]| part.iter().filter(|a| a.talked).count();
    let (recent, rest) = answered.split_at(answered.len().min(RECENT));
    let before: Vec<Answered> = rest.iter().copied().take(RECENT).collect();
    let (n, of) = (talked(recent), recent.len());
    if n == 0 {
        return None;
    }
    let worse = !before.is_empty() && n * before.len() < talked(&before) * of;
    Some(fact("interviews_of_recent", vec![("n", n as u64), ("of", of as u64)], of as u64, worse))
}

/// The answered applications. One is an employer and a role, and answered when anything but a receipt came back. A mail
/// that names no role belongs to the employer's only application; where there are several it cannot be told to which,
/// and it is not counted, so that no application is counted twice.
fn applications(outcomes: &[(&Outcome, Timestamp)]) -> Vec<Answered> {
    let mut employers: BTreeMap<String, BTreeMap<Option<String>, Answered>> = BTreeMap::new();
    for (outcome, at) in outcomes {
        let talked = match outcome.category {
            Category::Interview | Category::Offer => true,
            Category::Rejection => is_late(outcome.stage),
            Category::Assessment => false,
            _ => continue,
        };
        let Some(employer) = outcome.employer.as_deref().map(employer_key).filter(|key| !key.is_empty()) else {
            continue;
        };
        // Roles are compared as employers are: case and punctuation do not count.
        let role = outcome.role.as_deref().map(employer_key).filter(|key| !key.is_empty());
        let roles = employers.entry(employer).or_default();
        let entry = roles.entry(role).or_insert(Answered { at: *at, talked: false });
        entry.at = entry.at.max(*at);
        entry.talked |= talked;
    }
    employers.into_values().flat_map(told_apart).collect()
}

/// The applications at one employer.
fn told_apart(mut roles: BTreeMap<Option<String>, Answered>) -> Vec<Answered> {
    let unnamed = roles.remove(&None);
    let mut named: Vec<Answered> = roles.into_values().collect();
    match (unnamed, named.as_mut_slice()) {
        (Some(unnamed), []) => named.push(unnamed),
        (Some(unnamed), [only]) => {
            only.at = only.at.max(unnamed.at);
            only.talked |= unnamed.talked;
        }
        _ => {}
    }
    named
}

fn fact(name: &str, numbers: Vec<(&str, u64)>, sample: u64, worse: bool) -> NoteFact {
    let numbers = numbers.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    NoteFact { name: name.to_owned(), numbers, sample, worse, last_used: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Reason;

    fn outcome(category: Category, stage: Stage, employer: &str, role: &str) -> Outcome {
        Outcome {
            category,
            decided: true,
            stage,
            reason: Reason::None,
            employer: (!employer.is_empty()).then(|| employer.to_owned()),
            role: (!role.is_empty()).then(|| role.to_owned()),
            requisition_id: None,
            contact: None,
        }
    }

    /// Rows of category, stage, employer and role, a day apart; the numbers a note would state.
    fn counted(rows: &[(Category, Stage, &str, &str)]) -> Option<(u64, u64, bool)> {
        let outcomes: Vec<Outcome> = rows.iter().map(|(c, s, e, r)| outcome(*c, *s, e, r)).collect();
        let day = |n: i64| Timestamp::from_second(n * 86_400).unwrap();
        let dated: Vec<(&Outcome, Timestamp)> = outcomes.iter().zip((1..).map(day)).collect();
        let fact = interviews_of_recent(&dated)?;
        assert_eq!(fact.sample, fact.numbers[1].1);
        Some((fact.numbers[0].1, fact.numbers[1].1, fact.worse))
    }

    #[test]
    fn an_application_is_counted_once() {
        use Category::{Acknowledgement as Ack, Interview, Rejection as No};
        use Stage::{AfterApplication as Form, AfterInterview as Late, Unknown};
        for (rows, expected) in [
            (&[][..], None),
            (&[(No, Form, "Acme", "Cook")], None),
            (&[(Interview, Unknown, "Acme", "Cook"), (No, Form, "ACME GmbH", "cook")], Some((1, 1, false))),
            (&[(Interview, Unknown, "Acme", "Cook"), (No, Late, "Acme", "")], Some((1, 1, false))),
            (&[(Interview, Unknown, "Acme", ""), (No, Form, "Acme", "Cook")], Some((1, 1, false))),
            // To which of the two the third belongs cannot be told.
            (
                &[(Interview, Unknown, "Acme", "Cook"), (No, Form, "Acme", "Baker"), (No, Late, "Acme", "")],
                Some((1, 2, false)),
            ),
            (&[(No, Late, "", "Cook"), (Ack, Unknown, "Acme", "Cook")], None),
        ] {
            assert_eq!(counted(rows), expected, "{rows:?}");
        }
    }

    #[test]
    fn the_recent_ones_are_the_latest_by_date() {
        let names: Vec<String> = (0..20).map(|n| format!("Employer{n}")).collect();
        let rows = |talked: std::ops::Range<usize>| -> Vec<(Category, Stage, &str, &str)> {
            let stage = |n| if talked.contains(&n) { Stage::AfterInterview } else { Stage::AfterApplication };
            names.iter().enumerate().map(|(n, name)| (Category::Rejection, stage(n), name.as_str(), "Cook")).collect()
        };
        assert_eq!(counted(&rows(8..12)), Some((2, 10, false)));
        assert_eq!(counted(&rows(0..12)), Some((2, 10, true)));
        assert_eq!(counted(&rows(0..10)), None);
    }
}
