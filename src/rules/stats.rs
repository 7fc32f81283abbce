//! How rules fare on mail whose meaning is known: hits, right and wrong, and the weight that would fit. Counts what it
//! is given; must not change a rule.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::set::RuleSet;
use crate::outcome::Category;

/// How long a rule may be silent before it is named.
pub const SILENT_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Wrong hits from which on a rule that is wrong as often as right should go.
const RETIRE_HITS_MIN: usize = 5;
/// Share of right hits, by class size, that a strong rule should have.
const RIGHT_SHARE_MIN: f64 = 0.95;
/// From how many bits on a rule is a strong one.
const STRONG_BITS: f64 = 5.0;
/// Hits from which on a measured weight says something.
const MEASURED_HITS_MIN: usize = 20;
/// How far declared and measured weight may be apart, in bits.
const WEIGHT_ERROR_MAX: f64 = 2.0;

/// A mail whose meaning is known: what the log says of it now, corrections included.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// What it is.
    pub category: Category,
    /// The rules that counted.
    pub rules: Vec<&'a str>,
    /// When it came.
    pub at: Timestamp,
}

/// What to do about a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Advice {
    /// It does what it says.
    Keep,
    /// Its weight or its reach is off.
    Tune,
    /// It is wrong at least as often as right.
    Retire,
    /// It has not counted for [`SILENT_AFTER`].
    Silent,
}

/// The record of one rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// The rule.
    pub rule: String,
    /// Mails in which it counted.
    pub hits: usize,
    /// Of these, those of its category.
    pub right: usize,
    /// The others.
    pub wrong: usize,
    /// Share of right hits as if all categories were equally frequent (SpamAssassin's S/O); `None` without hits.
    pub share: Option<f64>,
    /// Its weight in bits.
    pub declared: f64,
    /// The weight that these mails speak for, in bits; `None` where there is nothing to compare.
    pub measured: Option<f64>,
    /// Its last hit.
    pub last: Option<Timestamp>,
    /// What to do.
    pub advice: Advice,
}

/// The record of every scored rule over the known mails, those with most hits first.
pub fn stats(set: &RuleSet, known: &[Known<'_>], now: Timestamp) -> Vec<Record> {
    let mut sizes: BTreeMap<Category, usize> = BTreeMap::new();
    let mut hits: BTreeMap<&str, Vec<&Known<'_>>> = BTreeMap::new();
    for mail in known {
        *sizes.entry(mail.category).or_default() += 1;
        for rule in &mail.rules {
            hits.entry(rule).or_default().push(mail);
        }
    }
    let scored = set.rules().iter().filter_map(|rule| Some((rule, rule.category?)));
    let mut records: Vec<Record> = scored
        .map(|(rule, category)| {
            let of = hits.get(rule.id.as_str()).map_or(&[][..], Vec::as_slice);
            let right = of.iter().filter(|mail| mail.category == category).count();
            let size = sizes.get(&category).copied().unwrap_or(0);
            let counts = Counts { right, wrong: of.len() - right, category: size, others: known.len() - size };
            let last = of.iter().map(|mail| mail.at).max();
            Record {
                rule: rule.id.clone(),
                hits: of.len(),
                right,
                wrong: counts.wrong,
                share: counts.share(),
                declared: rule.weight,
                measured: counts.weight(),
                last,
                advice: counts.advice(rule.weight, last, now),
            }
        })
        .collect();
    records.sort_by(|a, b| b.hits.cmp(&a.hits).then_with(|| a.rule.cmp(&b.rule)));
    records
}

struct Counts {
    right: usize,
    wrong: usize,
    /// Mails of the rule's category, and of all others.
    category: usize,
    others: usize,
}

impl Counts {
    fn share(&self) -> Option<f64> {
        let right = self.right as f64 / self.category.max(1) as f64;
        let wrong = self.wrong as f64 / self.others.max(1) as f64;
        (self.right + self.wrong > 0).then(|| right / (right + wrong))
    }

    /// `log2` of how much likelier the rule counts in its category than elsewhere, with half a mail added to each
    /// count, so that a rule that was never wrong is not infinitely sure (`rules.md` §3.7).
    fn weight(&self) -> Option<f64> {
        let in_category = (self.right as f64 + 0.5) / (self.category as f64 + 1.0);
        let elsewhere = (self.wrong as f64 + 0.5) / (self.others as f64 + 1.0);
        (self.right + self.wrong > 0 && self.category > 0 && self.others > 0).then(|| (in_category / elsewhere).log2())
    }

    fn advice(&self, declared: f64, last: Option<Timestamp>, now: Timestamp) -> Advice {
        let silent = last.is_none_or(|last| now.duration_since(last) > SILENT_AFTER);
        let unsure = declared >= STRONG_BITS && self.share().is_some_and(|share| share < RIGHT_SHARE_MIN);
        // Few mails cannot show a high weight: only too low a one is an error.
        let off = self.right + self.wrong >= MEASURED_HITS_MIN
            && self.weight().is_some_and(|measured| declared - measured > WEIGHT_ERROR_MAX);
        if self.wrong >= RETIRE_HITS_MIN && self.wrong >= self.right {
            Advice::Retire
        } else if unsure || off {
            Advice::Tune
        } else if silent {
            Advice::Silent
        } else {
            Advice::Keep
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_follows_from_the_counts() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let recent = Some(now - SignedDuration::from_hours(24));
        let long_ago = Some(now - SILENT_AFTER * 2);
        for (right, wrong, declared, last, expected) in [
            (40, 0, 7.0, recent, Advice::Keep),
            (3, 6, 7.0, recent, Advice::Retire),
            (40, 8, 7.0, recent, Advice::Tune),
            (40, 8, 1.5, recent, Advice::Keep),
            (40, 30, 3.0, recent, Advice::Tune),
            (2, 0, 7.0, long_ago, Advice::Silent),
            (0, 0, 7.0, None, Advice::Silent),
        ] {
            let counts = Counts { right, wrong, category: 60, others: 60 };
            assert_eq!(counts.advice(declared, last, now), expected, "{right} right, {wrong} wrong, {declared} bits");
        }
        let counts = Counts { right: 10, wrong: 0, category: 10, others: 30 };
        // (10.5 / 11) / (0.5 / 31) is about 59.
        assert!((counts.weight().unwrap() - 5.887).abs() < 0.01, "{:?}", counts.weight());
    }
}
