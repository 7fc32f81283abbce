//! What a message means: `classify_with(&RuleSet, &Message, &Learned) -> Classification`, one pure function;
//! `classify` is the same with nothing learned.
//!
//! The [`Classification`] is the verdict itself: it is what is stored, what `explain` renders, what `--json` prints
//! and what tests compare, so that "why" cannot disagree with "what". This module must not read a clock, a file or
//! the history of the mailbox.

mod decide;
mod facts;
mod judge;
mod learned;
mod modality;
mod sender;
mod sentence;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use decide::{ANCHOR_BITS, RELEVANCE_BITS};
pub(crate) use facts::{NameWords, is_function_word};
pub use judge::HITS_PER_RULE_MAX;
pub use learned::{BAYES_RULE, LEARNED_SOURCE, TEMPLATE_RULE};
pub(crate) use sentence::Sentence;
pub use sentence::{SENTENCE_CHARS_MAX, SENTENCES_MAX};

use crate::{
    clean,
    learn::{Learned, Traits, text::Masks},
    message::{Block, Message, Zone},
    outcome::{Category, Outcome, Reason, Stage, named},
    rules::RuleSet,
};
use decide::Circumstances;
use judge::{Context, Raw};
use sender::SenderFacts;
use sentence::sentences;

/// Judges one message by the rules alone. The same rules and the same message always give the same verdict.
pub fn classify(rules: &RuleSet, message: &Message) -> Classification {
    classify_with(rules, message, &Learned::default())
}

/// Judges one message by the rules and by what the person's corrections taught; every voice stands in the verdict.
pub fn classify_with(rules: &RuleSet, message: &Message, learned: &Learned) -> Classification {
    judge_message(rules, message, learned, None)
}

/// What the verdict would be had one rule not counted: how much of it rests on that rule.
pub fn classify_without(rules: &RuleSet, message: &Message, learned: &Learned, rule: &str) -> Classification {
    judge_message(rules, message, learned, rules.by_id.get(rule).copied())
}

fn judge_message(rules: &RuleSet, message: &Message, learned: &Learned, without: Option<usize>) -> Classification {
    let message = message.unwrapped();
    let (mut sentences, cut) = sentences(&message.blocks);
    let forwarded = is_only_forwarded(&sentences);
    if forwarded {
        sentences.iter_mut().filter(|s| s.zone == Zone::Forwarded).for_each(|s| s.zone = Zone::Body);
    }
    let sender = SenderFacts::read(rules, message);
    let languages = facts::languages(&sentences);
    let context =
        Context { rules, sentences: &sentences, sender: &sender, message: Some(message), languages: &languages };
    let mut raws = judge::hits(&context);
    raws.retain(|raw| Some(raw.rule) != without);
    let text = learned::Text { rules, message, sentences: &sentences, sender: &sender, language: &languages.main };
    let heard = learned::hear(learned, &text, &mut raws);
    decide::drop_openers(rules, &mut raws);
    let bits = decide::bits(rules, &raws);
    let words: Vec<String> = raws.iter().map(|r| matched(&sentences, r)).collect();
    let surroundings = decide::Surroundings {
        sender: &sender,
        ats_link: has_ats_link(rules, message),
        discussion: message.headers.list_id,
        sentences: &sentences,
        own_sentences: sentences.iter().filter(|s| judge::is_own_text(s.zone)).count(),
        language: &languages.main,
    };
    let mut relevance = decide::relevance(rules, &raws, &words, &surroundings);
    relevance += decide::relevance_learned(&heard);
    let short = surroundings.own_sentences <= decide::SHORT_SENTENCES && !message.is_forward();
    let on = Circumstances {
        relevance,
        truncated: message.truncated || cut,
        no_text: message.headers.opaque || !sentences.iter().any(|s| matches!(s.zone, Zone::Lead | Zone::Body)),
        forwarded,
        short,
        letter: short && message.greets() && !message.is_bulk() && !forwarded && of_few_words(&sentences),
        unknown_language: languages.beyond(rules.languages()),
    };
    let decision = decide::decide(rules, &raws, &bits, &heard, on);
    let spoken = heard.hits(decision.category, &decision.by_rules);
    let facts = facts::read(&facts::Reading {
        rules,
        message,
        sentences: &sentences,
        raws: &raws,
        sender: &sender,
        category: decision.category,
        language: languages.main,
    });
    Classification {
        category: decision.category,
        decided: decision.asks.is_empty(),
        asks: decision.asks,
        score: decision.score,
        scores: decision.scores,
        relevance: on.relevance.all,
        hits: hits(rules, &sentences, &raws, &bits, spoken),
        facts,
        rules: rules.fingerprint().to_owned(),
    }
}

/// What a label on this message would be learned from.
pub fn traits(rules: &RuleSet, message: &Message) -> Traits {
    read_text(rules, message, |text, raws| learned::traits(text, raws, &learned::masks(text, raws)))
}

/// A message as words, for those who look for a rule in it.
pub(crate) struct Wording {
    pub sentences: Vec<Sentence>,
    pub masks: Masks,
    pub language: String,
}

/// Reads the words of a message.
pub(crate) fn wording(rules: &RuleSet, message: &Message) -> Wording {
    read_text(rules, message, |text, raws| Wording {
        sentences: text.sentences.to_vec(),
        masks: learned::masks(text, raws),
        language: text.language.to_owned(),
    })
}

fn read_text<T>(rules: &RuleSet, message: &Message, read: impl FnOnce(&learned::Text<'_>, &[Raw]) -> T) -> T {
    let message = message.unwrapped();
    let (sentences, _) = sentences(&message.blocks);
    let sender = SenderFacts::read(rules, message);
    let languages = facts::languages(&sentences);
    let context =
        Context { rules, sentences: &sentences, sender: &sender, message: Some(message), languages: &languages };
    let raws = judge::hits(&context);
    read(&learned::Text { rules, message, sentences: &sentences, sender: &sender, language: &languages.main }, &raws)
}

/// Whether the text has no more words than a short letter.
fn of_few_words(sentences: &[Sentence]) -> bool {
    let own = sentences.iter().filter(|s| matches!(s.zone, Zone::Lead | Zone::Body));
    own.map(|s| s.text.split_whitespace().count()).sum::<usize>() <= decide::LETTER_WORDS
}

/// Whether the outer text of a forwarded mail says nothing: then the mail inside is the one to judge, and the person
/// is asked.
fn is_only_forwarded(sentences: &[Sentence]) -> bool {
    let outer = sentences.iter().any(|s| matches!(s.zone, Zone::Lead | Zone::Body));
    !outer && sentences.iter().any(|s| s.zone == Zone::Forwarded)
}

/// The text a hit matched, normalised.
fn matched(sentences: &[Sentence], raw: &Raw) -> String {
    let sentence = raw.sentence.and_then(|i| sentences.get(i));
    sentence.and_then(|s| s.normal.text.get(raw.span.0..raw.span.1)).unwrap_or_default().to_owned()
}

fn has_ats_link(rules: &RuleSet, message: &Message) -> bool {
    let ats = |host: &String| rules.senders.by_domain(host).is_some_and(|(s, _)| s.kind == "ats");
    message.link_hosts.iter().any(ats)
}

/// The hits as they are shown and stored: counted ones first, then by weight. `spoken` are those of the learner.
fn hits(
    rules: &RuleSet,
    sentences: &[Sentence],
    raws: &[Raw],
    bits: &HashMap<usize, f64>,
    spoken: Vec<Hit>,
) -> Vec<Hit> {
    let mut out: Vec<(f64, Hit)> = spoken.into_iter().map(|hit| (hit.weight.abs(), hit)).collect();
    for raw in raws {
        let Some(rule) = rules.rules.get(raw.rule) else { continue };
        let sentence = raw.sentence.and_then(|i| sentences.get(i));
        let weight = if raw.dropped.is_none() { bits.get(&raw.rule).copied().unwrap_or(0.0) } else { 0.0 };
        let hit = Hit {
            rule: rule.id.clone(),
            title: rule.title.clone(),
            file: rule.file.clone(),
            line: rule.line,
            category: rule.category,
            zone: sentence.map_or(Zone::Subject, |s| s.zone),
            sentence: sentence.map_or_else(String::new, |s| s.text.clone()),
            span: sentence.map_or((0, 0), |s| s.normal.original(raw.span.0, raw.span.1)),
            modality: raw.modality,
            cue: raw.cue.clone(),
            weight,
            dropped: raw.dropped,
        };
        out.push((rule.weight.abs(), hit));
    }
    out.sort_by(|(wa, a), (wb, b)| {
        let counted = a.dropped.is_some().cmp(&b.dropped.is_some());
        counted.then(b.weight.abs().total_cmp(&a.weight.abs())).then(wb.total_cmp(wa))
    });
    out.truncate(HITS_MAX);
    out.into_iter().map(|(_, hit)| hit).collect()
}

/// How a rule fares on one sentence alone, as its embedded tests ask: counted, or the reason why not; `None` where it
/// does not match at all. Conditions on the sender and on headers are taken as met.
pub fn try_sentence(rules: &RuleSet, rule: &str, text: &str) -> Option<Hit> {
    let index = *rules.by_id.get(rule)?;
    let wanted = rules.rules.get(index)?;
    let lead = wanted.zones.contains(&Zone::Lead);
    let zone = if lead { Zone::Lead } else { wanted.zones.first().copied().unwrap_or(Zone::Lead) };
    alone(rules, (text, &wanted.language), zone, |sentences, raws| {
        raws.retain(|raw| raw.rule == index);
        hits(rules, sentences, raws, &decide::bits(rules, raws), Vec::new()).into_iter().next()
    })
}

/// What a text says by itself.
pub(crate) struct Tried {
    /// Every hit that counts.
    pub hits: Vec<Hit>,
    /// Bits of each category, best first.
    pub scores: Vec<(Category, f64)>,
    /// Whether outcomes that exclude each other are both anchored, so that the person would be asked.
    pub conflict: bool,
}

/// What counts in a text of that language alone, in the zone where most is read, and what it comes to.
pub(crate) fn try_text(rules: &RuleSet, text: &str, language: &str) -> Tried {
    alone(rules, (text, language), Zone::Lead, |sentences, raws| {
        // What is said of a sender or a header is not said by the text.
        raws.retain(|raw| raw.sentence.is_some());
        decide::drop_openers(rules, raws);
        let (scores, conflict) = decide::scores(rules, raws);
        let mut hits = hits(rules, sentences, raws, &decide::bits(rules, raws), Vec::new());
        hits.retain(|hit| hit.dropped.is_none());
        Tried { hits, scores, conflict }
    })
}

/// Reads a text of a certain language without a mail around it. Shadow rules count.
fn alone<T>(
    rules: &RuleSet,
    (text, language): (&str, &str),
    zone: Zone,
    read: impl FnOnce(&[Sentence], &mut Vec<Raw>) -> T,
) -> T {
    let block = Block { zone, paragraph: 0, text: clean::text(text) };
    let (sentences, _) = sentences(&[block]);
    let languages = facts::Languages::only(language);
    let context =
        Context { rules, sentences: &sentences, sender: &SenderFacts::default(), message: None, languages: &languages };
    let mut raws = judge::hits(&context);
    for raw in raws.iter_mut().filter(|r| r.dropped == Some(Dropped::Shadow)) {
        raw.dropped = None;
    }
    read(&sentences, &mut raws)
}

/// The verdict on one message with everything that led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The best category; `unrelated` where nothing spoke for job mail.
    pub category: Category,
    /// False when the person has to be asked; `asks` says why.
    pub decided: bool,
    /// Why the person is asked; empty when decided.
    pub asks: Vec<Ask>,
    /// Evidence for `category` in bits of log-odds.
    pub score: f64,
    /// Evidence for each category that has any, best first, in bits.
    pub scores: Vec<(Category, f64)>,
    /// Evidence that this is job mail about an application at all, in bits.
    pub relevance: f64,
    /// Every hit, counted ones first, then by weight. At most [`HITS_MAX`].
    pub hits: Vec<Hit>,
    /// What was read from the message.
    pub facts: Facts,
    /// Fingerprint of the rule set, hex.
    pub rules: String,
}

/// Most hits kept in a verdict: more than any honest mail has.
pub const HITS_MAX: usize = 200;

/// One place where a rule matched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The rule's id.
    pub rule: String,
    /// The rule's title: one line for humans.
    pub title: String,
    /// The file that holds the rule, as the person would name it.
    pub file: String,
    /// The line of the rule's id in that file, from 1.
    pub line: u32,
    /// The category it speaks for.
    pub category: Option<Category>,
    /// Where the sentence stands.
    pub zone: Zone,
    /// The whole sentence, original spelling, at most 800 characters.
    pub sentence: String,
    /// Byte range of the match inside `sentence`.
    pub span: (usize, usize),
    /// How it is said.
    pub modality: Modality,
    /// The word that made the modality, where it was not plain assertion.
    pub cue: Option<String>,
    /// Bits it added; 0 when not counted.
    pub weight: f64,
    /// Why it was not counted.
    pub dropped: Option<Dropped>,
}

named! {
    /// How a phrase is said (`rules.md` §3.6).
    pub enum Modality {
        /// Plainly.
        Asserted = "asserted",
        /// As a request to the reader.
        Request = "request",
        /// As something to come.
        Future = "future",
        /// As a possibility.
        Modal = "modal",
        /// Denied.
        Negated = "negated",
        /// Under a condition.
        Conditional = "conditional",
        /// About applicants in general or as a habit.
        Generic = "generic",
        /// In a quoted mail.
        Quoted = "quoted",
    }
}

named! {
    /// Why a hit was not counted.
    pub enum Dropped {
        /// The rule does not read that zone.
        Zone = "zone",
        /// The rule does not take that modality.
        Modality = "modality",
        /// One of the rule's exceptions applies.
        Unless = "unless",
        /// Something the rule requires is missing.
        Requires = "requires",
        /// A courtesy opener beside a real outcome.
        Opener = "opener",
        /// The rule is on trial (`status = "shadow"`).
        Shadow = "shadow",
        /// The rule already counted once in this message.
        Repeated = "repeated",
        /// The person said of the same text that it means something else.
        Overruled = "overruled",
        /// The text is that of a mail the person labelled, but says something else besides.
        Differs = "differs",
        /// The person labelled the same text in two ways.
        Disputed = "disputed",
        /// The second voice cannot tell.
        Unsure = "unsure",
    }
}

named! {
    /// Why the person is asked instead of a decision being made.
    pub enum Ask {
        /// A final outcome without one strong hit.
        NoAnchor = "no-anchor",
        /// Too little evidence.
        LowScore = "low-score",
        /// Two categories are too close.
        NarrowMargin = "narrow-margin",
        /// Two outcomes that exclude each other are both stated.
        Conflict = "conflict",
        /// A category fired, but nothing says it is job mail.
        NotJobMail = "not-job-mail",
        /// It looks like job mail, but no rule fired.
        UnknownKind = "unknown-kind",
        /// The text goes on beyond what was read.
        Truncated = "truncated",
        /// There is no text to judge.
        NoText = "no-text",
        /// A forwarded mail whose own headers are incomplete.
        Forwarded = "forwarded",
        /// A language that no installed rules cover.
        UnknownLanguage = "unknown-language",
        /// The words of the mails that the person labelled speak against it.
        BayesDisagrees = "bayes-disagrees",
        /// The sender may not be who it claims.
        DoubtfulSender = "doubtful-sender",
        /// It asks for what no employer asks for by mail.
        DoubtfulRequest = "doubtful-request",
        /// A link leads elsewhere than it shows.
        DoubtfulLink = "doubtful-link",
        /// A stranger's mail that lies in Junk.
        InJunk = "in-junk",
    }
}

/// A value read from the message and the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The value, cleaned.
    pub value: String,
    /// Where it came from, for humans: `subject`, `display name`, `signature`, a rule id.
    pub source: String,
}

/// What was read from the message besides its category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Stage of a rejection.
    pub stage: Stage,
    /// Whether no sentence states the stage: then it is the likeliest one.
    #[serde(default)]
    pub stage_assumed: bool,
    /// Reason of a rejection.
    pub reason: Reason,
    /// Employer's name.
    pub employer: Option<Fact>,
    /// Role's title.
    pub role: Option<Fact>,
    /// Number of the vacancy.
    pub requisition_id: Option<Fact>,
    /// A human address.
    pub contact: Option<Fact>,
    /// The human's name as signed, e.g. `Anna Schmidt`; for the salutation.
    pub signed_by: Option<Fact>,
    /// The applicant-tracking vendor that relayed the mail, e.g. `Greenhouse`.
    pub ats: Option<String>,
    /// Whether the sender writes for several employers: an agency.
    pub agency: bool,
    /// Whether a reply to the sender reaches nobody.
    pub noreply: bool,
    /// Whether the mail asks not to reply or says that no individual feedback is given.
    pub no_feedback: bool,
    /// Whether the mail offers feedback or a call.
    pub offers_feedback: bool,
    /// Whether the mail takes back an earlier one.
    pub retracts: bool,
    /// ISO 639-1 code of the text's main language; `und` when unknown.
    pub language: String,
    /// Number of applicants the mail names.
    pub applicants: Option<u32>,
    /// Dates the mail names, ISO 8601, where they are unambiguous.
    pub dates: Vec<String>,
    /// Those of them that no sentence calls a deadline or a beginning: days on which people may meet.
    #[serde(default)]
    pub appointments: Vec<String>,
}

impl Classification {
    /// The verdict without anything that the mail says: category, scores and the rules' fingerprint.
    pub fn without_text(self) -> Classification {
        let Facts { stage, stage_assumed, reason, agency, noreply, no_feedback, offers_feedback, retracts, .. } =
            self.facts;
        let facts = Facts {
            stage,
            stage_assumed,
            reason,
            agency,
            noreply,
            no_feedback,
            offers_feedback,
            retracts,
            language: self.facts.language,
            employer: None,
            role: None,
            requisition_id: None,
            contact: None,
            signed_by: None,
            ats: None,
            applicants: None,
            dates: Vec::new(),
            appointments: Vec::new(),
        };
        Classification { hits: Vec::new(), facts, ..self }
    }

    /// The outcome this verdict stands for.
    pub fn outcome(&self) -> Outcome {
        let value = |f: &Option<Fact>| f.as_ref().map(|f| f.value.clone());
        Outcome {
            category: self.category,
            decided: self.decided,
            stage: self.facts.stage,
            reason: self.facts.reason,
            employer: value(&self.facts.employer),
            role: value(&self.facts.role),
            requisition_id: value(&self.facts.requisition_id),
            contact: value(&self.facts.contact),
        }
    }

    /// The hits that counted, in order.
    pub fn evidence(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(|h| h.dropped.is_none())
    }
}
