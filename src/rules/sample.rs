//! The message of a `[[message_test]]`: a small mail put together from sender, subject and text.

use super::set::MessageTest;
use crate::message::{Address, Block, HeaderFacts, Message, MessageId, Zone};

/// Longest line that may be a sign-off or a greeting, in characters.
const SHORT_LINE_CHARS: usize = 60;
/// How many paragraphs are the lead.
const LEAD_PARAGRAPHS: u32 = 2;

impl MessageTest {
    /// The message to judge.
    pub fn message(&self) -> Message {
        sample(&self.from, &self.subject, &self.body, self.reply)
    }
}

/// A message as the parser would give it for a plain-text mail: paragraphs, greeting, sign-off and quotation told
/// apart by their first words.
pub(super) fn sample(from: &str, subject: &str, body: &str, reply: bool) -> Message {
    let mut blocks = Vec::new();
    if !subject.is_empty() {
        blocks.push(Block { zone: Zone::Subject, paragraph: 0, text: subject.to_owned() });
    }
    let mut zone = Zone::Lead;
    let mut seen = 0;
    for (number, paragraph) in body.trim().split("\n\n").enumerate() {
        let text = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let first = paragraph.lines().next().unwrap_or_default().trim();
        if first.starts_with('>') || first.ends_with("wrote:") {
            zone = Zone::Quoted;
        } else if zone != Zone::Quoted && is_sign_off(first) {
            zone = Zone::Closing;
        } else if zone == Zone::Lead && !is_greeting(&text) {
            seen += 1;
        }
        blocks.push(Block { zone, paragraph: number as u32 + 1, text });
        if zone == Zone::Lead && seen >= LEAD_PARAGRAPHS {
            zone = Zone::Body;
        }
    }
    message(from, subject, blocks, reply)
}

fn is_greeting(text: &str) -> bool {
    text.chars().count() < SHORT_LINE_CHARS && text.ends_with([',', '!', ':'])
}

fn is_sign_off(line: &str) -> bool {
    let line = line.to_lowercase();
    let short = line.chars().count() < SHORT_LINE_CHARS;
    short && ["best", "kind regards", "regards", "sincerely", "mit freundlichen", "viele grüße", "cordialement"]
        .iter()
        .any(|s| line.starts_with(s))
}

fn message(from: &str, subject: &str, blocks: Vec<Block>, reply: bool) -> Message {
    Message {
        id: None,
        in_reply_to: reply.then(|| MessageId::new("earlier@example.org")).flatten(),
        references: Vec::new(),
        subject: subject.to_owned(),
        from: address(from).into_iter().collect(),
        sender: None,
        reply_to: Vec::new(),
        to: Vec::new(),
        cc: Vec::new(),
        delivered_to: Vec::new(),
        date: None,
        headers: HeaderFacts::default(),
        blocks,
        link_hosts: Vec::new(),
        calendar: None,
        hash: [0; 32],
        truncated: false,
        defects: Vec::new(),
    }
}

/// `Name <local@domain>` or a bare address.
fn address(text: &str) -> Option<Address> {
    let (name, email) = match text.rsplit_once('<') {
        Some((name, email)) => (name.trim().trim_matches('"'), email.trim_end_matches('>')),
        None => ("", text),
    };
    let (local, domain) = email.trim().rsplit_once('@')?;
    Some(Address { name: name.to_owned(), email: format!("{local}@{}", domain.to_lowercase()) })
}
