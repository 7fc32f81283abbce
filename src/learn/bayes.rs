//! The second voice: naive Bayes over the words of labelled mails, one category against all others, combined as
//! Robinson and SpamBayes do (Fisher's method), so that it says "for", "against" or "unsure". Its words are masked, and
//! it is silent until it has seen enough of both sides.

use std::collections::{BTreeMap, HashMap};

use super::text::{NAME, NUMBER};
use crate::{classify::is_function_word, outcome::Category};

/// Most bits the voice has for or against a category.
pub const BAYES_BITS_MAX: f64 = 3.0;
/// Labelled mails needed of a category, and of all others together, before it speaks of that category.
pub const TRAINING_MIN: u32 = 20;
/// Most different terms kept in mind; beyond that the rarest are left out.
pub const WORDS_MAX: usize = 60_000;
/// Terms that are combined, the most telling ones: more of them only repeat each other.
const TELLING_MAX: usize = 60;
/// A term whose probability is nearer to one half says nothing.
const TELLING_MIN: f64 = 0.1;
/// Weight of the belief that an unknown term says nothing, in mails (Robinson's s).
const BELIEF: f64 = 0.45;
/// From this combined probability on it is for, and below its complement against: 2 bits.
const SURE: f64 = 0.8;
/// Most words named in an opinion.
const NAMED_MAX: usize = 4;
/// Number of categories.
const CATEGORIES: usize = Category::ALL.len();

/// How often each term stood in mails of each category.
#[derive(Clone, Default, PartialEq)]
pub struct Bayes {
    mails: [u32; CATEGORIES],
    terms: HashMap<String, [u32; CATEGORIES]>,
}

impl std::fmt::Debug for Bayes {
    /// Counts only: the words are those of mails.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bayes").field("mails", &self.mails).field("terms", &self.terms.len()).finish()
    }
}

/// On which side the voice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sway {
    /// For the category.
    For,
    /// It cannot tell.
    Unsure,
    /// Against it.
    Against,
}

/// What the voice says of one category.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// The category.
    pub category: Category,
    /// The side.
    pub sway: Sway,
    /// Bits, at most [`BAYES_BITS_MAX`] either way; 0 when unsure.
    pub bits: f64,
    /// The terms that say so most, most telling first.
    pub words: Vec<String>,
}

impl Bayes {
    /// Counts labelled mails.
    pub(super) fn train<'t>(mails: impl Iterator<Item = (Category, &'t [String])>) -> Bayes {
        let mut out = Bayes::default();
        let mut counts: BTreeMap<&str, [u32; CATEGORIES]> = BTreeMap::new();
        for (label, terms) in mails {
            add(&mut out.mails, label);
            for term in terms {
                add(counts.entry(term).or_insert([0; CATEGORIES]), label);
            }
        }
        let mut counts: Vec<(&str, [u32; CATEGORIES])> = counts.into_iter().collect();
        // Stable: of equally rare terms the first of the alphabet stay, so that the same labels give the same state.
        counts.sort_by_key(|(_, by)| std::cmp::Reverse(by.iter().sum::<u32>()));
        out.terms = counts.into_iter().take(WORDS_MAX).map(|(term, by)| (term.to_owned(), by)).collect();
        out
    }

    /// Number of mails it has seen.
    pub fn mails(&self) -> u32 {
        self.mails.iter().sum()
    }

    /// Number of mails of a category it has seen.
    pub fn mails_of(&self, category: Category) -> u32 {
        self.mails.get(category as usize).copied().unwrap_or(0)
    }

    /// Whether it has seen enough to speak of a category.
    pub fn speaks_of(&self, category: Category) -> bool {
        let of = self.mails_of(category);
        of >= TRAINING_MIN && self.mails() - of >= TRAINING_MIN
    }

    /// What it says of each category that it knows enough of.
    pub fn opinions(&self, terms: &[String]) -> Vec<Opinion> {
        let counted: Vec<(&str, &[u32; CATEGORIES])> =
            terms.iter().filter_map(|term| Some((term.as_str(), self.terms.get(term)?))).collect();
        let known = Category::ALL.iter().filter(|category| self.speaks_of(**category));
        known.map(|category| self.opinion(*category, &counted)).collect()
    }

    fn opinion(&self, category: Category, counted: &[(&str, &[u32; CATEGORIES])]) -> Opinion {
        let mut telling: Vec<(&str, f64)> =
            counted.iter().map(|(term, counts)| (*term, self.probability(category, counts))).collect();
        telling.retain(|(_, p)| (p - 0.5).abs() >= TELLING_MIN);
        telling.sort_by(|a, b| (b.1 - 0.5).abs().total_cmp(&(a.1 - 0.5).abs()).then_with(|| a.0.cmp(b.0)));
        telling.truncate(TELLING_MAX);
        let combined = combined(&telling);
        let sway = match combined {
            p if p >= SURE => Sway::For,
            p if p <= 1.0 - SURE => Sway::Against,
            _ => Sway::Unsure,
        };
        let bits = match sway {
            Sway::Unsure => 0.0,
            // At the very ends the logarithm is infinite, and the clamp makes it the most it may be.
            _ => (combined / (1.0 - combined)).log2().clamp(-BAYES_BITS_MAX, BAYES_BITS_MAX),
        };
        let says = |p: f64| match sway {
            Sway::For => p > 0.5,
            Sway::Against => p < 0.5,
            Sway::Unsure => true,
        };
        let words = named(telling.iter().filter(|(_, p)| says(*p)).map(|(term, _)| *term));
        Opinion { category, sway, bits, words }
    }

    /// How likely a mail with a term so counted is of the category, with even odds beforehand.
    fn probability(&self, category: Category, counts: &[u32; CATEGORIES]) -> f64 {
        let of = f64::from(counts.get(category as usize).copied().unwrap_or(0));
        let all: f64 = counts.iter().map(|n| f64::from(*n)).sum();
        let mails = f64::from(self.mails_of(category));
        let others = f64::from(self.mails()) - mails;
        let (share, share_of_others) = (of / mails, (all - of) / others);
        let p = share / (share + share_of_others);
        (BELIEF * 0.5 + all * p) / (BELIEF + all)
    }
}

/// The terms to be named: those that say something to a reader, each with a word of its own.
fn named<'t>(terms: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for term in terms {
        let content: Vec<&str> = term.split(' ').filter(|word| !is_function_word(word) && !is_mark(word)).collect();
        if out.len() < NAMED_MAX && content.iter().any(|word| !seen.contains(word)) {
            seen.extend(content);
            out.push(term.to_owned());
        }
    }
    out
}

fn is_mark(word: &str) -> bool {
    word == NAME || word == NUMBER
}

fn add(counts: &mut [u32; CATEGORIES], of: Category) {
    if let Some(count) = counts.get_mut(of as usize) {
        *count += 1;
    }
}

/// Fisher's method both ways: 1 when all terms are for it, 0 when all are against, one half when they disagree.
fn combined(telling: &[(&str, f64)]) -> f64 {
    if telling.is_empty() {
        return 0.5;
    }
    let twice: f64 = telling.iter().map(|(_, p)| -2.0 * (1.0 - p).ln()).sum();
    let twice_not: f64 = telling.iter().map(|(_, p)| -2.0 * p.ln()).sum();
    let (of, not) = (1.0 - chi_squared(twice, telling.len()), 1.0 - chi_squared(twice_not, telling.len()));
    (of - not + 1.0) / 2.0
}

/// The probability of a chi-squared value at least so large, with `2 * half` degrees of freedom.
fn chi_squared(value: f64, half: usize) -> f64 {
    let m = value / 2.0;
    let mut term = (-m).exp();
    let mut sum = term;
    for i in 1..half {
        term *= m / i as f64;
        sum += term;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_sure_and_disagreement_is_not() {
        let both = |a: f64, b: f64| combined(&[("a", a), ("b", a), ("c", b), ("d", b)]);
        assert!(both(0.97, 0.97) > 0.99);
        assert!(both(0.03, 0.03) < 0.01);
        assert!((both(0.97, 0.03) - 0.5).abs() < 0.01);
        assert!((combined(&[]) - 0.5).abs() < f64::EPSILON);
        // From a table: 3.84 has 5 % with one degree of freedom, 5.99 with two, 18.31 with ten.
        assert!((chi_squared(5.991, 1) - 0.05).abs() < 1e-3 && (chi_squared(18.307, 5) - 0.05).abs() < 1e-3);
    }

    #[test]
    fn the_same_labels_give_the_same_state_in_any_number() {
        let terms = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (a, b, c) = (terms("alpha beta"), terms("beta gamma"), terms("delta"));
        let taught = |mails: &[(Category, &[String])]| Bayes::train(mails.iter().copied());
        let three = taught(&[(Category::Offer, &a), (Category::Feedback, &b), (Category::Offer, &c)]);
        assert_eq!(three, taught(&[(Category::Offer, &a), (Category::Feedback, &b), (Category::Offer, &c)]));
        assert_eq!((three.mails(), three.mails_of(Category::Offer)), (3, 2));
        assert_ne!(three, taught(&[(Category::Offer, &a), (Category::Feedback, &b)]));
    }
}
