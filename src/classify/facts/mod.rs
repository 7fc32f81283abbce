//! What a message states besides its category: stage, reason, names, addresses, dates. Every value comes with where
//! it was read; a value nobody stated stays empty.

mod language;

pub(crate) use language::{UNKNOWN as UNKNOWN_LANGUAGE, main_language as language};

use super::{Facts, judge::Raw, sender::SenderFacts, sentence::Sentence};
use crate::{
    message::Message,
    outcome::{Category, Reason, Stage},
    rules::{Rule, RuleSet},
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
    /// The rules that counted, courtesy included: a fact is a fact.
    fn counted(&self) -> impl Iterator<Item = (&'r Raw, &'r Rule)> {
        use super::Dropped;
        let counts = |r: &&Raw| matches!(r.dropped, None | Some(Dropped::Repeated | Dropped::Opener));
        let rules = self.rules;
        self.raws.iter().filter(counts).filter_map(|r| Some((r, rules.rules.get(r.rule)?)))
    }
}

/// Reads all facts.
pub(crate) fn read(r: &Reading<'_>) -> Facts {
    let set = |pick: fn(&crate::rules::Settings) -> bool| r.counted().any(|(_, rule)| pick(&rule.set));
    let rejection = r.category == Category::Rejection;
    Facts {
        stage: if rejection { stage(r) } else { Stage::Unknown },
        reason: if rejection { reason(r) } else { Reason::None },
        employer: None,
        role: None,
        requisition_id: None,
        contact: None,
        signed_by: None,
        ats: (r.sender.kind.as_deref() == Some("ats")).then(|| r.sender.brand.clone()).flatten(),
        agency: r.sender.kind.as_deref() == Some("agency") || set(|s| s.agency),
        noreply: r.sender.noreply || set(|s| s.noreply),
        no_feedback: set(|s| s.no_feedback),
        offers_feedback: set(|s| s.offers_feedback),
        retracts: set(|s| s.retracts),
        language: r.language.clone(),
        applicants: None,
        dates: Vec::new(),
    }
}

/// The furthest stage that is stated.
fn stage(r: &Reading<'_>) -> Stage {
    let depth = |s: &Stage| match s {
        Stage::Unknown => 0,
        Stage::AfterApplication => 1,
        Stage::AfterAssessment => 2,
        Stage::AfterInterview => 3,
        Stage::AfterFinal => 4,
    };
    r.counted().filter_map(|(_, rule)| rule.set.stage).max_by_key(depth).unwrap_or(Stage::Unknown)
}

/// The reason with the heaviest rule; of equals the one stated first.
fn reason(r: &Reading<'_>) -> Reason {
    let mut best: Option<(f64, Reason)> = None;
    for (_, rule) in r.counted() {
        if let Some(reason) = rule.set.reason
            && reason != Reason::None
            && best.is_none_or(|(weight, _)| rule.weight > weight)
        {
            best = Some((rule.weight, reason));
        }
    }
    best.map_or(Reason::None, |(_, reason)| reason)
}
