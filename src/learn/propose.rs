//! Proposes a rule for a mail that was judged wrongly: a phrase of it that no other kind of mail has, or, where a rule
//! misread it, an exception to that rule. What is proposed is verified with the whole rule set first.
//!
//! Pure: it gives text. Whether it is written down is the person's choice.

use jiff::civil::Date;

use super::{
    fragment::{self, NewRule},
    grams::{self, Background, Gram},
    text, tune,
};
use crate::{
    classify::{ANCHOR_BITS, Classification, Wording, classify, try_sentence, wording},
    message::{Message, Zone},
    outcome::Category,
    rules::{self, Diagnostic, Layer, Report, RuleSet, Source, Trust},
};

/// Most proposals that are verified before giving up: each takes a load of all rules and all their tests.
pub const PROPOSALS_TRIED_MAX: usize = 6;
/// From this weight on a rule says what a sentence means, and the sentence needs no other.
const SPOKEN_WEIGHT: f64 = 3.0;
/// Most rules that are given an exception for one mail.
const EXCEPTIONS_MAX: usize = 3;

/// A mail and what it really is.
#[derive(Clone, Copy)]
pub struct Labelled<'a> {
    /// How the person knows it: `item 12`, or a file's name.
    pub name: &'a str,
    /// The mail.
    pub message: &'a Message,
    /// What it is.
    pub label: Category,
}

/// What a proposal is made from and has to stand up to.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Every rule file in force, in order.
    pub sources: &'a [Source],
    /// Name of the file that the proposal would be added to.
    pub file: &'a str,
    /// The day, for `[[disable]]` and for titles.
    pub today: Date,
    /// The set of these files.
    pub rules: &'a RuleSet,
    /// What the tests of that set found.
    pub report: &'a Report,
    /// The other mails that the person labelled.
    pub labelled: &'a [Labelled<'a>],
}

/// A proposal that was verified.
#[derive(Debug)]
pub struct Proposal {
    /// What is to be added to the file, as TOML.
    pub toml: String,
    /// The files with it.
    pub sources: Vec<Source>,
    /// The set of those files.
    pub rules: RuleSet,
    /// Ids of the rules that it adds or changes.
    pub ids: Vec<String>,
    /// On how many mails it is based.
    pub mails: usize,
}

/// Why nothing is proposed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProposal {
    /// The rules say so already.
    #[error("the rules judge {0} like that already")]
    Already(String),
    /// There is no such rule.
    #[error("there is no rule `{0}` in force; `onward rules list` names them")]
    NoRule(String),
    /// The rule did not count in a mail it is said to be wrong in.
    #[error("`{rule}` did not count in {mail}; `onward explain` shows what did")]
    NoHit {
        /// The rule.
        rule: String,
        /// The mail.
        mail: String,
    },
    /// No sentence of the mail sets it apart.
    #[error(
        "no phrase of {0} could be verified: each also stands in mail of another kind, or breaks a test; \
         write the rule by hand (docs/rules.md)"
    )]
    NoPhrase(String),
    /// No words set the wrong mails apart from the right ones.
    #[error("no exception to `{0}` could be verified: nothing sets these mails apart from those it is right about")]
    NoException(String),
    /// The proposal would not load: the files changed, or hold a mistake.
    #[error("with the proposal the rules would not load:\n{0}")]
    Unloadable(String),
}

impl Asked<'_> {
    /// The files with a fragment added, and their set, if it loads.
    pub(super) fn with(&self, fragment: &str) -> Result<(Vec<Source>, RuleSet), NoProposal> {
        let mut sources = self.sources.to_vec();
        match sources.iter_mut().find(|source| source.name == self.file) {
            Some(source) => source.text = fragment::appended(Some(&source.text), fragment).into(),
            None => {
                let later = |source: &Source| source.layer == Layer::User && source.name.as_str() > self.file;
                let at = sources.iter().position(later).unwrap_or(sources.len());
                let text = fragment::appended(None, fragment);
                sources.insert(at, Source { name: self.file.to_owned(), text: text.into(), layer: Layer::User });
            }
        }
        let set = rules::load_on(&sources, Some(self.today), Trust::Shipped).map_err(|problems| {
            NoProposal::Unloadable(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })?;
        Ok((sources, set))
    }

    /// Whether every test that passed still passes.
    pub(super) fn keeps_tests(&self, set: &RuleSet) -> bool {
        let same = |a: &Diagnostic, b: &Diagnostic| (&a.file, a.line, a.code) == (&b.file, b.line, b.code);
        rules::check(set).failures.iter().all(|new| self.report.failures.iter().any(|old| same(old, new)))
    }
}

/// Proposes what would make the rules judge a mail as the person does.
pub fn propose(asked: &Asked<'_>, target: Labelled<'_>) -> Result<Proposal, NoProposal> {
    let verdict = classify(asked.rules, target.message);
    if is_right(&verdict, target.label) {
        return Err(NoProposal::Already(target.name.to_owned()));
    }
    let Some((proposal, verdict)) = exceptions(asked, target, &verdict)? else {
        return phrase(asked, target, &verdict, "", Vec::new());
    };
    // Nothing has to be said for a mail that is about nothing.
    if is_right(&verdict, target.label) || target.label == Category::Unrelated {
        return Ok(proposal);
    }
    // Without a phrase for what it is, it is at least not misread any more.
    Ok(phrase(asked, target, &verdict, &proposal.toml, proposal.ids.clone()).unwrap_or(proposal))
}

/// Exceptions to the rules that misread a mail, the strongest first and no more than needed, and the verdict with them;
/// nothing where none did.
fn exceptions(
    asked: &Asked<'_>,
    target: Labelled<'_>,
    verdict: &Classification,
) -> Result<Option<(Proposal, Classification)>, NoProposal> {
    let mut done: Option<(Proposal, Classification)> = None;
    for _ in 0..EXCEPTIONS_MAX {
        let (set, judged) = match &done {
            Some((proposal, judged)) => (&proposal.rules, judged),
            None => (asked.rules, verdict),
        };
        let Some(rule) = misreading(set, judged, target.label) else { break };
        let found = tune::exception(asked, &rule, &[target], &[])?;
        let (toml, mut ids) = match &done {
            Some((proposal, _)) => (format!("{}\n{found}", proposal.toml), proposal.ids.clone()),
            None => (found, Vec::new()),
        };
        let (sources, rules) = asked.with(&toml)?;
        if !asked.keeps_tests(&rules) {
            return Err(NoProposal::NoException(rule));
        }
        ids.push(rule);
        let judged = classify(&rules, target.message);
        done = Some((Proposal { toml, sources, rules, ids, mails: 1 }, judged));
    }
    Ok(done)
}

/// Whether a verdict is what the person says, decided.
fn is_right(verdict: &Classification, label: Category) -> bool {
    verdict.category == label && verdict.decided
}

/// The rule that spoke most strongly for something else.
fn misreading(rules: &RuleSet, verdict: &Classification, label: Category) -> Option<String> {
    let strong = |id: &str| rules.rule(id).is_some_and(|rule| rule.weight >= ANCHOR_BITS);
    let against = verdict.evidence().filter(|hit| hit.category.is_some_and(|category| category != label));
    against.filter(|hit| !hit.sentence.is_empty()).find(|hit| strong(&hit.rule)).map(|hit| hit.rule.clone())
}

/// A phrase with the sentence it stands in.
struct Candidate {
    gram: Gram,
    example: String,
    rank: f64,
}

/// Proposes a rule with a phrase of the mail, after the fragment `before`.
fn phrase(
    asked: &Asked<'_>,
    target: Labelled<'_>,
    verdict: &Classification,
    before: &str,
    mut ids: Vec<String>,
) -> Result<Proposal, NoProposal> {
    let words = wording(asked.rules, target.message);
    let mut background = Background::of_examples(asked.rules, target.label);
    for other in asked.labelled {
        let wording = wording(asked.rules, other.message);
        for sentence in wording.sentences.iter().filter(|sentence| is_own(sentence.zone)) {
            background.add(&grams::masked(sentence, &wording.masks), other.label == target.label);
        }
    }
    let candidates = candidates(asked.rules, verdict, &words, &background);
    let mut tried: Vec<&str> = Vec::new();
    for candidate in &candidates {
        // A phrase within one that failed, or around it, fails as well.
        if tried.iter().any(|key| key.contains(&candidate.gram.key) || candidate.gram.key.contains(key)) {
            continue;
        }
        if tried.len() >= PROPOSALS_TRIED_MAX {
            break;
        }
        tried.push(&candidate.gram.key);
        let id = fragment::id(target.label, &candidate.gram.phrase, |id| asked.rules.rule(id).is_some());
        let rule = write(asked, target.label, &words.language, &id, candidate);
        let toml = if before.is_empty() { rule } else { format!("{before}\n{rule}") };
        if let Some((sources, set)) = verified(asked, target, &toml, &id) {
            let mails = 1 + background_mails(asked, &set, &id);
            ids.push(id);
            return Ok(Proposal { toml, sources, rules: set, ids, mails });
        }
    }
    Err(NoProposal::NoPhrase(target.name.to_owned()))
}

fn is_own(zone: Zone) -> bool {
    matches!(zone, Zone::Lead | Zone::Body)
}

/// Phrases of sentences in which no rule has said anything yet, best first.
fn candidates(rules: &RuleSet, verdict: &Classification, words: &Wording, background: &Background) -> Vec<Candidate> {
    let weight = |id: &str| rules.rule(id).map_or(0.0, |rule| rule.weight.abs());
    let spoken: Vec<&str> = verdict
        .evidence()
        .filter(|hit| hit.category.is_some() && weight(&hit.rule) >= SPOKEN_WEIGHT)
        .map(|hit| hit.sentence.as_str())
        .collect();
    let mut out = Vec::new();
    let silent = |text: &str| !spoken.contains(&text);
    for sentence in words.sentences.iter().filter(|s| is_own(s.zone) && silent(&s.text)) {
        let tokens = grams::masked(sentence, &words.masks);
        let spaceless = sentence.normal.text.chars().any(text::is_spaceless);
        let lengths = if spaceless { grams::RULE_CHARACTERS } else { grams::RULE_WORDS };
        for gram in grams::grams(&tokens, lengths, 1) {
            if let Some(rank) = background.rank(&gram) {
                out.push(Candidate { gram, rank, example: text::without_names(grams::line(sentence), &tokens) });
            }
        }
    }
    out.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.gram.key.cmp(&b.gram.key)));
    out
}

/// The rule as text.
fn write(asked: &Asked<'_>, category: Category, language: &str, id: &str, candidate: &Candidate) -> String {
    let title = format!("Said in a mail you labelled ({})", asked.today.strftime("%-d %b %Y"));
    fragment::rule(&NewRule {
        id,
        title: &title,
        category,
        language,
        phrase: &candidate.gram.phrase,
        matches: &candidate.example,
        no_matches: neighbour(asked.rules, category, language, candidate),
    })
}

/// The example of another category in the same language that shares most words: what the rule must leave alone.
fn neighbour<'r>(rules: &'r RuleSet, category: Category, language: &str, candidate: &Candidate) -> Option<&'r str> {
    let others = rules.rules().iter().filter(|rule| {
        rule.layer == Layer::Shipped && rule.language == language && rule.category.is_some_and(|c| c != category)
    });
    let texts = others.flat_map(|rule| rule.example_texts().0);
    let shared = |text: &str| {
        let text = rules::normal::normalise(text).text;
        candidate.gram.content.iter().filter(|word| text.contains(word.as_str())).count()
    };
    texts.max_by_key(|text| (shared(text), std::cmp::Reverse(text.len())))
}

/// Loads the rules with the proposal and tries it: it counts in the mail and makes it what the person says, it counts in
/// no labelled mail of another kind, and no test fails that passed.
fn verified(asked: &Asked<'_>, target: Labelled<'_>, toml: &str, id: &str) -> Option<(Vec<Source>, RuleSet)> {
    let (sources, set) = asked.with(toml).ok()?;
    let counts = |message: &Message| classify(&set, message).evidence().any(|hit| hit.rule == id);
    let verdict = classify(&set, target.message);
    let example = set.rule(id)?.example_texts().0.first().and_then(|text| try_sentence(&set, id, text));
    let holds = verdict.category == target.label
        && verdict.evidence().any(|hit| hit.rule == id)
        && example.is_some_and(|hit| hit.dropped.is_none())
        && !asked.labelled.iter().any(|other| other.label != target.label && counts(other.message))
        && asked.keeps_tests(&set);
    holds.then_some((sources, set))
}

/// How many other labelled mails the new rule counts in.
fn background_mails(asked: &Asked<'_>, set: &RuleSet, id: &str) -> usize {
    let counts = |message: &Message| classify(set, message).evidence().any(|hit| hit.rule == id);
    asked.labelled.iter().filter(|other| counts(other.message)).count()
}
