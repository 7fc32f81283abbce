//! From a no and what is known around it to a draft for review: who, which row, which text, which bytes.
//!
//! Every no gets a draft. Where nobody may be written to by itself the draft has no recipient and says why; where no
//! text exists in the mail's language the draft is empty and offers English. This module must not store or send.

use jiff::{Timestamp, Zoned};

use super::{
    Addressee, Caution, DraftKind, Identity, ProposedDraft,
    compose::{NotComposed, Parts, compose, references, reply_subject},
    conversations::{Interview, colleague, conversations},
    eligibility::{Eligibility, Relays, SenderKind, eligibility, is_own},
    occasion::occasion,
    person::{is_address, is_mailer, is_no_reply, personal_name, same_mailbox, signed_name, without_tag},
    policy::{Policy, Recipient, Row, Situation},
    template::{Templates, Values, Written, value},
};
use crate::{
    classify::Facts,
    draft::Envelope,
    message::{Address, Message, MessageId},
    outcome::Outcome,
};

/// A mail of the thread the no belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadMail {
    /// Its `Message-ID`.
    pub message_id: MessageId,
    /// Who wrote it.
    pub from: Address,
    /// Its `Subject`.
    pub subject: String,
    /// When it arrived.
    pub date: Timestamp,
    /// Whether a person wrote it.
    pub human: bool,
    /// Its `References`, oldest first.
    pub references: Vec<MessageId>,
}

/// What the log knows about this employer and this mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    /// The person asked this employer for feedback lately, or a draft that asks waits.
    pub asked_recently: bool,
    /// Another application is under way at this employer.
    pub live_process: bool,
    /// The person has answered this mail already.
    pub answered: bool,
}

/// Everything a draft is made from.
#[derive(Debug, Clone)]
pub struct ReplyContext<'a> {
    /// The no.
    pub message: &'a Message,
    /// What was read from it.
    pub facts: &'a Facts,
    /// What it means, corrections of the person included.
    pub outcome: &'a Outcome,
    /// The person's identities.
    pub identities: &'a [Identity],
    /// Other mails of the thread, in any order.
    pub thread: &'a [ThreadMail],
    /// What the log knows.
    pub history: History,
    /// What speaks against the mail being what it claims, see [`super::suspicion()`].
    pub warnings: &'a [Caution],
    /// Which of its addresses are those of relays.
    pub relays: Relays,
    /// When the no arrived.
    pub arrived: Timestamp,
    /// Mails of the same process that may have set a conversation.
    pub interviews: &'a [Interview],
    /// Others who wrote in person in this process, the latest first.
    pub people: &'a [Address],
    /// Now, in the person's zone: `Date` of the draft.
    pub now: &'a Zoned,
    /// Left side of the draft's `Message-ID`: letters, digits, `.`, `-` and `_`, unique for ever, e.g. a UUID.
    pub message_id_seed: &'a str,
    /// 0 for the wording the mail leads to, counted up for others of the same kind.
    pub variant: u32,
}

/// Why there is no draft: the configuration lacks something. No mail can cause it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotProposed {
    /// No identity has an address.
    #[error("no identity has an address to write from (add one under [[identity]])")]
    NoIdentity,
    /// The seed cannot make a `Message-ID`.
    #[error("the seed cannot stand in a Message-ID")]
    Seed,
    /// The message could not be made.
    #[error(transparent)]
    NotComposed(#[from] NotComposed),
}

/// The draft for a no, in the language of the mail.
pub fn propose(policy: &Policy, templates: &Templates, context: &ReplyContext) -> Result<ProposedDraft, NotProposed> {
    let known = &context.facts.language;
    let (from, _) = identity(context)?;
    let language = if known.is_empty() || known == "und" { from.language.clone() } else { known.clone() };
    propose_in(policy, templates, context, &language)
}

/// The draft for a no in a language of the person's choice (ISO 639-1).
pub fn propose_in(
    policy: &Policy,
    templates: &Templates,
    context: &ReplyContext,
    language: &str,
) -> Result<ProposedDraft, NotProposed> {
    let sender = sender_of(context);
    let row = policy.decide(&situation(context, sender.sender, last_human(context).is_some()));
    write(row, templates, context, language)
}

/// A mail that answers no other: to the sender of the last one if a person reads there, else to the last person of the
/// thread. `None` where nobody is known or the language has no text: what nobody waits for is not offered with holes.
pub fn propose_later(
    templates: &Templates,
    context: &ReplyContext,
    (kind, group): (DraftKind, &str),
) -> Result<Option<ProposedDraft>, NotProposed> {
    let known = &context.facts.language;
    let (from, _) = identity(context)?;
    let language = if known.is_empty() || known == "und" { from.language.clone() } else { known.clone() };
    let sender = sender_of(context);
    let to = if sender.reply_to.is_some() { Recipient::Sender } else { Recipient::Thread };
    let row = Row::later(kind, group, to);
    let draft = write(&row, templates, context, &language)?;
    Ok(draft.approvable().then_some(draft))
}

/// Who stands behind the mail, and whether they can be written to.
fn sender_of(context: &ReplyContext) -> Eligibility {
    let ReplyContext { message, facts, identities, relays, history, .. } = *context;
    eligibility(message, facts, identities, relays, history.answered)
}

/// Writes the draft that a row leads to.
fn write(
    row: &Row,
    templates: &Templates,
    context: &ReplyContext,
    language: &str,
) -> Result<ProposedDraft, NotProposed> {
    let (identity, from) = identity(context)?;
    let sender = sender_of(context);
    let target = target(context, &sender, last_human(context), row);

    let mut cautions = target.cautions;
    if !row.why.is_empty() {
        cautions.push(Caution::look(&row.id, row.why.clone()));
    }
    if !context.outcome.decided {
        cautions.push(Caution::look("undecided", "It is not certain that this mail is a no. Read it first."));
    }
    if let Some(caution) = from.caution {
        cautions.push(caution);
    }
    let values = values(context, identity, target.to.as_ref().map(Addressee::address));
    let pick = context.message.hash.iter().take(8).fold(0, |n: u64, byte| n.wrapping_shl(8) | u64::from(*byte));
    let pick = pick.wrapping_add(u64::from(context.variant));
    let written = match templates.write(language, row.draft, &row.template, &values, pick) {
        Some(written) => written,
        None => {
            cautions.push(no_template(language));
            let template = format!("{language}/{}/{}", row.draft, row.template);
            Written { template, text: String::new(), findings: Vec::new() }
        }
    };
    cautions.extend(written.findings.into_iter().map(Caution::from));

    let message_id = message_id(context.message_id_seed, &from.email).ok_or(NotProposed::Seed)?;
    let bytes = compose(&Parts {
        from: Address { name: identity.name.clone(), email: from.email.clone() },
        to: target.to.clone(),
        subject: reply_subject(target.subject),
        in_reply_to: target.parent,
        references: target.references,
        message_id: message_id.clone(),
        date: context.now.clone(),
        text: written.text,
    })?;
    Ok(ProposedDraft {
        kind: row.draft,
        row: row.id.clone(),
        template: written.template,
        language: language.to_owned(),
        envelope: Envelope { from: from.email, to: target.to.map(|to| to.address().email.clone()) },
        message_id: message_id.as_str().to_owned(),
        bytes,
        cautions,
    })
}

/// The caution that stands for a language without texts.
fn no_template(language: &str) -> Caution {
    let text = if language == "en" {
        "There is no text of this kind yet. Write it yourself, or discard the draft.".to_owned()
    } else {
        format!("There is no text in the mail's language ({language}). Choose English, or write it yourself.")
    };
    Caution::stop("no-template-in-language", text)
}

/// The address a draft is written from.
struct From {
    email: String,
    caution: Option<Caution>,
}

/// The identity the mail was delivered to, else the first one with a caution.
fn identity<'a>(context: &ReplyContext<'a>) -> Result<(&'a Identity, From), NotProposed> {
    let m = context.message;
    let own = || context.identities.iter().flat_map(|i| i.addresses.iter().map(move |a| (i, a)));
    let to: Vec<&str> = m.to.iter().chain(&m.cc).chain(&m.delivered_to).map(|a| a.email.as_str()).collect();
    let delivered = to.iter().find_map(|email| own().find(|(_, a)| same_mailbox(a, email)));
    let tagged = || to.iter().find_map(|email| own().find(|(_, a)| same_mailbox(a, &without_tag(email))));
    if let Some((identity, email)) = delivered.or_else(tagged) {
        return Ok((identity, From { email: email.clone(), caution: None }));
    }
    let (identity, email) = own().next().ok_or(NotProposed::NoIdentity)?;
    let text = "The mail does not say which of your addresses it was sent to. Check the sender.";
    Ok((identity, From { email: email.clone(), caution: Some(Caution::look("sender-address-guessed", text)) }))
}

/// What the policy rows are compared with. The outcome wins over the facts: the person may have corrected it.
fn situation(context: &ReplyContext, sender: SenderKind, human_in_thread: bool) -> Situation {
    Situation {
        stage: context.outcome.stage,
        reason: context.outcome.reason,
        sender,
        no_feedback: context.facts.no_feedback,
        offers_feedback: context.facts.offers_feedback,
        asked_recently: context.history.asked_recently,
        live_process: context.history.live_process,
        human_in_thread,
    }
}

/// The last mail of the thread by a human who can be written to.
fn last_human<'a>(context: &ReplyContext<'a>) -> Option<&'a ThreadMail> {
    context
        .thread
        .iter()
        .filter(|mail| mail.human && Some(&mail.message_id) != context.message.id.as_ref())
        .filter(|mail| is_address(&mail.from.email) && !is_no_reply(&mail.from.email) && !is_mailer(&mail.from.email))
        .filter(|mail| !is_own(&mail.from.email, context.identities))
        .max_by_key(|mail| mail.date)
}

/// Who is written to and where the reply hangs in the thread.
struct Target<'a> {
    to: Option<Addressee>,
    subject: &'a str,
    parent: Option<MessageId>,
    references: Vec<MessageId>,
    cautions: Vec<Caution>,
}

/// The recipient a row asks for, or nobody with the reason.
fn target<'a>(
    context: &ReplyContext<'a>,
    sender: &Eligibility,
    human: Option<&'a ThreadMail>,
    row: &Row,
) -> Target<'a> {
    let m = context.message;
    // A mail that is not what it claims says nothing true about its thread either.
    let trusted = context.warnings.is_empty();
    if row.to == Recipient::Thread
        && !context.history.answered
        && trusted
        && let Some((mail, to)) = human.and_then(|mail| Some((mail, Addressee::of_thread(mail)?)))
    {
        return Target {
            to: Some(to),
            subject: &mail.subject,
            parent: Some(mail.message_id.clone()),
            references: references(&mail.message_id, None, &mail.references),
            cautions: Vec::new(),
        };
    }
    let to = sender.reply_to.clone().filter(|_| row.to != Recipient::None && trusted);
    let mut cautions = if to.is_some() { sender.cautions.clone() } else { sender.stops.clone() };
    cautions.extend_from_slice(context.warnings);
    if to.is_none() {
        let text = "Nobody is known who would read an answer. Name a recipient, or discard the draft.";
        cautions.push(Caution::stop("no-reachable-address", text));
    }
    Target {
        to,
        subject: &m.subject,
        parent: m.id.clone(),
        references: m.id.as_ref().map(|id| references(id, m.in_reply_to.as_ref(), &m.references)).unwrap_or_default(),
        cautions,
    }
}

/// What the text may say. The name is that of the recipient: as they signed where the sender is written to, as their
/// address shows it where somebody else is.
fn values(context: &ReplyContext, identity: &Identity, to: Option<&Address>) -> Values {
    let from = context.message.from.first();
    let elsewhere = to.filter(|to| !context.message.from.iter().chain(&context.message.reply_to).any(|a| a == *to));
    let contact = match elsewhere {
        Some(other) => personal_name(other),
        None => signed_name(context.facts.signed_by.as_ref().map(|f| f.value.as_str()), from),
    };
    let zone = context.now.time_zone();
    let talked = conversations(context.interviews, context.outcome.stage, context.arrived, zone);
    let signer = context.facts.signed_by.as_ref().map(|fact| fact.value.as_str());
    let recipient = to.or(from);
    Values {
        colleague: recipient.and_then(|to| colleague(context.people, to, signer, context.identities)),
        rounds: talked.rounds,
        interview_day: talked.day,
        occasion: occasion(context.message, &context.facts.language, context.outcome.stage),
        employer: context.outcome.employer.as_deref().and_then(value),
        role: context.outcome.role.as_deref().and_then(value),
        contact,
        me: value(&identity.name),
    }
}

/// `<seed@domain of the sender>`.
fn message_id(seed: &str, from: &str) -> Option<MessageId> {
    let fine = !seed.is_empty() && seed.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    let (_, domain) = from.rsplit_once('@')?;
    // A domain with letters beyond ASCII cannot stand in an id; the seed alone keeps it unique.
    let domain = if domain.is_ascii() { domain } else { "localhost.invalid" };
    fine.then(|| MessageId::new(&format!("{seed}@{domain}"))).flatten()
}
