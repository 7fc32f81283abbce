//! A mail as the rest of the product sees it: parsed, decoded, cleaned, cut into zones.
//!
//! [`Message::parse`] is total: any bytes give a message and a list of defects. This is the only module that knows
//! the MIME parser. It must not judge what a message means.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::outcome::named;

pub use self::{ids::ThreadIds, parse::Remembered};

mod auth;
#[rustfmt::skip] // Tables of words.
mod cues;
mod decode;
mod domain;
mod guard;
mod headers;
mod html;
mod ids;
mod merge;
mod openings;
mod parse;
mod quote;
mod report;
mod text;
mod zones;

pub use self::{
    auth::{AuthResult, AuthResults},
    domain::registrable,
    report::Returned,
};

/// One e-mail message (RFC 5322), cleaned: no field holds a control character, a bidirectional override or a raw
/// header line.
#[derive(Debug, Clone)]
pub struct Message {
    /// `Message-ID`, where there is a usable one.
    pub id: Option<MessageId>,
    /// `In-Reply-To`, the first usable id.
    pub in_reply_to: Option<MessageId>,
    /// `References`, oldest first, at most [`REFERENCES_MAX`].
    pub references: Vec<MessageId>,
    /// `Subject`, decoded; empty where there is none.
    pub subject: String,
    /// `From`. More than one entry is a defect ([`Defect::AmbiguousFrom`]).
    pub from: Vec<Address>,
    /// `Sender`.
    pub sender: Option<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Delivered-To`, `X-Original-To`, `Envelope-To`: where the provider delivered it.
    pub delivered_to: Vec<Address>,
    /// `Date` as the sender claims it. Order by the mailbox's INTERNALDATE, not by this.
    pub date: Option<Timestamp>,
    /// What the other headers tell about how the message was sent.
    pub headers: HeaderFacts,
    /// The text in blocks of one zone each, in reading order, subject first. Sentences that both the plain and the
    /// HTML part hold stand here once.
    pub blocks: Vec<Block>,
    /// Host names of the links in the HTML part, lower case, without repetition, at most [`LINKS_MAX`].
    pub link_hosts: Vec<String>,
    /// Links of the HTML part that show one host and lead to another, at most [`LINK_LIES_MAX`].
    pub link_lies: Vec<LinkLie>,
    /// What the server that took the mail in says of its sender: the topmost field alone, whoever wrote it.
    pub auth: Option<AuthResults>,
    /// The mail that came back, where this is a report that one could not be delivered.
    pub returned: Option<Returned>,
    /// The headers of the mail that this one passes on, where there is one: a `message/rfc822` part or the header
    /// lines below a "forwarded message" mark.
    pub forwarded: Option<ForwardedHeaders>,
    /// The mail inside, where the reader passed it on to themselves and added nothing: that one is to be judged and
    /// answered. See [`Message::unwrapped`].
    pub inside: Option<Box<Message>>,
    /// The calendar invitation, where a `text/calendar` part came along.
    pub calendar: Option<Calendar>,
    /// SHA-256 over From, Date, Subject, Message-ID and the white-space-folded text: equal for the same mail delivered
    /// twice by different routes, different when the content differs.
    pub hash: [u8; 32],
    /// Whether only the first bytes were fetched and the text may go on.
    pub truncated: bool,
    /// What was wrong with the bytes.
    pub defects: Vec<Defect>,
}

/// How much of the message the bytes given to [`Message::parse`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// All of it.
    Whole,
    /// The first bytes only, as of a partial `FETCH`.
    Part,
}

impl Fetched {
    /// From whether something is missing at the end.
    pub fn of(truncated: bool) -> Fetched {
        if truncated { Fetched::Part } else { Fetched::Whole }
    }
}

impl Message {
    /// The address a reply would be judged by: the first of `From`.
    pub fn first_from(&self) -> Option<&Address> {
        self.from.first()
    }

    /// The mail to judge and to answer: the one inside where the reader passed it on to themselves, else this one.
    pub fn unwrapped(&self) -> &Message {
        self.inside.as_deref().unwrap_or(self)
    }

    /// The text of every block in `zone`, in reading order.
    pub fn texts(&self, zone: Zone) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter(move |block| block.zone == zone).map(|block| block.text.as_str())
    }

    /// Whether the message says that it answers another: `In-Reply-To`, `References` or a `Re:` of any language.
    pub fn is_reply(&self) -> bool {
        self.in_reply_to.is_some() || !self.references.is_empty() || quote::subject(&self.subject).reply
    }

    /// Whether the subject says that the message answers another one (`Re:` in any language).
    pub fn is_reply_by_subject(&self) -> bool {
        quote::subject(&self.subject).reply
    }

    /// Whether the text begins by greeting somebody, on a line of its own or not: then it is a letter.
    pub fn greets(&self) -> bool {
        let first = self.blocks.iter().find(|block| !matches!(block.zone, Zone::Subject | Zone::Preheader));
        first.is_some_and(|block| text::is_greeting(&block.text) || text::opens_like_greeting(&block.text))
    }

    /// Whether the headers say that it was sent to many or by a machine.
    pub fn is_bulk(&self) -> bool {
        let h = &self.headers;
        h.list_id || h.list_unsubscribe || h.precedence_bulk || h.auto_submitted
    }

    /// Whether the subject says that the message passes another one on (`Fwd:` in any language).
    pub fn is_forward(&self) -> bool {
        quote::subject(&self.subject).forward
    }
}

/// What is known of a mail that was passed on, cleaned like every other header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForwardedHeaders {
    /// Who wrote it.
    pub from: Option<Address>,
    /// To whom, the first of them.
    pub to: Option<Address>,
    /// Its subject; empty where there is none.
    pub subject: String,
}

/// Most `References` kept, as RFC 5322 sets no bound: the first and the last ones.
pub const REFERENCES_MAX: usize = 21;
/// Most link hosts kept.
pub const LINKS_MAX: usize = 50;
/// Most links kept that show another host than they lead to; one is enough to warn.
pub const LINK_LIES_MAX: usize = 10;

/// A link whose text is the address of one host and that leads to another organisation's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLie {
    /// The host that the reader sees, lower case.
    pub shown: String,
    /// The host that it leads to, lower case.
    pub host: String,
}

/// A `Message-ID` without its angle brackets, checked: 1–250 characters, ASCII, no white space, no angle bracket,
/// holds one `@` or is a synthetic id. Safe inside a header and a quoted IMAP string after quoting.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageId(String);

impl MessageId {
    /// Longest id taken, in bytes: folded into a header it stays below the 998 of RFC 5322 §2.1.1 with room.
    pub const BYTES_MAX: usize = 250;

    /// Takes an id with or without angle brackets; `None` where it could not stand in a header.
    pub fn new(text: &str) -> Option<MessageId> {
        let text = text.trim();
        let text = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
        let fine = (1..=Self::BYTES_MAX).contains(&text.len())
            && text.contains('@')
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
        fine.then(|| MessageId(text.to_owned()))
    }

    /// The id without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// A mailbox address with its display name (RFC 5322 §3.4), both cleaned. `email` is `local@domain` with a lower-case
/// domain and holds no white space, quote or angle bracket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The display name; empty where there is none.
    pub name: String,
    /// `local@domain`.
    pub email: String,
}

impl Address {
    /// The part before the last `@`.
    pub fn local(&self) -> &str {
        self.email.rsplit_once('@').map_or(self.email.as_str(), |(local, _)| local)
    }

    /// The part after the last `@`, lower case.
    pub fn domain(&self) -> &str {
        self.email.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Facts from headers that speak about how a message was sent (RFC 3834, RFC 2369, RFC 2919, RFC 3464).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderFacts {
    /// `Auto-Submitted` with any value but `no`.
    pub auto_submitted: bool,
    /// `Precedence: bulk`, `list` or `junk`.
    pub precedence_bulk: bool,
    /// `List-Id` or `List-Post`: a discussion list.
    pub list_id: bool,
    /// `List-Unsubscribe`: bulk mail of any kind, most applicant-tracking mail included.
    pub list_unsubscribe: bool,
    /// `X-Auto-Response-Suppress` asks for no automatic answer.
    pub auto_response_suppress: bool,
    /// `Feedback-ID`, as mailing services set it.
    pub feedback_id: bool,
    /// `Return-Path: <>`.
    pub null_return_path: bool,
    /// `multipart/report` or `X-Failed-Recipients`: a delivery status notification.
    pub delivery_report: bool,
    /// Whether the message was encrypted or its text otherwise cannot be read.
    pub opaque: bool,
}

named! {
    /// Where in a message a text stands. Only some zones are judged (`rules.md` §3.3).
    pub enum Zone {
        /// The subject without `Re:`, `Fwd:` and the like.
        Subject = "subject",
        /// The first two paragraphs that are no greeting.
        Lead = "lead",
        /// The rest before the sign-off.
        Body = "body",
        /// From the sign-off line on.
        Closing = "closing",
        /// Legal text, unsubscribe lines, mailing addresses.
        Footer = "footer",
        /// Text of an earlier mail.
        Quoted = "quoted",
        /// A mail passed on, by whom ever.
        Forwarded = "forwarded",
        /// Text hidden from the reader.
        Preheader = "preheader",
    }
}

/// A paragraph, list item or table cell: text of one zone in which sentences may be found. Lines of a hard-wrapped
/// paragraph are joined by a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it stands.
    pub zone: Zone,
    /// The paragraph it belongs to, counted from 0 over the message; rules with `scope = "paragraph"` use it.
    pub paragraph: u32,
    /// The text, cleaned, never empty.
    pub text: String,
}

/// What a `text/calendar` part says (RFC 5545, RFC 5546).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// `METHOD`, upper case, e.g. `REQUEST`, `CANCEL`, `REPLY`.
    pub method: String,
    /// `SUMMARY`, cleaned.
    pub summary: String,
}

named! {
    /// What was wrong with a message's bytes. Named for `onward classify --json`.
    pub enum Defect {
        /// No bytes, or white space only.
        Empty = "empty",
        /// No `From`, or none with an address.
        NoFrom = "no_from",
        /// Several `From` headers or addresses.
        AmbiguousFrom = "ambiguous_from",
        /// Several `Subject`, `Reply-To` or `Message-ID` headers.
        DuplicateHeader = "duplicate_header",
        /// No `Message-ID`, or one that cannot stand in a header.
        NoMessageId = "no_message_id",
        /// No `Date`, or one that cannot be read.
        NoDate = "no_date",
        /// No text could be read.
        NoText = "no_text",
        /// Nested deeper than the limit: only the headers were read.
        TooDeep = "too_deep",
        /// More parts than the limit: only the first ones were read.
        TooManyParts = "too_many_parts",
        /// Larger than the limit, or fetched in part.
        Truncated = "truncated",
        /// Bytes that do not belong to the declared charset.
        BadCharset = "bad_charset",
        /// The parser failed on it; what could be saved was saved.
        ParserFailed = "parser_failed",
    }
}
