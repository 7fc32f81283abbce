//! What a message states besides its category: stage, reason, names, addresses, dates. Every value comes with where
//! it was read; a value nobody stated stays empty.

mod employer;
mod language;
mod names;
mod people;
mod role;
mod role_name;
mod spaceless;
mod spaceless_role;
mod trade;
mod words;

pub(crate) use language::{Languages, UNKNOWN_LANGUAGE, is_function_word, languages};
pub(crate) use words::NameWords;

use super::{Facts, judge::Raw, sender::SenderFacts, sentence::Sentence};
use crate::{
    message::{Message, Zone},
    outcome::{Category, Reason, Stage},
    rules::{Rule, RuleSet, phrase::Capture},
};

/// What facts are read from.
pub(crate) struct Reading<'r> {
    pub rules: &'r RuleSet,
    pub message: &'r Message,
    pub sentences: &'r [Sentence],
    pub raws: &'r [Raw],
    pub sender: &'r SenderFacts,
    pub category: Category,
    pub language: String,
}

impl<'r> Reading<'r> {
    /// The lists by which names are read.
    fn words(&self) -> &'r NameWords {
        NameWords::of(self.rules)
    }

    /// The rules that counted, courtesy included: a fact is a fact.
    fn counted(&self) -> impl Iterator<Item = (&'r Raw, &'r Rule)> {
        use super::Dropped;
        let counts =
            |r: &&Raw| matches!(r.dropped, None | Some(Dropped::Repeated | Dropped::Opener | Dropped::Overruled));
        let rules = self.rules;
        self.raws.iter().filter(counts).filter_map(|r| Some((r, rules.rules.get(r.rule)?)))
    }

    /// What a hit captured, in the original spelling, with its zone.
    fn captured(&self, raw: &'r Raw, wanted: Capture) -> impl Iterator<Item = (Capture, String, Zone)> {
        let sentence = raw.sentence.and_then(|i| self.sentences.get(i));
        raw.captures.iter().filter(move |(kind, _)| *kind == wanted).filter_map(move |(kind, (start, end))| {
            let sentence = sentence?;
            let (start, end) = sentence.normal.original(*start, *end);
            Some((*kind, sentence.text.get(start..end)?.to_owned(), sentence.zone))
        })
    }
}

/// The names that a mail states.
pub(crate) struct Names {
    /// The human who signed.
    pub signed_by: Option<String>,
    /// Employer, role, number of the vacancy.
    pub of_things: Vec<String>,
}

/// Reads the names alone: what the learner must not learn.
pub(crate) fn names(r: &Reading<'_>) -> Names {
    let employer = employer::read(r);
    let named = employer.as_ref().map(|e| e.value.as_str());
    let role = role::read(r, named);
    let signed_by = people::signed_by(r, named).map(|fact| fact.value);
    let things = [role, role::reference(r), employer].into_iter().flatten();
    Names { signed_by, of_things: things.map(|fact| fact.value).collect() }
}

/// Reads all facts.
pub(crate) fn read(r: &Reading<'_>) -> Facts {
    let set = |pick: fn(&crate::rules::Settings) -> bool| r.counted().any(|(_, rule)| pick(&rule.set));
    let rejection = r.category == Category::Rejection;
    let employer = employer::read(r);
    let named = employer.as_ref().map(|e| e.value.as_str());
    let noreply = r.sender.noreply || set(|s| s.noreply);
    let stated = stage(r);
    Facts {
        // A no that speaks of no step taken answers the application, as far as the mail alone can tell.
        stage: if rejection { stated.unwrap_or(Stage::AfterApplication) } else { Stage::Unknown },
        stage_assumed: rejection && stated.is_none(),
        reason: if rejection { reason(r) } else { Reason::None },
        role: role::read(r, named),
        requisition_id: role::reference(r),
        contact: people::contact(r, noreply),
        signed_by: people::signed_by(r, named),
        employer,
        ats: (r.sender.kind.as_deref() == Some("ats")).then(|| r.sender.brand.clone()).flatten(),
        agency: r.sender.kind.as_deref() == Some("agency") || set(|s| s.agency),
        noreply,
        no_feedback: set(|s| s.no_feedback),
        offers_feedback: set(|s| s.offers_feedback),
        retracts: set(|s| s.retracts),
        language: r.language.clone(),
        applicants: people::applicants(r),
        dates: people::dates(r),
        appointments: people::appointments(r),
    }
}

/// The stage with the heaviest rule: a final round outranks a first conversation because its rule says so.
fn stage(r: &Reading<'_>) -> Option<Stage> {
    let mut best: Option<(f64, Stage)> = None;
    for (_, rule) in r.counted() {
        if let Some(stage) = rule.set.stage
            && best.is_none_or(|(weight, _)| rule.weight > weight)
        {
            best = Some((rule.weight, stage));
        }
    }
    best.map(|(_, stage)| stage)
}

/// The most specific reason stated; of equals the one with the heavier rule, then the one stated first.
fn reason(r: &Reading<'_>) -> Reason {
    let mut best: Option<(u8, f64, Reason)> = None;
    for (_, rule) in r.counted() {
        if let Some(reason) = rule.set.reason
            && reason != Reason::None
            && best.is_none_or(|(rank, weight, _)| (specific(reason), rule.weight) > (rank, weight))
        {
            best = Some((specific(reason), rule.weight, reason));
        }
    }
    best.map_or(Reason::None, |(_, _, reason)| reason)
}

/// How much a reason says: that many applied stands in most letters beside the real one.
fn specific(reason: Reason) -> u8 {
    match reason {
        Reason::InternalHire => 5,
        Reason::LocationVisa | Reason::Salary => 4,
        Reason::Experience | Reason::SkillsGap | Reason::CultureFit | Reason::OtherCandidate => 3,
        Reason::PositionClosed => 2,
        Reason::Volume | Reason::None => 0,
    }
}
