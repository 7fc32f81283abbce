//! Weighs the hits: families, openers, conflicts, and the decision to accept, to ask, or to leave the mail alone
//! (`rules.md` §3.7–3.9). Bits of log-odds add up; nothing else does.

use std::collections::{BTreeMap, HashMap};

use super::{Ask, Dropped, facts, judge::Raw, learned::Heard, sender::SenderFacts, sentence::Sentence};
use crate::{
    learn::{BAYES_BITS_MAX, Sway, TEMPLATE_BITS},
    message::Zone,
    outcome::Category,
    rules::{Conflict, Rule, RuleSet},
};

/// Bits a hit needs to anchor a final outcome.
pub const ANCHOR_BITS: f64 = 4.0;
/// Below this many bits nothing was said.
const SPOKEN_BITS: f64 = 1.0;
/// From this many bits on a mail is about an application.
pub const RELEVANCE_BITS: f64 = 2.0;
/// Relevance of a sender known to relay hiring mail.
const RELAY_RELEVANCE: f64 = 4.0;
/// Relevance of a mailbox whose name says that it hires.
const HIRING_RELEVANCE: f64 = 2.0;
/// Relevance of a link to a known applicant-tracking system.
const LINK_RELEVANCE: f64 = 2.0;
/// Taken from the relevance of a mail from a discussion list: there people write about work, not to an applicant.
const DISCUSSION_RELEVANCE: f64 = -3.0;
/// From how many sentences on a mail is so long that words of work occur by chance, and count half.
const LONG_SENTENCES: usize = 40;
/// From how many sentences on a mail is a newspaper, where they count a quarter.
const VERY_LONG_SENTENCES: usize = 100;
/// From this many bits on a mail of which nothing else is known is asked about.
const UNKNOWN_KIND_BITS: f64 = 3.0;
/// The same for a short mail: chance finds fewer words of work in it.
const UNKNOWN_KIND_SHORT_BITS: f64 = 2.0;
/// The same for a short letter to one person that greets them, where nothing speaks of another world: what such a no is
/// written in are everyday words, and one word of work among them is much.
const UNKNOWN_LETTER_BITS: f64 = 0.6;
/// Up to so many words of its own text a letter is short.
pub(crate) const LETTER_WORDS: usize = 60;
/// Up to so many sentences a mail is short.
pub(crate) const SHORT_SENTENCES: usize = 8;
/// Below this many bits even a plain outcome is no reason to ask: it is another world's outcome.
const OTHER_WORLD_BITS: f64 = 0.5;
/// How often one rule may add its relevance, for different words.
const RELEVANCE_WORDS_MAX: usize = 3;

/// The decision before facts are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub category: Category,
    pub asks: Vec<Ask>,
    pub score: f64,
    pub scores: Vec<(Category, f64)>,
    /// The scores without the second voice: those that decide.
    pub by_rules: Vec<(Category, f64)>,
}

/// What besides the hits bears on the decision.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Circumstances {
    pub relevance: Relevance,
    pub truncated: bool,
    pub no_text: bool,
    pub forwarded: bool,
    /// Whether the mail is short and all its own.
    pub short: bool,
    /// Whether it is besides a letter of few words that greets the reader and went to no list.
    pub letter: bool,
    pub unknown_language: bool,
}

/// Drops courtesy beside a real outcome: "thank you for applying" opens most rejections, and a receipt is no news
/// beside a final answer.
pub(crate) fn drop_openers(rules: &RuleSet, raws: &mut [Raw]) {
    let anchored: Vec<Category> = counted(rules, raws)
        .filter(|(_, r)| !r.opener && r.weight >= ANCHOR_BITS)
        .filter_map(|(_, r)| r.category)
        .collect();
    let closed = anchored.iter().any(|c| matches!(c, Category::Rejection | Category::Offer));
    for raw in raws.iter_mut().filter(|r| r.dropped.is_none()) {
        let Some(rule) = rules.rules.get(raw.rule) else { continue };
        let opener = rule.opener && anchored.iter().any(|c| Some(*c) != rule.category);
        let receipt = closed && rule.category == Some(Category::Acknowledgement);
        if opener || receipt {
            raw.dropped = Some(Dropped::Opener);
        }
    }
}

fn counted<'r>(rules: &'r RuleSet, raws: &'r [Raw]) -> impl Iterator<Item = (&'r Raw, &'r Rule)> {
    raws.iter().filter(|r| r.dropped.is_none()).filter_map(|r| Some((r, rules.rules.get(r.rule)?)))
}

/// The bits each counted rule adds, by rule index: within a family the weights count 1, ½, ¼, …
pub(crate) fn bits(rules: &RuleSet, raws: &[Raw]) -> HashMap<usize, f64> {
    let mut families: BTreeMap<(Category, &str), Vec<(usize, f64)>> = BTreeMap::new();
    for (raw, rule) in counted(rules, raws) {
        if let Some(category) = rule.category {
            families.entry((category, rule.family.as_str())).or_default().push((raw.rule, rule.weight));
        }
    }
    let mut out = HashMap::new();
    for mut members in families.into_values() {
        members.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        let mut share = 1.0;
        for (rule, weight) in members {
            out.insert(rule, weight * share);
            share /= 2.0;
        }
    }
    out
}

/// What besides words tells whether a mail is about an application.
pub(crate) struct Surroundings<'s> {
    pub sender: &'s SenderFacts,
    /// Whether a link leads to a known applicant-tracking system.
    pub ats_link: bool,
    /// Whether it came through a discussion list.
    pub discussion: bool,
    /// What the words were found in.
    pub sentences: &'s [Sentence],
    /// How many of them are of the sender's own text.
    pub own_sentences: usize,
    /// Language of that text, ISO 639-1.
    pub language: &'s str,
}

/// Evidence that a mail is about an application at all, in bits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Relevance {
    /// Of everything that was found.
    pub all: f64,
    /// Without words of other languages than the mail's: "test", "stage" or "chef" are words of work in some, and in a
    /// mail that says nothing else they are chance.
    pub own: f64,
    /// Of that what the text says without its subject: "driver needed" is said of a school trip too.
    pub text: f64,
}

impl Relevance {
    fn of_all(bits: f64) -> Relevance {
        Relevance { all: bits, own: bits, text: bits }
    }
}

impl std::ops::AddAssign<f64> for Relevance {
    fn add_assign(&mut self, bits: f64) {
        self.all += bits;
        self.own += bits;
        self.text += bits;
    }
}

/// Evidence that the mail is about an application at all.
pub(crate) fn relevance(rules: &RuleSet, raws: &[Raw], words: &[String], of: &Surroundings<'_>) -> Relevance {
    let mut out = Relevance::of_all(match of.sender {
        sender if sender.relays_hiring() => RELAY_RELEVANCE,
        sender if sender.hires => HIRING_RELEVANCE,
        _ => 0.0,
    });
    if of.ats_link {
        out += LINK_RELEVANCE;
    }
    if of.discussion && !of.sender.relays_hiring() {
        out += DISCUSSION_RELEVANCE;
    }
    let share = match of.own_sentences {
        n if n >= VERY_LONG_SENTENCES => 0.25,
        n if n >= LONG_SENTENCES => 0.5,
        _ => 1.0,
    };
    let mut seen: HashMap<usize, Vec<&str>> = HashMap::new();
    for (raw, word) in raws.iter().zip(words) {
        let counts = matches!(raw.dropped, None | Some(Dropped::Repeated | Dropped::Opener));
        let Some(rule) = rules.rules.get(raw.rule) else { continue };
        let list = seen.entry(raw.rule).or_default();
        if counts && list.len() < RELEVANCE_WORDS_MAX && !list.contains(&word.as_str()) {
            list.push(word);
            let bits = rule.relevance * share;
            out.all += bits;
            // Mail of every language speaks of work in English here and there.
            if [of.language, "en", facts::UNKNOWN_LANGUAGE].contains(&rule.language.as_str()) {
                out.own += bits;
                let sentence = raw.sentence.and_then(|i| of.sentences.get(i));
                out.text += if sentence.is_some_and(|s| s.zone == Zone::Subject) { 0.0 } else { bits };
            }
        }
    }
    out
}

/// What a repeated text adds to that: the person said themselves what kind of job mail it is.
pub(crate) fn relevance_learned(heard: &Heard<'_>) -> f64 {
    if heard.repeats().is_some_and(|category| category != Category::Unrelated) { RELEVANCE_BITS } else { 0.0 }
}

/// Decides. The second voice is shown in the scores, but it neither chooses nor accepts: it only objects, and where
/// the rules are silent it makes the guess that the person is asked about.
pub(crate) fn decide(
    rules: &RuleSet,
    raws: &[Raw],
    bits: &HashMap<usize, f64>,
    heard: &Heard<'_>,
    on: Circumstances,
) -> Decision {
    let (by_rules, mut asks) = weigh(rules, raws, bits, heard);
    let (category, score) = by_rules.first().copied().unwrap_or((Category::Unrelated, 0.0));
    let second = by_rules.get(1).map_or(0.0, |s| s.1.max(0.0));
    let about_job = on.relevance.all >= RELEVANCE_BITS;
    let policy = rules.policy(category);
    if score < SPOKEN_BITS || (score < policy.accept && !about_job) {
        return silent(rules, by_rules, score, heard, on);
    }
    let personal = !matches!(category, Category::Unrelated | Category::JobAlert | Category::Outreach);
    let gated = personal && rules.rules.iter().any(|r| r.relevance > 0.0);
    if gated && on.relevance.all < OTHER_WORLD_BITS {
        return silent(rules, by_rules, score, heard, on);
    }
    if policy.terminal && !anchors(rules, raws, heard).contains(&category) {
        asks.push(Ask::NoAnchor);
    }
    if score < policy.accept {
        asks.push(Ask::LowScore);
    }
    if score - second < policy.margin {
        asks.push(Ask::NarrowMargin);
    }
    if gated && !about_job {
        asks.push(Ask::NotJobMail);
    }
    if on.truncated && policy.terminal {
        asks.push(Ask::Truncated);
    }
    if on.forwarded && category != Category::Unrelated {
        asks.push(Ask::Forwarded);
    }
    let objects = heard.of(category).is_some_and(|opinion| opinion.sway == Sway::Against);
    let near = (policy.accept..policy.accept + BAYES_BITS_MAX).contains(&score);
    if objects && near && heard.repeats() != Some(category) {
        asks.push(Ask::BayesDisagrees);
    }
    let scores = with_second_voice(&by_rules, heard);
    let score = scores.iter().find(|(of, _)| *of == category).map_or(score, |(_, bits)| *bits);
    Decision { category, asks, score, scores, by_rules }
}

/// The categories with a hit that can carry a final outcome: of a rule, or the text of a labelled mail.
fn anchors(rules: &RuleSet, raws: &[Raw], heard: &Heard<'_>) -> Vec<Category> {
    let of_rules = counted(rules, raws).filter(|(_, r)| r.weight >= ANCHOR_BITS).filter_map(|(_, r)| r.category);
    of_rules.chain(heard.repeats()).collect()
}

/// The scores of the rules alone, best first, and whether outcomes that exclude each other are both anchored.
pub(crate) fn scores(rules: &RuleSet, raws: &[Raw]) -> (Vec<(Category, f64)>, bool) {
    let nothing = Heard { template: None, opinions: Vec::new() };
    let (scores, asks) = weigh(rules, raws, &bits(rules, raws), &nothing);
    (scores, asks.contains(&Ask::Conflict))
}

/// The scores of the rules and of a repeated text, best first, and what stands against deciding by them.
fn weigh(
    rules: &RuleSet,
    raws: &[Raw],
    bits: &HashMap<usize, f64>,
    heard: &Heard<'_>,
) -> (Vec<(Category, f64)>, Vec<Ask>) {
    let mut sums: BTreeMap<Category, f64> = BTreeMap::new();
    for (raw, rule) in counted(rules, raws) {
        if let Some(category) = rule.category {
            *sums.entry(category).or_default() += bits.get(&raw.rule).copied().unwrap_or(0.0);
        }
    }
    if let Some(category) = heard.repeats() {
        *sums.entry(category).or_default() += TEMPLATE_BITS;
    }
    let anchors = anchors(rules, raws, heard);
    let mut asks = Vec::new();
    for conflict in &rules.conflicts {
        settle(conflict, raws, &anchors, &mut sums, &mut asks);
    }
    (ranked(sums), asks)
}

/// The scores that are not nothing, best first.
fn ranked(sums: BTreeMap<Category, f64>) -> Vec<(Category, f64)> {
    let mut scores: Vec<(Category, f64)> = sums.into_iter().filter(|(_, bits)| *bits != 0.0).collect();
    scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scores
}

/// The scores with what the second voice adds: for anything, and against what has a score.
fn with_second_voice(scores: &[(Category, f64)], heard: &Heard<'_>) -> Vec<(Category, f64)> {
    let mut sums: BTreeMap<Category, f64> = scores.iter().copied().collect();
    for opinion in &heard.opinions {
        let scored = sums.get(&opinion.category).is_some_and(|bits| *bits > 0.0);
        if opinion.sway == Sway::For || (opinion.sway == Sway::Against && scored) {
            *sums.entry(opinion.category).or_default() += opinion.bits;
        }
    }
    ranked(sums)
}

/// Nothing worth a category was said: leave the mail alone, or ask where it looks like job mail all the same.
fn silent(
    rules: &RuleSet,
    by_rules: Vec<(Category, f64)>,
    score: f64,
    heard: &Heard<'_>,
    on: Circumstances,
) -> Decision {
    let scores = with_second_voice(&by_rules, heard);
    let unrelated =
        |scores, by_rules| Decision { category: Category::Unrelated, asks: Vec::new(), score: 0.0, scores, by_rules };
    let other_world = by_rules.iter().any(|(category, bits)| *category == Category::Unrelated && *bits > 0.0);
    let letter = on.letter && !other_world && on.relevance.text >= UNKNOWN_LETTER_BITS;
    if on.relevance.all < RELEVANCE_BITS && !letter {
        return unrelated(scores, by_rules);
    }
    let ask = match on {
        _ if on.no_text => Ask::NoText,
        _ if on.unknown_language => Ask::UnknownLanguage,
        _ => Ask::UnknownKind,
    };
    let best = scores.first().filter(|s| s.1 > 0.0).map_or(Category::OtherJob, |s| s.0);
    let low = score >= SPOKEN_BITS && score < rules.policy(best).accept;
    let enough = if on.short { UNKNOWN_KIND_SHORT_BITS } else { UNKNOWN_KIND_BITS };
    if ask == Ask::UnknownKind && !low && on.relevance.own < enough && !letter {
        return unrelated(scores, by_rules);
    }
    let asks = vec![if low { Ask::LowScore } else { ask }];
    let score = scores.first().map_or(score, |s| s.1.max(score));
    Decision { category: best, asks, score, scores, by_rules }
}

/// Two outcomes that exclude each other, both anchored.
fn settle(
    conflict: &Conflict,
    raws: &[Raw],
    anchors: &[Category],
    sums: &mut BTreeMap<Category, f64>,
    asks: &mut Vec<Ask>,
) {
    let (first, second) = conflict.between;
    if !anchors.contains(&first) || !anchors.contains(&second) {
        return;
    }
    let explained = raws.iter().any(|r| r.dropped.is_none() && conflict.unless_rules.contains(&r.rule));
    if explained {
        sums.remove(&second);
        return;
    }
    match conflict.then {
        Some(winner) => {
            sums.remove(if winner == first { &second } else { &first });
        }
        None => asks.push(Ask::Conflict),
    }
}
