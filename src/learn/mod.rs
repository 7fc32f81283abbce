//! What a person's corrections teach, beside the rules: a memory of the texts they labelled, a small second voice that
//! counts words, and proposals for rules. Everything is a function of the labels that hold: forgetting one leaves the
//! state that was never taught it.
//!
//! A voice is heard like a rule: with an id, a text and bits in the verdict. Nothing here ever learns from what the
//! rules decided, only from what the person said. It must not read a clock or a file, and it must not decide (that is
//! [`crate::classify`]).

mod bayes;
mod fragment;
mod grams;
mod propose;
mod template;
pub mod text;
mod tune;

use std::{collections::BTreeSet, fmt};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use bayes::{BAYES_BITS_MAX, Bayes, Opinion, Sway, TRAINING_MIN, WORDS_MAX};
pub use fragment::{LEARNED_FILE, appended};
pub use propose::{Asked, Labelled, NoProposal, PROPOSALS_TRIED_MAX, Proposal, propose};
pub use template::{DISTANCE_MAX, LENGTH_RATIO, Remembered, TEMPLATE_BITS, TEMPLATE_WORDS_MIN, fingerprint};
pub use tune::{EXCEPTION_PHRASES_MAX, tune};

use crate::{message::Zone, outcome::Category};
use text::{Line, Masks, Token, tokens};

/// Version of how a text is masked and cut into terms; a label of another version is read anew from its mail.
pub const TRAITS_VERSION: u32 = 1;
/// Most labels kept in mind, the newest ones: a search for work that corrects more of them teaches by rules.
pub const LESSONS_MAX: usize = 2_000;
/// Most terms kept of one mail: the beginning of a letter says what it is.
pub const TERMS_MAX: usize = 500;
/// Most sentences remembered of one mail.
pub const SENTENCES_MAX: usize = 200;
/// Most anchored rules remembered of one mail.
const ANCHORS_MAX: usize = 40;

/// What is kept of a labelled mail: no name, no number, no address, no sentence.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// [`TRAITS_VERSION`] at the time.
    pub version: u32,
    /// SimHash of the masked text.
    pub print: u64,
    /// Number of words and marks in lead and body.
    pub length: u32,
    /// Number of words among them.
    pub words: u32,
    /// Hashes of its masked sentences, subject included.
    pub sentences: Vec<u64>,
    /// Rules whose hit could have anchored an outcome, by id.
    pub anchors: Vec<String>,
    /// Masked words and pairs of words, each once, and the kind of sender.
    pub terms: Vec<String>,
}

impl fmt::Debug for Traits {
    /// Sizes only: the words are those of a mail.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traits")
            .field("print", &format_args!("{:016x}", self.print))
            .field("terms", &self.terms.len())
            .finish_non_exhaustive()
    }
}

impl Traits {
    /// Reads the traits of a mail from its sentences. `anchors` are the rules whose hits counted with enough bits.
    pub fn read<'a>(
        lines: impl IntoIterator<Item = Line<'a>>,
        masks: &Masks,
        sender: Option<&str>,
        anchors: impl IntoIterator<Item = String>,
    ) -> Traits {
        let mut body: Vec<Token> = Vec::new();
        let mut sentences = Vec::new();
        let mut terms = BTreeSet::from([format!("sender:{}", sender.unwrap_or("unknown"))]);
        for line in lines.into_iter().filter(|line| is_read(line.zone)) {
            let masked = tokens(line, masks);
            if sentences.len() < SENTENCES_MAX {
                sentences.push(sentence_print(&masked));
            }
            add_terms(&masked, &mut terms);
            if line.zone != Zone::Subject {
                body.extend(masked);
            }
        }
        sentences.sort_unstable();
        sentences.dedup();
        let mut anchors: Vec<String> = anchors.into_iter().take(ANCHORS_MAX).collect();
        anchors.sort_unstable();
        anchors.dedup();
        Traits {
            version: TRAITS_VERSION,
            print: fingerprint(body.iter().map(|token| token.text.as_str())),
            length: u32::try_from(body.len()).unwrap_or(u32::MAX),
            words: u32::try_from(body.iter().filter(|token| !token.masked).count()).unwrap_or(u32::MAX),
            sentences,
            anchors,
            terms: terms.into_iter().collect(),
        }
    }
}

/// The zones that are learned from: the sender's own text without sign-off and small print.
fn is_read(zone: Zone) -> bool {
    matches!(zone, Zone::Subject | Zone::Lead | Zone::Body)
}

/// One masked sentence as a number.
pub fn sentence_print(tokens: &[Token]) -> u64 {
    template::hash(tokens.iter().map(|token| token.text.as_str()))
}

fn add_terms(tokens: &[Token], terms: &mut BTreeSet<String>) {
    for (at, token) in tokens.iter().enumerate() {
        if terms.len() >= TERMS_MAX {
            return;
        }
        if !token.masked {
            terms.insert(token.text.clone());
        }
        let next = tokens.get(at + 1).filter(|next| !(next.after_break || token.masked && next.masked));
        if let Some(next) = next {
            terms.insert(format!("{} {}", token.text, next.text));
        }
    }
}

/// One label that holds: the person said of a mail what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The item's number, as the person knows it.
    pub item: i64,
    /// The day they said it.
    pub day: Date,
    /// What they said.
    pub label: Category,
    /// What is kept of the mail.
    pub traits: Traits,
}

/// Everything learned, ready to be asked. Immutable: another label makes another one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learned {
    templates: Vec<Remembered>,
    bayes: Bayes,
}

impl Learned {
    /// What these labels teach, oldest first; of more than [`LESSONS_MAX`] the newest ones.
    pub fn from_lessons(lessons: &[Lesson]) -> Learned {
        let skip = lessons.len().saturating_sub(LESSONS_MAX);
        let lessons = lessons.get(skip..).unwrap_or_default();
        Learned {
            templates: lessons.iter().filter_map(Remembered::of).collect(),
            bayes: Bayes::train(lessons.iter().map(|lesson| (lesson.label, lesson.traits.terms.as_slice()))),
        }
    }

    /// Whether nothing was ever taught.
    pub fn is_empty(&self) -> bool {
        self.bayes.mails() == 0
    }

    /// The second voice.
    pub fn bayes(&self) -> &Bayes {
        &self.bayes
    }

    /// Number of texts remembered.
    pub fn templates(&self) -> usize {
        self.templates.len()
    }

    /// The labelled texts that a mail repeats, nearest first, then newest.
    pub fn repeated<'l>(&'l self, traits: &Traits) -> Vec<&'l Remembered> {
        template::repeated(&self.templates, traits)
    }
}
