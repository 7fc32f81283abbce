//! Whether, to whom and what to answer: eligibility, the policy table, templates, composing, lint.
//!
//! Pure: from an outcome, its message and the history it makes a draft the person can read. It must not send, place
//! or store anything.
//!
//! [`propose()`] is the way in: [`eligibility()`] says who may be answered, [`suspicion()`] whether the mail is what it
//! claims, [`caps`] how often, [`policy`] which draft it is, [`template`] writes the text, [`compose`] makes the bytes, [`lint()`] checks the wording, [`edit`] takes the person's changes.

pub mod addressee;
pub mod auth_service;
pub mod caps;
pub mod compose;
pub mod conversations;
pub mod edit;
pub mod eligibility;
pub mod habit;
pub mod later;
pub mod lint;
mod look_alike;
pub mod occasion;
pub mod person;
pub mod policy;
pub mod propose;
mod request;
pub mod section;
pub mod suspicion;
pub mod template;

pub use self::{
    addressee::Addressee,
    auth_service::AuthService,
    caps::{Caps, Drafted, NoDraft},
    conversations::{Conversations, Interview, conversations},
    edit::{Edit, Purpose, Recomposed, editable, parse_edit, recompose},
    eligibility::{Eligibility, Relays, SenderKind, eligibility},
    lint::{Finding, lint},
    policy::Policy,
    propose::{History, NotProposed, ReplyContext, ThreadMail, propose, propose_in, propose_later},
    section::Problem,
    suspicion::suspicion,
    template::Templates,
};

use serde::{Deserialize, Serialize};

use crate::{draft::Envelope, outcome::named};

named! {
    /// What a draft wants.
    pub enum DraftKind {
        /// Thanks, nothing asked.
        ThankYou = "thank-you",
        /// Thanks and one question about next time.
        FeedbackRequest = "feedback-request",
        /// A friendly question how things stand, after a silence.
        FollowUp = "follow-up",
        /// A sign of life months after a no, to somebody who wrote in person.
        KeepInTouch = "keep-in-touch",
    }
}

impl DraftKind {
    /// Whether it answers a mail that just came, and not a silence.
    pub fn is_reply(self) -> bool {
        matches!(self, DraftKind::ThankYou | DraftKind::FeedbackRequest)
    }
}

/// One of the person's identities: who a reply comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The person's name as they sign.
    pub name: String,
    /// Addresses mail is delivered to; the first is the default to write from.
    pub addresses: Vec<String>,
    /// ISO 639-1: the language of drafts where the mail's own cannot be told.
    pub language: String,
}

/// A reply ready for review: exact bytes, exact envelope, and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedDraft {
    /// What it wants.
    pub kind: DraftKind,
    /// The policy row that chose it, e.g. `after-interview-human`.
    pub row: String,
    /// The template and variant, e.g. `en/feedback-request/after-interview/2`.
    pub template: String,
    /// ISO 639-1.
    pub language: String,
    /// From and to in SMTP; `to` is `None` when there is no reachable address.
    pub envelope: Envelope,
    /// `Message-ID` of the reply, fixed for its life.
    pub message_id: String,
    /// The message, CRLF line ends, ready to be sent.
    pub bytes: Vec<u8>,
    /// What the person should look at twice, e.g. `the mail is marked as automatic`. Codes with a sentence.
    pub cautions: Vec<Caution>,
}

/// Something to look at twice before approving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caution {
    /// kebab-case, stable, e.g. `no-reachable-address`.
    pub code: String,
    /// One sentence for the person.
    pub text: String,
    /// Whether it forbids approval until something is changed.
    pub stops: bool,
}

impl Caution {
    /// Something to look at twice.
    pub fn look(code: &str, text: impl Into<String>) -> Caution {
        Caution { code: code.to_owned(), text: text.into(), stops: false }
    }

    /// Something that has to be changed before the draft can be approved.
    pub fn stop(code: &str, text: impl Into<String>) -> Caution {
        Caution { code: code.to_owned(), text: text.into(), stops: true }
    }
}

impl ProposedDraft {
    /// Whether nothing stands in the way of an approval.
    pub fn approvable(&self) -> bool {
        self.envelope.to.is_some() && !self.cautions.iter().any(|c| c.stops)
    }
}
