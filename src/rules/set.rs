//! The compiled rule set: what [`crate::classify`] works with. Immutable; a reload builds a new one.

use std::{collections::HashMap, sync::OnceLock};

use super::{
    Layer,
    diagnostic::Diagnostic,
    index::Index,
    pack::Pack,
    phrase::{Phrase, WordLists},
    sender::SenderTable,
};
use crate::{
    classify::{Modality, NameWords},
    message::Zone,
    outcome::{Category, Reason, Stage},
};

/// Every rule that is in force, compiled.
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    pub(crate) by_id: HashMap<String, usize>,
    /// The phrases, by language.
    pub(crate) packs: Vec<Pack>,
    pub(crate) categories: HashMap<Category, Policy>,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) senders: SenderTable,
    pub(crate) lists: WordLists,
    pub(crate) titles: super::titles::Titles,
    /// The lists by which names are read; see [`NameWords::of`].
    pub(crate) names: OnceLock<NameWords>,
    pub(crate) message_tests: Vec<MessageTest>,
    pub(crate) fingerprint: String,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Identity, e.g. `en.rejection.not-forward`.
    pub id: String,
    /// One line for humans.
    pub title: String,
    /// Longer explanation, where there is one.
    pub doc: Option<String>,
    /// What it speaks for; `None` is the unscored helper `signal`.
    pub category: Option<Category>,
    /// Bits of log-odds.
    pub weight: f64,
    /// Bits it adds to "this is mail about an application", whatever its category.
    pub relevance: f64,
    /// Rules of one category and family are correlated: their weights count 1, ½, ¼, …
    pub family: String,
    /// Courtesy text, dropped beside a real outcome.
    pub opener: bool,
    /// Lifecycle.
    pub status: Status,
    /// ISO 639-1 code: whose cue lists judge the hits.
    pub language: String,
    /// The place of that language among the packs.
    pub(crate) pack: usize,
    /// Where it reads.
    pub zones: Vec<Zone>,
    /// Which ways of saying it count.
    pub modality: Vec<Modality>,
    /// Kinds or ids of senders; any of them has to fit, where there are some.
    pub sender: Vec<String>,
    /// Header facts that all have to hold.
    pub headers: Vec<HeaderTest>,
    /// Other facts that all have to hold.
    pub facts: Vec<FactTest>,
    pub(crate) has_text: bool,
    pub(crate) requires: Vec<Condition>,
    pub(crate) unless: Vec<Condition>,
    /// Constant facts.
    pub set: Settings,
    pub(crate) examples: Examples,
    /// The file, as the person would name it.
    pub file: String,
    /// Line of the id, from 1.
    pub line: u32,
    /// Where the rule comes from.
    pub layer: Layer,
    /// Files that changed it.
    pub changed_by: Vec<String>,
    /// Where each of its phrases stands.
    pub(crate) written_at: Vec<super::Place>,
}

/// Lifecycle of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In force.
    Stable,
    /// Runs and is shown, adds nothing.
    Shadow,
    /// In force, to be removed.
    Deprecated,
    /// Off until somebody turns it on.
    Preview,
}

/// What a rule tells about the message when it counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `reason`
    pub reason: Option<Reason>,
    /// `stage`
    pub stage: Option<Stage>,
    /// `event`, free.
    pub event: Option<String>,
    /// `noreply`: replies reach nobody.
    pub noreply: bool,
    /// `no_feedback`: no feedback is given, or the mail asks not to reply.
    pub no_feedback: bool,
    /// `offers_feedback`: feedback or a call is offered.
    pub offers_feedback: bool,
    /// `retracts`: an earlier mail is taken back.
    pub retracts: bool,
    /// `agency`: the sender writes for several employers.
    pub agency: bool,
}

/// A condition on a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderTest {
    /// Lower-case header name.
    pub name: String,
    /// Whether it has to be there.
    pub exists: bool,
}

/// A condition on a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactTest {
    /// `ics_method`: the method of the calendar part.
    IcsMethod(String),
    /// `reply`: whether the mail answers another one.
    Reply(bool),
    /// `noreply`: whether the sender takes replies.
    NoReply(bool),
    /// `link_host`: a link leads to this registrable domain.
    LinkHost(String),
    /// `digest`: bulk mail with many links.
    Digest(bool),
}

/// Reach of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The text found has to cover the hit.
    Match,
    /// The sentence of the hit.
    Sentence,
    /// Its paragraph.
    Paragraph,
    /// The whole message.
    Message,
}

/// One entry of `requires` or `unless`.
#[derive(Debug)]
pub struct Condition {
    pub(crate) any: Vec<Phrase>,
    pub(crate) all: Vec<Phrase>,
    /// One of these has to have counted; empty where no rule is asked for.
    pub(crate) rules: Vec<usize>,
    pub(crate) sender: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) zones: Vec<Zone>,
    pub(crate) at_least: usize,
}

/// The tests a rule carries.
#[derive(Debug, Default)]
pub struct Examples {
    pub(crate) matches: Vec<Example>,
    pub(crate) no_matches: Vec<Example>,
    pub(crate) todo_matches: Vec<Example>,
    pub(crate) todo_no_matches: Vec<Example>,
}

/// One text of a test and its place.
#[derive(Debug, Clone)]
pub struct Example {
    pub(crate) text: String,
    pub(crate) at: super::Place,
}

/// How a category is decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Closes an application: needs one counted hit of [`crate::classify::ANCHOR_BITS`].
    pub terminal: bool,
    /// Bits needed.
    pub accept: f64,
    /// Bits ahead of the next category.
    pub margin: f64,
    /// Modalities its rules take unless they say otherwise.
    pub modality: Option<Vec<Modality>>,
}

/// Two outcomes that exclude each other.
#[derive(Debug, Clone)]
pub struct Conflict {
    pub(crate) between: (Category, Category),
    pub(crate) then: Option<Category>,
    pub(crate) unless_rules: Vec<usize>,
}

/// A whole-message expectation.
#[derive(Debug, Clone)]
pub struct MessageTest {
    /// What it shows.
    pub name: String,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) reply: bool,
    pub(crate) category: Option<Category>,
    pub(crate) decision: Option<String>,
    pub(crate) set: Vec<(String, String)>,
    pub(crate) hits: Vec<String>,
    pub(crate) not_hits: Vec<String>,
    pub(crate) at: super::Place,
    pub(crate) file: String,
}

/// The cue lists of one language (`[modality.xx]`).
#[derive(Debug, Default)]
pub struct CueLists {
    pub(crate) lists: HashMap<Cue, Vec<Phrase>>,
}

/// What a cue list is for. The name is the key in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cue {
    /// Begins a condition: `if`, `should you`.
    Conditional,
    /// Ends a condition, in languages that put `if` behind it: `場合`, `durumunda`.
    ConditionalBehind,
    /// A condition about being chosen: `selected`, `shortlisted`.
    Selection,
    /// A condition about convenience: `available`, `interested`.
    Convenience,
    /// What follows waits on the condition: `that means`.
    Consequence,
    /// Denies.
    Negation,
    /// Ends the reach of a negation or possibility: `but`.
    NegationEnd,
    /// Possibility.
    Modal,
    /// Something to come.
    Future,
    /// Makes something to come as good as said: a date, the reader addressed.
    Asserting,
    /// Other people: `candidates who`.
    Generic,
    /// Habit: `usually`.
    Habitual,
    /// A request to the reader.
    Request,
    /// A verb that, at the start of a clause, is a request.
    Imperative,
    /// Looks like a cue but is none: `see if`, `please note that`, `would like to inform you`.
    Neutral,
    /// A word that begins a clause without a comma: `but`, `however`.
    Clause,
}

impl Cue {
    /// In the order of the declaration.
    pub(crate) const NAMES: [(&'static str, Cue); 16] = [
        ("conditional", Cue::Conditional),
        ("conditional_behind", Cue::ConditionalBehind),
        ("selection", Cue::Selection),
        ("convenience", Cue::Convenience),
        ("consequence", Cue::Consequence),
        ("negation", Cue::Negation),
        ("negation_end", Cue::NegationEnd),
        ("modal", Cue::Modal),
        ("future", Cue::Future),
        ("asserting", Cue::Asserting),
        ("generic", Cue::Generic),
        ("habitual", Cue::Habitual),
        ("request", Cue::Request),
        ("imperative", Cue::Imperative),
        ("neutral", Cue::Neutral),
        ("clause", Cue::Clause),
    ];
}

impl Rule {
    /// The texts of its `match` and `no_match` examples.
    pub fn example_texts(&self) -> (Vec<&str>, Vec<&str>) {
        (
            self.examples.matches.iter().map(|e| e.text.as_str()).collect(),
            self.examples.no_matches.iter().map(|e| e.text.as_str()).collect(),
        )
    }
}

impl RuleSet {
    /// Every rule in force, in the order of the files.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule by its id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id).and_then(|i| self.rules.get(*i))
    }

    /// The phrases of a rule as they are written, regular expressions last.
    pub fn written<'r>(&'r self, rule: &Rule) -> impl Iterator<Item = &'r str> {
        let number = self.by_id.get(&rule.id).copied();
        let phrases = self.packs.get(rule.pack).into_iter().flat_map(|pack| &pack.phrases);
        phrases.filter(move |(of, _)| Some(*of) == number).map(|(_, phrase)| phrase.written.as_ref())
    }

    /// SHA-256 over the sources, hex: stored with every verdict.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What is likely not meant, though the rules load.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Facts about senders.
    pub fn senders(&self) -> &SenderTable {
        &self.senders
    }

    /// Every phrase of a pack: those of the rules first, in their order, then conditions and cues.
    pub(super) fn searched(&self, number: usize) -> impl Iterator<Item = &Phrase> {
        let rules = self.rules.iter().filter(move |r| r.pack == number);
        let conditions = rules.flat_map(|r| r.requires.iter().chain(&r.unless));
        let pack = self.packs.get(number);
        let cues = pack.and_then(|p| p.cues.as_ref()).into_iter().flat_map(|c| c.lists.values().flatten());
        let phrases = pack.into_iter().flat_map(|p| &p.phrases).map(|(_, phrase)| phrase);
        phrases.chain(conditions.flat_map(|c| c.any.iter().chain(&c.all))).chain(cues)
    }

    /// The index of a pack. The first call compiles its phrases.
    pub(crate) fn index<'r>(&'r self, pack: &'r Pack) -> &'r Index {
        pack.index.get_or_init(|| {
            let number = self.packs.iter().position(|p| std::ptr::eq(p, pack)).unwrap_or(usize::MAX);
            Index::build(self.searched(number), &self.lists)
        })
    }

    /// The languages whose rules tell how a thing is said.
    pub(crate) fn languages(&self) -> impl Iterator<Item = &str> {
        self.packs.iter().filter(|pack| pack.cues.is_some()).map(|pack| pack.language.as_str())
    }

    /// A word list from `[define]`, empty where there is none.
    pub fn list(&self, name: &str) -> &[String] {
        self.lists.get(name).map_or(&[], Vec::as_slice)
    }

    /// How a category is decided.
    pub fn policy(&self, category: Category) -> Policy {
        self.categories.get(&category).cloned().unwrap_or_else(|| Policy::default_for(category))
    }

    /// Number of phrases in all rules.
    pub fn phrase_count(&self) -> usize {
        self.packs.iter().map(|pack| pack.phrases.len()).sum()
    }

    /// Number of embedded examples and of whole-message tests.
    pub fn test_count(&self) -> (usize, usize) {
        let examples = |r: &Rule| r.examples.matches.len() + r.examples.no_matches.len();
        (self.rules.iter().map(examples).sum(), self.message_tests.len())
    }
}

impl Policy {
    /// What holds where no file says otherwise.
    pub fn default_for(category: Category) -> Policy {
        let terminal = matches!(category, Category::Rejection | Category::Offer);
        let modality = match category {
            Category::Rejection => Some(vec![Modality::Asserted, Modality::Future]),
            Category::Offer | Category::Interview | Category::Assessment => {
                Some(vec![Modality::Asserted, Modality::Request])
            }
            _ => None,
        };
        let (accept, margin) = if terminal { (5.0, 3.0) } else { (3.0, 2.0) };
        Policy { terminal, accept, margin, modality }
    }
}
