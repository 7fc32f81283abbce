//! What is likely not meant in rules that load: phrases that can never match, that another one makes needless, that
//! are tried in nearly every sentence, and rules that say opposite things of one sentence. Works on the compiled set;
//! must not judge whether a rule is wise.

use super::{
    Diagnostic, Layer, Scratch, Source, Texts,
    diagnostic::Problems,
    normal::normalise,
    pack::Pack,
    phrase::{Haystack, Phrase, samples},
    set::{Rule, RuleSet, Status},
};
use crate::{
    classify::{self, ANCHOR_BITS, Tried},
    outcome::Category,
};

/// Most texts made of one phrase to see what it finds; a phrase that stands for more is not compared with others.
const SAMPLES_MAX: usize = 96;
/// Share of the sentences of the examples of its language, in percent, from which on a phrase is tried too often.
const TRIED_PERCENT_MAX: usize = 45;
/// Sentences below which that share says nothing.
const SENTENCES_MIN: usize = 200;

/// Looks at the rules of one layer. The set must have been loaded from these sources.
pub fn lint(set: &RuleSet, sources: &[Source], layer: Layer) -> Vec<Diagnostic> {
    let mut problems = Problems::new(sources);
    let tried: Vec<_> =
        set.packs.iter().enumerate().map(|(number, pack)| tried(set, pack, &sentences(set, number))).collect();
    for (number, rule) in set.rules.iter().enumerate().filter(|(_, r)| r.layer == layer) {
        let phrases: Vec<(usize, &Phrase)> = set
            .packs
            .get(rule.pack)
            .into_iter()
            .flat_map(|pack| pack.phrases.iter().enumerate())
            .filter(|(_, (owner, _))| *owner == number)
            .map(|(at, (_, phrase))| (at, phrase))
            .collect();
        never_or_needless(set, rule, &phrases, &mut problems);
        let Some((sentences, tried)) = tried.get(rule.pack) else { continue };
        slow(rule, &phrases, tried, *sentences, &mut problems);
        contradictory(set, rule, &mut problems);
    }
    problems.into_sorted()
}

/// `R104`: no text that a phrase is meant to find is found by it. `R106`: another phrase of the rule finds all of it.
fn never_or_needless(set: &RuleSet, rule: &Rule, phrases: &[(usize, &Phrase)], problems: &mut Problems<'_>) {
    for (at, (place, (_, phrase))) in rule.written_at.iter().zip(phrases).enumerate() {
        if phrase.pattern().is_none() {
            continue;
        }
        let Ok(Some(texts)) = samples(&phrase.written, &set.lists, SAMPLES_MAX) else { continue };
        let texts: Vec<String> = texts.iter().map(|text| normalise(text).text).collect();
        // A hit never reaches over the end of a sentence.
        let ends = |text: &str| [". ", "! ", "? "].iter().any(|mark| text.contains(mark));
        if texts.iter().all(|text| ends(text) || !phrase.matches(text)) {
            let message = format!("phrase can never match: `{}`", phrase.written);
            let help = "a phrase stands in one sentence; write words and marks as they are in normalised text";
            problems.warn("R104", *place, message, Some(help.to_owned()));
            continue;
        }
        // What a narrower phrase captures is another name.
        if phrase.written.contains('<') {
            continue;
        }
        let wider = phrases
            .iter()
            .enumerate()
            .find(|(other, (_, wider))| *other != at && texts.iter().all(|text| wider.matches(text)));
        // Of two that find the same the later one is needless.
        if let Some((other, (_, wider))) = wider
            && (other < at || !same(set, wider, phrase))
        {
            let message = format!("phrase is not needed: `{}` finds all of it", wider.written);
            problems.warn("R106", *place, message, Some("remove it".to_owned()));
        }
    }
}

/// Whether everything that `a` is meant to find is found by `b`.
fn same(set: &RuleSet, a: &Phrase, b: &Phrase) -> bool {
    let texts = samples(&a.written, &set.lists, SAMPLES_MAX);
    texts.is_ok_and(|t| t.is_some_and(|texts| texts.iter().all(|text| b.matches(&normalise(text).text))))
}

/// The normalised examples of the rules of a pack: what mail about applications and its neighbours looks like in that
/// language.
fn sentences(set: &RuleSet, pack: usize) -> Vec<String> {
    let examples = |rule: &Rule| -> Vec<String> {
        let e = &rule.examples;
        e.matches.iter().chain(&e.no_matches).map(|e| normalise(&e.text).text).collect()
    };
    set.rules.iter().filter(|rule| rule.pack == pack).flat_map(examples).collect()
}

/// The number of sentences, and for each phrase in how many of them it had to be searched for and was not there.
fn tried(set: &RuleSet, pack: &Pack, sentences: &[String]) -> (usize, Vec<usize>) {
    let all = set.index(pack).candidates(&Texts::new(sentences.iter().map(String::as_str)), &mut Scratch::default());
    let mut tried = vec![0; pack.phrases.len()];
    for (number, sentence) in sentences.iter().enumerate() {
        let text = Haystack::new(sentence);
        for at in all.of(number).among(pack.phrases.first().map(|(_, p)| p), pack.phrases.len()) {
            let misses = pack.phrases.get(at).is_some_and(|(_, phrase)| !phrase.stands_in(&text));
            if let Some(count) = tried.get_mut(at).filter(|_| misses) {
                *count += 1;
            }
        }
    }
    (sentences.len(), tried)
}

/// `R109`: a phrase of common words only has to be searched for in nearly every sentence.
fn slow(rule: &Rule, phrases: &[(usize, &Phrase)], tried: &[usize], sentences: usize, problems: &mut Problems<'_>) {
    if sentences < SENTENCES_MIN {
        return;
    }
    for (place, (number, phrase)) in rule.written_at.iter().zip(phrases) {
        let percent = tried.get(*number).map_or(0, |count| count * 100 / sentences);
        if percent >= TRIED_PERCENT_MAX {
            let message = format!("slow: searched for in vain in {percent} % of all sentences: `{}`", phrase.written);
            let help = "give it a word that is rarer, outside of `[…]` and `..`".to_owned();
            problems.warn("R109", *place, message, Some(help));
        }
    }
}

/// `R108`: a sentence that the rule is to find says another outcome as well, and the two are not told apart.
fn contradictory(set: &RuleSet, rule: &Rule, problems: &mut Problems<'_>) {
    let Some(category) = rule.category.filter(|_| rule.weight >= ANCHOR_BITS && rule.status == Status::Stable) else {
        return;
    };
    for example in &rule.examples.matches {
        let tried = classify::try_text(set, &example.text, &rule.language);
        let Some(other) = rival(set, rule, category, &tried) else { continue };
        let of = other.category.map_or("", |c| c.as_str());
        let message = format!("contradictory: `{}` takes this sentence for {of}", other.id);
        let help = format!("{}:{}; one of the two needs an `unless`", other.file, other.line);
        problems.warn("R108", example.at, message, Some(help));
    }
}

/// The rule that anchors an outcome over which that of `rule` does not have its lead, once all that speaks against
/// either is counted. Courtesies and steps may stand side by side; a final outcome stands alone.
fn rival<'s>(set: &'s RuleSet, rule: &Rule, category: Category, tried: &Tried) -> Option<&'s Rule> {
    let score = |of: Category| tried.scores.iter().find(|(c, _)| *c == of).map_or(0.0, |(_, bits)| *bits);
    let terminal = |of: Category| set.policy(of).terminal;
    tried.hits.iter().filter_map(|hit| set.rule(&hit.rule)).find(|other| {
        let Some(of) = other.category.filter(|of| *of != category) else { return false };
        let margin = set.policy(of).margin.max(set.policy(category).margin);
        let undecided = score(of) > 0.0 && score(category) - score(of) < margin;
        other.language == rule.language
            && other.weight >= ANCHOR_BITS
            && (terminal(of) || terminal(category))
            && (undecided || tried.conflict)
    })
}
