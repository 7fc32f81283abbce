//! What the role is called, and the number of the vacancy.

use std::collections::HashMap;

use super::{Reading, names, role_name};
use crate::{classify::Fact, message::Zone, rules::phrase::Capture};

/// Points of a capture in the subject and in the text.
const SUBJECT: f64 = 4.0;
const TEXT: f64 = 3.0;
/// Added where a known job title is part of the name, taken where none is and nothing is written with a capital.
const HEAD_NOUN: f64 = 2.0;
/// Added for each further place that says the same.
const AGAIN: f64 = 1.0;
/// Most words of a part of a subject that may be a role.
const SUBJECT_WORDS_MAX: usize = 8;
/// What parts a subject, besides a colon.
const SUBJECT_MARKS: [&str; 4] = [" | ", " - ", " – ", " — "];
/// Longest number of a vacancy, in characters.
const REFERENCE_CHARS_MAX: usize = 30;

/// The role, where one is stated.
pub(super) fn read(r: &Reading<'_>, employer: Option<&str>) -> Option<Fact> {
    let titles = &r.rules.titles;
    let mut points: Vec<(String, String, f64, String)> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    let employer_folded = employer.map(|e| names::folded(r.words(), e));
    for (raw, rule) in r.counted() {
        for (_, text, zone) in r.captured(raw, Capture::Role) {
            let Some(name) = role_name::role(r.words(), &text, employer, &r.language) else { continue };
            let folded = names::folded(r.words(), &name);
            if employer_folded.as_ref() == Some(&folded) {
                continue;
            }
            if let Some(known) = index.get(&folded).and_then(|i| points.get_mut(*i)) {
                known.2 += AGAIN;
                continue;
            }
            let mut score = if zone == Zone::Subject { SUBJECT } else { TEXT };
            score += if rule.category.is_none() { rule.weight / 5.0 } else { 0.0 };
            let has_title = titles.stand_in(&folded);
            let capital = name.chars().any(char::is_uppercase) || !name.is_ascii();
            score += match (has_title, capital) {
                (true, _) => HEAD_NOUN,
                (false, true) => 0.0,
                (false, false) if rule.language == "en" => continue,
                (false, false) => -HEAD_NOUN,
            };
            index.insert(folded.clone(), points.len());
            points.push((name, folded, score, rule.id.clone()));
        }
    }
    for piece in trade_and_title(r).into_iter().chain(subject_pieces(&r.message.subject)) {
        let Some(name) = role_name::role(r.words(), piece, employer, &r.language) else { continue };
        let folded = names::folded(r.words(), &name);
        let is_employer = employer_folded.as_ref().is_some_and(|e| names::agree(e, &folded));
        if is_employer || !(titles.stand_in(&folded) || is_kind_of_place(r, &folded)) {
            continue;
        }
        match index.get(&folded).and_then(|i| points.get_mut(*i)) {
            Some(known) => known.2 += AGAIN,
            None => points.push((name, folded, SUBJECT, "subject".to_owned())),
        }
    }
    if let Some((_, name)) = super::employer::bracketed(r) {
        points.push((name.clone(), names::folded(r.words(), &name), SUBJECT, "text".to_owned()));
    }
    let best = points.into_iter().fold(None, |best: Option<(String, String, f64, String)>, next| match best {
        Some(best) if best.2 >= next.2 => Some(best),
        _ => Some(next),
    })?;
    (best.2 >= 2.0).then_some(Fact { value: best.0, source: best.3 })
}

/// Whether a text is nothing but the word for a kind of place (*a substitute's*, *a grant*), which stands for the role.
fn is_kind_of_place(r: &Reading<'_>, folded: &str) -> bool {
    let words = &r.words().role.places;
    words.whole.has(folded) || !folded.contains(' ') && words.fit(folded)
}

/// The part of a subject where a colon parts two titles: *Artisan: Boilermaker* is one role.
fn trade_and_title<'r>(r: &Reading<'r>) -> Option<&'r str> {
    let title = |text: &str| r.rules.titles.stand_in(&names::folded(r.words(), text));
    let both = |part: &&str| part.split_once(": ").is_some_and(|(trade, role)| title(trade) && title(role));
    between(&r.message.subject, &SUBJECT_MARKS).into_iter().find(both)
}

/// The parts of a subject between its marks: one of them may be the role alone.
fn subject_pieces(subject: &str) -> impl Iterator<Item = &str> {
    let pieces = between(subject, &[": ", " re "]).into_iter().flat_map(|piece| between(piece, &SUBJECT_MARKS));
    pieces.map(str::trim).filter(|p| p.split_whitespace().count() <= SUBJECT_WORDS_MAX)
}

/// The parts of a text between any of the marks.
fn between<'t>(text: &'t str, marks: &[&str]) -> Vec<&'t str> {
    marks.iter().fold(vec![text], |pieces, mark| pieces.into_iter().flat_map(|p| p.split(mark)).collect())
}

/// The employer's number for the vacancy: only where a label says that it is one.
pub(super) fn reference(r: &Reading<'_>) -> Option<Fact> {
    for (raw, rule) in r.counted() {
        for (_, text, _) in r.captured(raw, Capture::Reference) {
            let text = text.trim_matches(|c: char| !c.is_alphanumeric());
            if text.chars().any(|c| c.is_ascii_digit()) && text.chars().count() <= REFERENCE_CHARS_MAX {
                return Some(Fact { value: text.to_owned(), source: rule.id.clone() });
            }
        }
    }
    None
}
