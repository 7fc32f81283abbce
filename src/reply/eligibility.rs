//! Whom not to answer: RFC 3834 as one pure function.
//!
//! Hard stops name an address that must never be written to by itself; cautions are shown at review and stop nothing,
//! because a reply that a person approved is not an automatic one (RFC 3834 §1). This module must not choose a
//! template nor look for another recipient.

use super::{
    Addressee, Caution, Identity,
    person::{is_address, is_mailer, is_no_reply, organisation, personal_name, same_mailbox, without_tag},
};
use crate::{
    classify::Facts,
    message::{Address, Defect, Message},
    outcome::named,
};

named! {
    /// Who stands behind the address a reply would go to.
    pub enum SenderKind {
        /// A person or a mailbox somebody reads.
        Human = "human",
        /// Nobody: a no-reply address, a list, a bounce.
        NoReply = "no-reply",
        /// An applicant-tracking relay or a mass mailing.
        Relay = "relay",
        /// A recruiter who writes for several employers.
        Agency = "agency",
    }
}

/// Whether and where the sender of a message can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eligibility {
    /// Who a reply would reach.
    pub sender: SenderKind,
    /// The sender's address for a reply; `None` where a stop forbids it or nobody is there.
    pub reply_to: Option<Addressee>,
    /// Why the sender must not be written to: each names what the person can do.
    pub stops: Vec<Caution>,
    /// What to look at twice when the sender is written to.
    pub cautions: Vec<Caution>,
}

/// Which addresses of a mail belong to those who are known to relay hiring mail (`rules/senders.toml`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relays {
    /// The first one in `From`.
    pub from: bool,
    /// The first one in `Reply-To`.
    pub reply_to: bool,
}

/// Judges the sender of `message`. `answered` says that the person has answered this message already.
pub fn eligibility(
    message: &Message,
    facts: &Facts,
    identities: &[Identity],
    relays: Relays,
    answered: bool,
) -> Eligibility {
    let candidate = candidate(message, relays);
    let mut stops = address_stops(message, candidate, identities);
    let sender = if !stops.is_empty() || facts.noreply || candidate.is_none_or(|a| is_no_reply(&a.email)) {
        SenderKind::NoReply
    } else if facts.agency {
        SenderKind::Agency
    } else if is_bulk(message, facts) && !candidate.is_some_and(|a| is_known_human(a, facts)) {
        SenderKind::Relay
    } else {
        SenderKind::Human
    };
    if let Some((from, reply_to)) = elsewhere(message)
        && !relays.from
        && !relays.reply_to
        && facts.ats.is_none()
        && !is_no_reply(&from.email)
    {
        stops.push(Caution::stop(
            "reply-to-elsewhere",
            format!(
                "The mail came from {} but asks for answers at {}, another organisation. Name the one you mean.",
                from.email, reply_to.email
            ),
        ));
    }
    if answered {
        stops.push(Caution::stop(
            "already-answered",
            "You have already answered this mail. Name the recipient again to write once more.",
        ));
    }
    let reachable = stops.is_empty() && matches!(sender, SenderKind::Human | SenderKind::Agency);
    Eligibility {
        sender,
        reply_to: candidate.filter(|_| reachable).and_then(|address| Addressee::sender(message, address)),
        stops,
        cautions: candidate.filter(|_| reachable).map(|a| cautions(message, a)).unwrap_or_default(),
    }
}

/// `From` and `Reply-To`, where they belong to different organisations.
fn elsewhere(message: &Message) -> Option<(&Address, &Address)> {
    let (from, reply_to) = (message.from.first()?, message.reply_to.first()?);
    (organisation(from.domain()) != organisation(reply_to.domain())).then_some((from, reply_to))
}

/// The address a mail client would answer: `Reply-To`, where it is the sender's organisation, a person, a relay, or says
/// that nobody reads; otherwise `From`.
fn candidate(message: &Message, relays: Relays) -> Option<&Address> {
    let from = message.from.first();
    match (message.reply_to.first(), from) {
        (Some(reply_to), Some(from)) => {
            let same = organisation(reply_to.domain()) == organisation(from.domain());
            let taken = same
                || relays.reply_to
                || personal_name(reply_to).is_some()
                || is_no_reply(&reply_to.email)
                || is_no_reply(&from.email);
            Some(if taken { reply_to } else { from })
        }
        (reply_to, from) => reply_to.or(from),
    }
}

/// Stops that follow from the address or from what kind of message it is.
fn address_stops(message: &Message, candidate: Option<&Address>, identities: &[Identity]) -> Vec<Caution> {
    let mut stops = Vec::new();
    let mut stop = |code, text: &str| stops.push(Caution::stop(code, text));
    if message.defects.contains(&Defect::AmbiguousFrom) {
        stop("ambiguous-sender", "The mail names more than one sender. Name the recipient yourself.");
    }
    let Some(address) = candidate else {
        stop("no-sender", "The mail names no sender. Name the recipient yourself.");
        return stops;
    };
    if !is_address(&address.email) {
        stop("malformed-address", "The sender's address cannot be written to. Name the recipient yourself.");
    }
    if message.headers.delivery_report || is_mailer(&address.email) {
        stop("bounce", "This is a report of a mail system, nobody reads an answer.");
    } else if message.headers.null_return_path {
        stop("null-return-path", "The mail asks the mail system for no answer. Name the recipient yourself.");
    }
    if message.headers.list_id {
        stop("mailing-list", "The mail came through a mailing list. Name the one person you mean.");
    }
    if is_own(&address.email, identities) {
        stop("own-address", "The sender is one of your own addresses. Name the recipient yourself.");
    }
    stops
}

/// Whether the address is the person's, with or without a tag.
pub(crate) fn is_own(email: &str, identities: &[Identity]) -> bool {
    identities.iter().flat_map(|i| &i.addresses).any(|own| {
        same_mailbox(own, email) || same_mailbox(own, &without_tag(email)) || same_mailbox(&without_tag(own), email)
    })
}

/// Whether headers or the vendor say that a program sent it.
fn is_bulk(message: &Message, facts: &Facts) -> bool {
    let h = &message.headers;
    h.auto_submitted || h.precedence_bulk || h.list_unsubscribe || h.feedback_id || facts.ats.is_some()
}

/// Whether a person can be expected behind the address though a program sent the mail.
fn is_known_human(address: &Address, facts: &Facts) -> bool {
    personal_name(address).is_some() || facts.contact.as_ref().is_some_and(|c| same_mailbox(&c.value, &address.email))
}

/// What to look at twice when writing to `address`.
fn cautions(message: &Message, address: &Address) -> Vec<Caution> {
    let h = &message.headers;
    let mut found = Vec::new();
    let mut look = |holds: bool, code: &str, text: String| {
        if holds {
            found.push(Caution::look(code, text));
        }
    };
    look(h.auto_submitted, "auto-submitted", "The mail is marked as sent by a program.".into());
    look(h.precedence_bulk, "precedence-bulk", "The mail is marked as a mass mailing.".into());
    look(h.list_unsubscribe, "list-unsubscribe", "The mail offers to unsubscribe, as mass mailings do.".into());
    look(h.feedback_id, "feedback-id", "The mail was sent through a mailing service.".into());
    look(h.auto_response_suppress, "auto-response-suppress", "The mail asks for no automatic answers.".into());
    if let Some((from, reply_to)) = elsewhere(message) {
        let text = format!("The mail came from {} but asks for answers at {}.", from.email, reply_to.email);
        look(true, "reply-to-other-domain", text);
    }
    look(
        !address.email.is_ascii(),
        "non-ascii-address",
        "The recipient's address has letters that not every mail server takes.".into(),
    );
    look(h.opaque, "unreadable", "Part of the mail could not be read.".into());
    found
}
