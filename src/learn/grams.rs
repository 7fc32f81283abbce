//! Runs of words that a rule or an exception may look for, and how well each tells one category from the others.

use std::collections::HashMap;

use super::text::{self, Line, Masks, Token, tokens};
use crate::{
    classify::{Sentence, is_function_word},
    message::Zone,
    outcome::Category,
    rules::{RuleSet, normal::normalise},
};

/// Words of a phrase in a proposed rule.
pub(super) const RULE_WORDS: (usize, usize) = (3, 8);
/// Characters of a phrase in scripts without spaces.
pub(super) const RULE_CHARACTERS: (usize, usize) = (4, 14);
/// Words of a phrase in a proposed exception.
pub(super) const EXCEPTION_WORDS: (usize, usize) = (1, 5);
/// Fewest words of a rule's phrase that are no function words.
const CONTENT_WORDS_MIN: usize = 2;
/// Length of a rule's phrase that is preferred: shorter ones are too common, longer ones never come again.
const WORDS_PREFERRED: f64 = 5.0;
/// What each word more or less than that costs, in bits.
const WORD_COST: f64 = 0.2;

/// A run of words in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gram {
    /// As it is compared: masked words between spaces.
    pub key: String,
    /// As it is written into a rule.
    pub phrase: String,
    /// Number of words and marks.
    pub words: usize,
    /// Its words that are no function words.
    pub content: Vec<String>,
    /// Whether it begins and ends with such words.
    pub framed: bool,
    /// Its byte range in the normalised sentence.
    pub span: (usize, usize),
}

/// The words of a sentence.
pub(super) fn masked(sentence: &Sentence, masks: &Masks) -> Vec<Token> {
    tokens(line(sentence), masks)
}

/// A sentence for the masker.
pub(super) fn line(sentence: &Sentence) -> Line<'_> {
    Line { zone: sentence.zone, text: &sentence.text, normal: &sentence.normal }
}

/// All runs of `lengths` words that begin and end with a word; `marks` may stand inside.
pub(super) fn grams(tokens: &[Token], lengths: (usize, usize), marks: usize) -> Vec<Gram> {
    let mut out = Vec::new();
    for start in 0..tokens.len() {
        for length in lengths.0..=lengths.1 {
            let Some(run) = tokens.get(start..start + length) else { break };
            let broken = run.iter().skip(1).any(|token| token.after_break);
            let hidden = run.iter().filter(|token| token.masked).count();
            let framed = [run.first(), run.last()].into_iter().flatten().all(|token| !token.masked);
            if !broken && framed && hidden <= marks {
                out.extend(gram(run));
            }
        }
    }
    out
}

fn gram(run: &[Token]) -> Option<Gram> {
    let open = |token: &Token| token.text.chars().all(text::is_spaceless);
    let mut phrase = String::new();
    let mut glued = true;
    for token in run {
        // Characters of a script without spaces are written side by side.
        if !(phrase.is_empty() || glued && open(token)) {
            phrase.push(' ');
        }
        glued = open(token);
        phrase.push_str(if token.masked { "..6" } else { &token.text });
    }
    let is_content = |token: &&Token| !token.masked && is_content(&token.text);
    let framed = [run.first(), run.last()].iter().flatten().all(is_content);
    let content = run.iter().filter(is_content);
    Some(Gram {
        key: key(run),
        words: run.len(),
        framed,
        content: content.map(|token| token.text.clone()).collect(),
        span: (run.first()?.span.0, run.last()?.span.1),
        phrase,
    })
}

/// Whether a word says something by itself.
pub(super) fn is_content(word: &str) -> bool {
    let long = word.chars().count() > 2 || word.chars().any(text::is_spaceless);
    long && !is_function_word(word)
}

/// Words between spaces, with one at each end, so that a run of words is a run of characters.
fn key(tokens: &[Token]) -> String {
    let mut out = String::from(" ");
    for token in tokens {
        out.push_str(&token.text);
        out.push(' ');
    }
    out
}

/// Texts that are known to be of a category, or not.
#[derive(Default)]
pub(super) struct Background {
    texts_for: Vec<String>,
    texts_against: Vec<String>,
    words: HashMap<String, (u32, u32)>,
}

impl Background {
    /// The examples that the rules carry.
    pub fn of_examples(rules: &RuleSet, category: Category) -> Background {
        let mut out = Background::default();
        for rule in rules.rules() {
            let (matches, no_matches) = rule.example_texts();
            let of = rule.category == Some(category);
            matches.iter().filter(|_| rule.category.is_some()).for_each(|text| out.add_text(text, of));
            no_matches.iter().filter(|_| of).for_each(|text| out.add_text(text, false));
        }
        out
    }

    fn add_text(&mut self, text: &str, of: bool) {
        let normal = normalise(text);
        self.add(&tokens(Line { zone: Zone::Lead, text, normal: &normal }, &Masks::new([], "")), of);
    }

    /// Adds the words of one sentence.
    pub fn add(&mut self, tokens: &[Token], of: bool) {
        if of {
            self.texts_for.push(key(tokens))
        } else {
            self.texts_against.push(key(tokens))
        }
        for token in tokens.iter().filter(|token| !token.masked) {
            let counts = self.words.entry(token.text.clone()).or_default();
            if of { counts.0 += 1 } else { counts.1 += 1 }
        }
    }

    /// How often a run of words stands in texts of the category, and in others.
    pub fn counts(&self, gram: &Gram) -> (usize, usize) {
        let among = |texts: &[String]| texts.iter().filter(|text| text.contains(gram.key.as_str())).count();
        (among(&self.texts_for), among(&self.texts_against))
    }

    /// How well a run of words speaks for the category, in bits; `None` where it stands in a text of another one, or
    /// begins or ends with a word that any sentence has.
    pub fn rank(&self, gram: &Gram) -> Option<f64> {
        let (of, against) = self.counts(gram);
        if against > 0 || gram.content.len() < CONTENT_WORDS_MIN || !gram.framed {
            return None;
        }
        let (all, others) = (self.texts_for.len() as f64, self.texts_against.len() as f64);
        let odds =
            |of: f64, against: f64| ((of + 0.5) / (all + 1.0)).log2() - ((against + 0.5) / (others + 1.0)).log2();
        let count = |word: &String| self.words.get(word).copied().unwrap_or((0, 0));
        let words = gram.content.iter().map(count).map(|(of, against)| odds(f64::from(of), f64::from(against)));
        let average = words.sum::<f64>() / gram.content.len() as f64;
        let length = (gram.words as f64 - WORDS_PREFERRED).abs() * WORD_COST;
        Some(odds(of as f64, 0.0) + average - length)
    }
}
