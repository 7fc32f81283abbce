//! Proposes the smallest exception to a rule: words of the sentences in which it was wrong that none of those has in
//! which it was right. Verified like every proposal.

use super::{
    fragment,
    grams::{self, Gram},
    propose::{Asked, Labelled, NoProposal, PROPOSALS_TRIED_MAX, Proposal},
    text::{Line, Masks, tokens, without_names},
};
use crate::{
    classify::{Hit, Wording, classify, wording},
    message::{Message, Zone},
    rules::{RuleSet, normal::normalise},
};

/// Most phrases of one exception.
pub const EXCEPTION_PHRASES_MAX: usize = 3;

/// Proposes an exception to `rule`, which is wrong in the mails `wrong` and right in the mails `right`.
pub fn tune(
    asked: &Asked<'_>,
    rule: &str,
    wrong: &[Labelled<'_>],
    right: &[Labelled<'_>],
) -> Result<Proposal, NoProposal> {
    let toml = exception(asked, rule, wrong, right)?;
    let (sources, rules) = asked.with(&toml)?;
    Ok(Proposal { toml, sources, rules, ids: vec![rule.to_owned()], mails: wrong.len() })
}

/// A mail in which the rule is wrong.
struct Case {
    /// For each reach the words that an exception may look for.
    grams: [Vec<Gram>; 2],
    /// The sentence of the hit without names.
    example: String,
}

/// How far an exception looks: first the sentence, then the message.
const SCOPES: [&str; 2] = ["sentence", "message"];

/// The exception as text.
pub(super) fn exception(
    asked: &Asked<'_>,
    rule: &str,
    wrong: &[Labelled<'_>],
    right: &[Labelled<'_>],
) -> Result<String, NoProposal> {
    let known = asked.rules.rule(rule).ok_or_else(|| NoProposal::NoRule(rule.to_owned()))?;
    let cases: Vec<Case> = wrong.iter().map(|mail| case(asked.rules, rule, *mail)).collect::<Result<_, _>>()?;
    // Who labels a mail with the rule's category says that the rule was right there.
    let of_category = asked.labelled.iter().filter(|mail| Some(mail.label) == known.category);
    let right: Vec<Labelled<'_>> = right.iter().chain(of_category).copied().collect();
    let right: Vec<Labelled<'_>> = right.into_iter().filter(|m| hit(asked.rules, rule, m.message).is_some()).collect();
    let needed = needed_words(asked.rules, rule, &right);
    let common = examples_of_category(asked.rules, rule);
    let names: Vec<&str> = wrong.iter().map(|mail| mail.name).collect();
    let reason = format!("wrong in {} ({})", names.join(", "), asked.today.strftime("%-d %b %Y"));
    for (reach, scope) in SCOPES.into_iter().enumerate() {
        let mut banned: Vec<String> = Vec::new();
        for _ in 0..PROPOSALS_TRIED_MAX {
            let Some(phrases) = cover(&cases, reach, &needed, &common, &banned) else { break };
            // In a test the sentence stands alone.
            let examples: Vec<String> = cases.iter().filter(|_| reach == 0).map(|case| case.example.clone()).collect();
            let toml = fragment::exception(rule, &reason, &phrases, scope, &examples);
            if holds(asked, rule, &toml, wrong, &right) {
                return Ok(toml);
            }
            banned.extend(phrases);
        }
    }
    Err(NoProposal::NoException(rule.to_owned()))
}

/// The counted hit of a rule in a mail.
fn hit(rules: &RuleSet, rule: &str, message: &Message) -> Option<Hit> {
    let hits = classify(rules, message).hits.into_iter();
    hits.filter(|hit| hit.rule == rule && hit.dropped.is_none()).find(|hit| !hit.sentence.is_empty())
}

fn case(rules: &RuleSet, rule: &str, mail: Labelled<'_>) -> Result<Case, NoProposal> {
    let none = || NoProposal::NoHit { rule: rule.to_owned(), mail: mail.name.to_owned() };
    let hit = hit(rules, rule, mail.message).ok_or_else(none)?;
    let Wording { sentences, masks, .. } = wording(rules, mail.message);
    let (mut inside, mut around, mut example) = (Vec::new(), Vec::new(), String::new());
    for sentence in sentences.iter().filter(|s| matches!(s.zone, Zone::Subject | Zone::Lead | Zone::Body)) {
        let words = grams::masked(sentence, &masks);
        let grams = grams::grams(&words, grams::EXCEPTION_WORDS, 0);
        if sentence.text == hit.sentence && sentence.zone == hit.zone {
            inside.extend(grams.iter().cloned());
            example = without_names(grams::line(sentence), &words);
        }
        around.extend(grams);
    }
    Ok(Case { grams: [inside, around], example })
}

/// Texts that no word of an exception may stand in: where the rule is right, and its own examples.
fn needed_words(rules: &RuleSet, rule: &str, right: &[Labelled<'_>]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    if let Some(rule) = rules.rule(rule) {
        out.extend(rule.example_texts().0.into_iter().map(words_of));
    }
    for mail in right {
        let Wording { sentences, .. } = wording(rules, mail.message);
        out.extend(sentences.iter().map(|sentence| words_of(&sentence.text)));
    }
    out
}

/// The examples of all rules of the category: an exception should have none of their words.
fn examples_of_category(rules: &RuleSet, rule: &str) -> Vec<String> {
    let category = rules.rule(rule).and_then(|rule| rule.category);
    let same = rules.rules().iter().filter(|other| other.category == category);
    same.flat_map(|rule| rule.example_texts().0).map(words_of).collect()
}

/// A text as it is compared: nothing masked, as an exception finds words wherever they stand.
fn words_of(text: &str) -> String {
    let normal = normalise(text);
    let line = Line { zone: Zone::Lead, text, normal: &normal };
    let words = tokens(line, &Masks::new([], "de"));
    words.iter().fold(String::from(" "), |all, word| all + &word.text + " ")
}

/// The fewest phrases that each case has one of; best ones first: those that stand in most cases, in few sentences of
/// the category, and are short.
fn cover(cases: &[Case], reach: usize, needed: &[String], common: &[String], banned: &[String]) -> Option<Vec<String>> {
    let grams = |case: &'_ Case| case.grams.get(reach).cloned().unwrap_or_default();
    let stands = |gram: &Gram, texts: &[String]| texts.iter().filter(|text| text.contains(gram.key.as_str())).count();
    let mut open: Vec<Vec<Gram>> = cases.iter().map(grams).collect();
    let mut phrases = Vec::new();
    while !open.is_empty() {
        let covers = |gram: &Gram| open.iter().filter(|case| case.iter().any(|other| other.key == gram.key)).count();
        let usable = |gram: &&Gram| {
            gram.content.iter().any(|word| grams::is_content(word))
                && !banned.contains(&gram.phrase)
                && stands(gram, needed) == 0
        };
        let order = |gram: &&Gram| (std::cmp::Reverse(covers(gram)), stands(gram, common), gram.words, gram.span.0);
        let best = open.iter().flatten().filter(usable).min_by_key(order)?.clone();
        open.retain(|case| case.iter().all(|gram| gram.key != best.key));
        phrases.push(best.phrase);
        if phrases.len() > EXCEPTION_PHRASES_MAX {
            return None;
        }
    }
    Some(phrases)
}

/// Loads the rules with the exception and tries it.
fn holds(asked: &Asked<'_>, rule: &str, toml: &str, wrong: &[Labelled<'_>], right: &[Labelled<'_>]) -> bool {
    let Ok((_, set)) = asked.with(toml) else { return false };
    wrong.iter().all(|mail| hit(&set, rule, mail.message).is_none())
        && right.iter().all(|mail| hit(&set, rule, mail.message).is_some())
        && asked.keeps_tests(&set)
}
