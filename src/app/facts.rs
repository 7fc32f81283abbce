//! True numbers from the log for the note: counted here, stated by `note`, never anything but counts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    classify::Facts,
    io::store::{Filter, NoteUse, OutcomeRow, Store, StoreError},
    note::NoteFact,
    outcome::{Category, Stage, employer_key},
};

/// How many answered applications the recent share is taken over, and compared with as many before.
const RECENT: usize = 10;

/// The facts a note on this mail may state, the most telling first.
pub fn note_facts(store: &Store, mail: &Facts, used: &[NoteUse]) -> Result<Vec<NoteFact>, StoreError> {
    let rows = store.list(&Filter { decided: Some(true), ..Filter::default() })?;
    let mut facts: Vec<NoteFact> = interviews_of_recent(&rows).into_iter().collect();
    if let Some(n) = mail.applicants {
        let n = u64::from(n);
        facts.push(fact("applicants_named", vec![("n", n)], n, false));
    }
    for fact in &mut facts {
        fact.last_used = used.iter().filter(|u| u.facts.contains(&fact.name)).map(|u| u.at).max();
    }
    Ok(facts)
}

/// Noes after an interview or a last round since then, the one at hand included when it is one.
pub fn late_stage_noes(store: &Store, since: Timestamp, at_hand: Stage) -> Result<u32, StoreError> {
    let rows =
        store.list(&Filter { categories: vec![Category::Rejection], since: Some(since), ..Filter::default() })?;
    let late = |stage| matches!(stage, Stage::AfterInterview | Stage::AfterFinal);
    let before = rows.iter().filter(|row| late(row.outcome.stage)).count();
    Ok(u32::try_from(before).unwrap_or(u32::MAX).saturating_add(u32::from(late(at_hand))))
}

/// Of the last answered applications, how many led to a conversation. An application is an employer and a role; it is
/// answered when anything but a receipt came back.
fn interviews_of_recent(rows: &[OutcomeRow]) -> Option<NoteFact> {
    let mut applications: BTreeMap<(String, Option<String>), (Timestamp, bool)> = BTreeMap::new();
    for row in rows {
        let talked = match row.outcome.category {
            Category::Interview | Category::Offer => true,
            Category::Rejection => matches!(row.outcome.stage, Stage::AfterInterview | Stage::AfterFinal),
            Category::Assessment => false,
            _ => continue,
        };
        let Some(key) = row.outcome.employer.as_deref().map(employer_key).filter(|key| !key.is_empty()) else {
            continue;
        };
        let entry = applications.entry((key, row.outcome.role.clone())).or_insert((row.detected_at, false));
        entry.0 = entry.0.max(row.detected_at);
        entry.1 |= talked;
    }
    let mut answered: Vec<(Timestamp, bool)> = applications.into_values().collect();
    answered.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let talked = |part: &[(Timestamp, bool)]| part.iter().filter(|(_, talked)| *talked).count();
    let recent: Vec<_> = answered.iter().copied().take(RECENT).collect();
    let before: Vec<_> = answered.iter().copied().skip(RECENT).take(RECENT).collect();
    let (n, of) = (talked(&recent), recent.len());
    if n == 0 {
        return None;
    }
    let worse = !before.is_empty() && n * before.len() < talked(&before) * of;
    Some(fact("interviews_of_recent", vec![("n", n as u64), ("of", of as u64)], of as u64, worse))
}

fn fact(name: &str, numbers: Vec<(&str, u64)>, sample: u64, worse: bool) -> NoteFact {
    let numbers = numbers.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    NoteFact { name: name.to_owned(), numbers, sample, worse, last_used: None }
}
