//! The person's changes to a draft: the text they see in their editor, and the bytes made from what they wrote.
//!
//! The thread and the `Message-ID` never change. This module reads only bytes that [`super::compose`] made; mail of
//! others is read by [`crate::message`] alone.

use jiff::Zoned;
use mail_parser::MessageParser;

use super::{
    Addressee, Caution, DraftKind, Identity,
    compose::{NotComposed, Parts, compose, unflow},
    eligibility::is_own,
    lint::{Made, lint_made},
    person::{is_address, is_mailer, is_no_reply},
    template::{group_of, has_to_ask},
};
use crate::{
    clean,
    draft::Envelope,
    message::{Address, MessageId},
};

/// Largest text taken from an editor, in bytes.
const EDIT_BYTES_MAX: usize = 64 * 1024;

/// What of a draft can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The one recipient, as it was or as the person typed it; `None` while nobody is named.
    pub to: Option<Addressee>,
    /// The subject.
    pub subject: String,
    /// The text, one line a paragraph.
    pub body: String,
}

/// A draft after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recomposed {
    /// From and to in SMTP.
    pub envelope: Envelope,
    /// The message.
    pub bytes: Vec<u8>,
    /// What to look at; those of the earlier draft no longer hold.
    pub cautions: Vec<Caution>,
}

/// Something wrong with an edited draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct EditProblem {
    /// The line of the edited text, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// The bytes are not a draft of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRecomposed {
    /// A header that every draft of ours has is missing.
    #[error("the stored draft cannot be read")]
    NotADraft,
    /// The new message could not be made.
    #[error(transparent)]
    NotComposed(#[from] NotComposed),
}

impl Edit {
    /// The text for an editor: `To:`, `Subject:`, a blank line, the body. [`parse_edit`] reads it back.
    pub fn to_text(&self) -> String {
        let to = match self.to.as_ref().map(Addressee::address) {
            Some(Address { name, email }) if name.is_empty() => email.clone(),
            Some(Address { name, email }) => format!("{name} <{email}>"),
            None => String::new(),
        };
        format!("To: {to}\nSubject: {}\n\n{}\n", self.subject, self.body.trim_matches('\n'))
    }
}

/// What the person wrote in their editor, or everything that is wrong with it.
pub fn parse_edit(text: &str) -> Result<Edit, Vec<EditProblem>> {
    let mut problems = Vec::new();
    let mut report = |line, message: &str| problems.push(EditProblem { line, message: message.to_owned() });
    if text.len() > EDIT_BYTES_MAX {
        report(1, "the text is too long for a mail; shorten it");
    }
    let text = clean::text(text);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut to = None;
    let mut subject = String::new();
    for (line, field) in (1..).zip(head.lines()) {
        let (name, value) = field.split_once(':').unwrap_or((field, ""));
        match name.trim().to_lowercase().as_str() {
            "to" if value.trim().is_empty() => {}
            "to" => match Addressee::typed(value) {
                Some(address) => to = Some(address),
                None => report(line, "name one recipient, as `name@domain` or `Name <name@domain>`"),
            },
            "subject" => subject = clean::line(value),
            _ => report(line, "only `To:` and `Subject:` can stand here, then a blank line and the text"),
        }
    }
    if subject.is_empty() {
        report(1, "the subject is missing; write `Subject:` and a few words");
    }
    let body = body.trim_matches('\n').to_owned();
    if body.trim().is_empty() {
        report(head.lines().count().saturating_add(1), "the text is missing");
    }
    if problems.is_empty() { Ok(Edit { to, subject, body }) } else { Err(problems) }
}

/// What can be changed of a stored draft.
pub fn editable(bytes: &[u8]) -> Result<Edit, NotRecomposed> {
    let stored = read(bytes)?;
    Ok(Edit { to: stored.to, subject: stored.subject, body: stored.text })
}

/// What a draft is meant to be, and so what its text is held to.
#[derive(Debug, Clone, Copy)]
pub struct Purpose<'a> {
    /// ISO 639-1.
    pub language: &'a str,
    /// What it wants.
    pub kind: DraftKind,
    /// The name of the text it was made from.
    pub template: &'a str,
}

/// The draft with the person's changes: thread and `Message-ID` stay, `Date` becomes `now`.
pub fn recompose(
    bytes: &[u8],
    edit: &Edit,
    purpose: Purpose<'_>,
    identities: &[Identity],
    now: &Zoned,
) -> Result<Recomposed, NotRecomposed> {
    let stored = read(bytes)?;
    let from = stored.from.email.clone();
    let new = Parts {
        to: edit.to.clone(),
        subject: clean::line(&edit.subject),
        text: edit.body.clone(),
        date: now.clone(),
        ..stored
    };
    let mut cautions = recipient_cautions(edit.to.as_ref(), identities);
    // The person may know the gender and the title of whom they write to: no names are held against it.
    let group = group_of(purpose.template).unwrap_or_default();
    let made = Made { asks: has_to_ask(purpose.kind, group), names: &[] };
    cautions.extend(lint_made(&edit.body, purpose.language, made).into_iter().map(Caution::from));
    let envelope = Envelope { from, to: edit.to.as_ref().map(|to| to.address().email.clone()) };
    Ok(Recomposed { envelope, bytes: compose(&new)?, cautions })
}

/// What is to be said about a recipient the person named.
fn recipient_cautions(to: Option<&Addressee>, identities: &[Identity]) -> Vec<Caution> {
    let Some(to) = to.map(Addressee::address) else {
        return vec![Caution::stop("no-reachable-address", "Name a recipient, or discard the draft.")];
    };
    let mut cautions = Vec::new();
    if is_no_reply(&to.email) || is_mailer(&to.email) {
        cautions.push(Caution::stop("no-reply-address", "Nobody reads answers at this address. Name another one."));
    }
    if is_own(&to.email, identities) {
        cautions.push(Caution::stop("own-address", "This is one of your own addresses. Name another one."));
    }
    if !to.email.is_ascii() {
        let text = "The recipient's address has letters that not every mail server takes.";
        cautions.push(Caution::look("non-ascii-address", text));
    }
    cautions
}

/// A stored draft taken apart.
fn read(bytes: &[u8]) -> Result<Parts, NotRecomposed> {
    let parsed = MessageParser::new().parse(bytes).ok_or(NotRecomposed::NotADraft)?;
    let address = |header: Option<&mail_parser::Address>| {
        let first = header.and_then(|a| a.first())?;
        let email = first.address().filter(|e| is_address(e))?.to_owned();
        Some(Address { name: clean::line(first.name().unwrap_or_default()), email })
    };
    let ids = |value: &mail_parser::HeaderValue| -> Vec<MessageId> {
        let list = value.as_text_list().unwrap_or_default();
        list.iter().filter_map(|id| MessageId::new(id)).collect()
    };
    let message_id = parsed.message_id().and_then(MessageId::new).ok_or(NotRecomposed::NotADraft)?;
    let text = parsed.body_text(0).map(|t| unflow(&t)).unwrap_or_default();
    let date = parsed.date().ok_or(NotRecomposed::NotADraft)?;
    let date = jiff::Timestamp::from_second(date.to_timestamp()).map_err(|_| NotRecomposed::NotADraft)?;
    Ok(Parts {
        from: address(parsed.from()).ok_or(NotRecomposed::NotADraft)?,
        to: address(parsed.to()).and_then(|to| Addressee::kept(&to.name, &to.email)),
        subject: clean::line(parsed.subject().unwrap_or_default()),
        in_reply_to: ids(parsed.in_reply_to()).into_iter().next(),
        references: ids(parsed.references()),
        message_id,
        date: date.to_zoned(jiff::tz::TimeZone::UTC),
        text: text.trim_matches('\n').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edited_texts_by_table() {
        let to = |name: &str, email: &str| Addressee::kept(name, email);
        for (text, expected) in [
            ("To: anna@Kestrel.example\nSubject: Re: x\n\nHi\n\nthere\n", to("", "anna@kestrel.example")),
            (
                "to: Anna Schmidt <anna@kestrel.example>\nsubject: Re: x\n\nHi\n\nthere",
                to("Anna Schmidt", "anna@kestrel.example"),
            ),
            ("To:\nSubject: Re: x\n\nHi\n\nthere", None),
        ] {
            let edit = parse_edit(text).unwrap();
            assert_eq!((edit.to.clone(), edit.body.as_str()), (expected, "Hi\n\nthere"), "{text}");
            assert_eq!(parse_edit(&edit.to_text()), Ok(edit));
        }
    }

    #[test]
    fn everything_wrong_with_an_edit_is_said_at_once() {
        let lines = |text: &str| parse_edit(text).unwrap_err().iter().map(|p| p.line).collect::<Vec<_>>();
        assert_eq!(lines("To: a@x.example, b@x.example\nBcc: c@x.example\n\n"), [1, 2, 1, 3]);
        assert_eq!(lines("To: a@x.example\nSubject: x"), [3]);
        assert_eq!(lines("Hello Anna\n\ntext"), [1, 1]);
    }
}
