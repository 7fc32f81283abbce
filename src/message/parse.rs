//! Bytes to [`Message`]: headers, parts, text, in that order. Never fails.

use mail_parser::{MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};

use super::{
    Address, Block, Calendar, Defect, Fetched, ForwardedHeaders, HeaderFacts, LinkLie, Message, MessageId, Zone,
    decode::{self, TransferEncoding},
    guard,
    headers::{self, Fields},
    html, merge, quote, report,
    text::{self, Flow, Line},
    zones::{self, Context},
};
use crate::clean;

/// Text parts that are read. A mail with more is a list digest, not one statement.
const TEXT_PARTS_MAX: usize = 20;

impl Message {
    /// Reads a message from its bytes. Total: any bytes give a message, and what was wrong stands in
    /// [`Message::defects`]. Line ends may be CRLF or LF; an mbox `From ` line before the headers is passed over.
    pub fn parse(bytes: &[u8], fetched: Fetched) -> Message {
        let admitted = guard::admit(without_prelude(bytes));
        let mut message = empty();
        message.defects.extend(&admitted.defects);
        message.truncated = fetched == Fetched::Part || admitted.defects.contains(&Defect::Truncated);
        if message.truncated {
            note(&mut message, Defect::Truncated);
        }
        if admitted.bytes.is_empty() {
            message.defects = vec![Defect::Empty, Defect::NoFrom, Defect::NoMessageId, Defect::NoDate, Defect::NoText];
            seal(&mut message);
            return message;
        }
        headers::read(&Fields::split(guard::header_section(admitted.bytes)), &mut message);
        let content = match guard::parsed(&admitted, |parsed| Content::of(parsed, admitted.bytes)) {
            Ok(Some(content)) => content,
            Ok(None) => Content::of_bare_text(admitted.bytes),
            Err(guard::Failed) => {
                note(&mut message, Defect::ParserFailed);
                Content::default()
            }
        };
        take(content, &mut message);
        seal(&mut message);
        message
    }
}

/// What the log keeps of a message whose octets are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// `Message-ID`.
    pub id: Option<MessageId>,
    /// `References` with `In-Reply-To`, oldest first.
    pub references: Vec<MessageId>,
    /// The subject.
    pub subject: String,
    /// `From`.
    pub from: Address,
    /// The address of the person's that answered it.
    pub to: Option<Address>,
}

impl Message {
    /// A message as far as the log remembers it: enough to write once more to who sent it. It has no text.
    pub fn remembered(remembered: Remembered) -> Message {
        let Remembered { id, references, subject, from, to } = remembered;
        let mut message = empty();
        message.in_reply_to = references.last().cloned();
        (message.id, message.references, message.subject) = (id, references, subject);
        message.from.push(from);
        message.to.extend(to);
        message.defects.push(Defect::NoText);
        message
    }
}

/// Without white space, byte-order mark and the separator line of an mbox file before the first header.
fn without_prelude(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if bytes.starts_with(b"From ") || bytes.starts_with(b">From ") {
        let end = bytes.iter().position(|&b| b == b'\n').map_or(bytes.len(), |at| at + 1);
        return bytes.get(end..).unwrap_or_default();
    }
    bytes
}

fn empty() -> Message {
    Message {
        id: None,
        in_reply_to: None,
        references: Vec::new(),
        subject: String::new(),
        from: Vec::new(),
        sender: None,
        reply_to: Vec::new(),
        to: Vec::new(),
        cc: Vec::new(),
        delivered_to: Vec::new(),
        date: None,
        headers: HeaderFacts::default(),
        blocks: Vec::new(),
        link_hosts: Vec::new(),
        link_lies: Vec::new(),
        auth: None,
        returned: None,
        forwarded: None,
        inside: None,
        calendar: None,
        hash: [0; 32],
        truncated: false,
        defects: Vec::new(),
    }
}

fn note(message: &mut Message, defect: Defect) {
    if !message.defects.contains(&defect) {
        message.defects.push(defect);
    }
}

/// What the parts of one message hold, decoded.
#[derive(Default)]
struct Content {
    plain: Vec<(String, Flow)>,
    html: Vec<String>,
    calendar: Option<Calendar>,
    /// The first `message/rfc822` part: its headers, and what it holds.
    embedded: Option<Box<(Message, Content)>>,
    encrypted: bool,
    /// Holds a container that we cannot open.
    sealed: bool,
    report: bool,
    returned: report::Pieces,
    defects: Vec<Defect>,
}

impl Content {
    /// Decodes the parts of a message and of the first one inside it. `raw` is what was parsed: offsets count there.
    fn of(parsed: &mail_parser::Message<'_>, raw: &[u8]) -> Content {
        let mut content = Content::default();
        content.read_parts(parsed, raw);
        let inner = parsed.parts.iter().take(guard::PARTS_MAX).find_map(|part| match &part.body {
            PartType::Message(inner) => inner.parts.first().map(|root| (inner, root)),
            _ => None,
        });
        if let Some((inner, root)) = inner {
            let section = raw.get(root.offset_header as usize..).map(guard::header_section).unwrap_or_default();
            let mut mail = empty();
            headers::read(&Fields::split(section), &mut mail);
            let mut embedded = Content::default();
            embedded.read_parts(inner, raw);
            content.defects.append(&mut embedded.defects);
            content.returned.id = content.returned.id.or_else(|| mail.id.clone());
            content.embedded = Some(Box::new((mail, embedded)));
        }
        content
    }

    /// Bytes without any header field are taken for text.
    fn of_bare_text(bytes: &[u8]) -> Content {
        let (text, bad) = decode::text(bytes, TransferEncoding::Identity, None);
        let mut content = Content::default();
        content.add_plain(text, Flow::Fixed);
        content.defects.extend(bad.then_some(Defect::BadCharset));
        content
    }

    fn read_parts(&mut self, parsed: &mail_parser::Message<'_>, raw: &[u8]) {
        if parsed.parts.len() > guard::PARTS_MAX {
            self.defects.push(Defect::TooManyParts);
        }
        for (number, part) in parsed.parts.iter().take(guard::PARTS_MAX).enumerate() {
            self.read_part(part, raw, number == 0);
        }
    }

    fn read_part(&mut self, part: &MessagePart<'_>, raw: &[u8], root: bool) {
        let kind = part.content_type();
        let (main, sub) = kind.map_or(("text", "plain"), |k| (k.ctype(), k.subtype().unwrap_or_default()));
        match (main, sub, &part.body) {
            (_, _, PartType::Message(_)) => {}
            ("multipart", "encrypted", _) => self.encrypted = true,
            ("multipart", "report", PartType::Multipart(_)) if root => {
                self.report = true;
                let about = kind.and_then(|k| k.attribute("report-type")).unwrap_or("delivery-status");
                self.returned.other = !about.eq_ignore_ascii_case("delivery-status");
            }
            (_, _, PartType::Multipart(_)) => {}
            ("application", "pkcs7-mime" | "x-pkcs7-mime" | "ms-tnef", _) => self.sealed = true,
            ("message", "delivery-status" | "global-delivery-status", _) => {
                let status = self.decoded(part, raw);
                self.returned.status.get_or_insert(status);
            }
            ("text", "rfc822-headers", _) => {
                let section = raw.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
                self.returned.id = self.returned.id.take().or_else(|| Fields::split(section).id("Message-ID"));
            }
            ("text", "calendar", _) => {
                if self.calendar.is_none() {
                    let method = kind.and_then(|k| k.attribute("method")).unwrap_or_default();
                    self.calendar = Some(calendar(&self.decoded(part, raw), method));
                }
            }
            // A multipart without its boundary is text to the parser, and to the reader.
            ("text", "plain" | "html", _) | ("multipart", ..) if is_shown(part) => {
                if self.plain.len() + self.html.len() >= TEXT_PARTS_MAX {
                    self.defects.push(Defect::TooManyParts);
                    return;
                }
                let text = self.decoded(part, raw);
                if sub == "html" || starts_like_html(&text) {
                    self.add_html(text);
                } else {
                    self.add_plain(text, flow(part));
                }
            }
            _ => self.sealed |= part.attachment_name().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat")),
        }
    }

    fn decoded(&mut self, part: &MessagePart<'_>, raw: &[u8]) -> String {
        let bytes = raw.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
        let encoding = part.headers.iter().rev().find_map(|header| match (&header.name, &header.value) {
            (mail_parser::HeaderName::ContentTransferEncoding, mail_parser::HeaderValue::ContentType(value)) => {
                Some(TransferEncoding::named(value.ctype()))
            }
            _ => None,
        });
        let charset = part.content_type().and_then(|kind| kind.attribute("charset"));
        let (text, bad) = decode::text(bytes, encoding.unwrap_or(TransferEncoding::Identity), charset);
        if bad && !self.defects.contains(&Defect::BadCharset) {
            self.defects.push(Defect::BadCharset);
        }
        text
    }

    fn add_plain(&mut self, text: String, flow: Flow) {
        let text = self.bounded(text);
        self.encrypted |= text.trim_start().starts_with("-----BEGIN PGP MESSAGE-----");
        self.plain.push((text, flow));
    }

    fn add_html(&mut self, text: String) {
        let text = self.bounded(text);
        self.html.push(text);
    }

    fn bounded(&mut self, mut text: String) -> String {
        let cut = text::bound(&mut text);
        self.defects.extend(cut.then_some(Defect::Truncated));
        text
    }
}

/// Whether a text part is for reading: attached files are not, whatever they hold.
fn is_shown(part: &MessagePart<'_>) -> bool {
    !part.content_disposition().is_some_and(|disposition| disposition.is_attachment())
}

fn flow(part: &MessagePart<'_>) -> Flow {
    let attribute = |name| part.content_type().and_then(|kind| kind.attribute(name)).unwrap_or_default();
    if attribute("format").eq_ignore_ascii_case("flowed") {
        Flow::Flowed { delsp: attribute("delsp").eq_ignore_ascii_case("yes") }
    } else {
        Flow::Fixed
    }
}

/// Some senders put HTML into the plain part.
fn starts_like_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).flat_map(char::to_lowercase).collect();
    start.starts_with("<html") || start.starts_with("<!doctype html")
}

/// Reads method and summary (RFC 5545 §3.1: long lines are folded; §3.8.1.12).
fn calendar(text: &str, method_of_part: &str) -> Calendar {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let value = |name: &str| {
        unfolded.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.split(';').next()?.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let method = value("METHOD").unwrap_or_else(|| method_of_part.to_owned());
    let summary = value("SUMMARY").unwrap_or_default().replace("\\n", " ").replace("\\N", " ").replace('\\', "");
    Calendar { method: clean::line(&method).to_ascii_uppercase(), summary: clean::line(&summary) }
}

/// Turns decoded parts into blocks and facts.
fn take(mut content: Content, message: &mut Message) {
    let subject = quote::subject(&message.subject);
    let context = Context { reply: message.is_reply(), forward: subject.forward };
    let mut blocks = subject_block(&message.subject);
    for defect in &content.defects {
        note(message, *defect);
    }
    message.truncated |= content.defects.contains(&Defect::Truncated);
    message.headers.delivery_report |= content.report;
    let (encrypted, sealed) = (content.encrypted, content.sealed);
    message.calendar = content.calendar.clone();

    if message.headers.delivery_report || by_a_mailer(message) {
        let pieces = std::mem::take(&mut content.returned);
        let texts = content.plain.iter().map(|(text, _)| text.as_str());
        message.returned = report::read(pieces, message.in_reply_to.as_ref(), texts);
    }
    let text = read_text(&content, context);
    message.forwarded = text.forwarded;
    message.link_hosts = text.link_hosts;
    message.link_lies = text.link_lies;
    append(&mut blocks, text.blocks);
    let mut inside = text.inside.map(|blocks| mail_of_text(message, blocks));
    if let Some((mut mail, inner)) = content.embedded.map(|embedded| *embedded) {
        let mut as_part = read_text(&inner, context).blocks;
        for block in &mut as_part {
            if !matches!(block.zone, Zone::Quoted | Zone::Preheader) {
                block.zone = Zone::Forwarded;
            }
        }
        append(&mut blocks, as_part);
        message.forwarded.get_or_insert_with(|| ForwardedHeaders {
            from: mail.from.first().cloned(),
            to: mail.to.first().cloned(),
            subject: quote::subject(&mail.subject).bare.to_owned(),
        });
        take(inner, &mut mail);
        seal(&mut mail);
        inside.get_or_insert(mail);
    }
    let has_text = blocks.iter().any(|block| block.zone != Zone::Subject);
    message.headers.opaque = encrypted || (sealed && !has_text);
    if !has_text {
        note(message, Defect::NoText);
    }
    message.blocks = blocks;
    let passed_on = |inner: &Message| by_the_reader(message, inner) && own_words(&message.blocks) <= COVER_WORDS_MAX;
    message.inside = inside.filter(passed_on).map(Box::new);
}

/// Whether the mail system itself wrote (RFC 5321 §4.5.5): servers from before the standard for reports mark nothing else.
fn by_a_mailer(message: &Message) -> bool {
    let Some(from) = message.from.first() else { return false };
    let is = |name: &str| from.local().eq_ignore_ascii_case(name);
    is("mailer-daemon") || (is("postmaster") && message.headers.null_return_path)
}

fn subject_block(subject: &str) -> Vec<Block> {
    let bare = quote::subject(subject).bare;
    let block = Block { zone: Zone::Subject, paragraph: 0, text: bare.to_owned() };
    if bare.is_empty() { Vec::new() } else { vec![block] }
}

/// Words above a mail that is passed on up to which they say nothing of their own: "for my records".
const COVER_WORDS_MAX: usize = 12;

fn own_words(blocks: &[Block]) -> usize {
    let own = blocks.iter().filter(|block| matches!(block.zone, Zone::Lead | Zone::Body));
    own.flat_map(|block| block.text.split_whitespace()).count()
}

/// Whether a mail was passed on by the one it was sent to. Anybody else who passes a mail on tells of somebody's mail.
fn by_the_reader(outer: &Message, inner: &Message) -> bool {
    let same = |a: &Address, b: &Address| a.email.eq_ignore_ascii_case(&b.email);
    let Some(from) = outer.from.first() else { return false };
    let was_sent_to = inner.to.iter().any(|to| same(to, from));
    let to_oneself = inner.to.is_empty() && outer.to.iter().any(|to| same(to, from));
    inner.from.first().is_some_and(|sender| !same(sender, from)) && (was_sent_to || to_oneself)
}

/// The mail shown inside the text of another one.
fn mail_of_text(outer: &Message, text: Vec<Block>) -> Message {
    let headers = outer.forwarded.clone().unwrap_or_default();
    let mut mail = empty();
    mail.from.extend(headers.from);
    mail.to.extend(headers.to);
    mail.blocks = subject_block(&headers.subject);
    mail.subject = headers.subject;
    // When it was sent is written in the words of some mail program; the one around it cannot be older.
    mail.date = outer.date;
    mail.link_hosts = outer.link_hosts.clone();
    mail.link_lies = outer.link_lies.clone();
    append(&mut mail.blocks, text);
    seal(&mut mail);
    mail
}

/// Adds blocks with paragraph numbers of their own.
fn append(blocks: &mut Vec<Block>, more: Vec<Block>) {
    let offset = blocks.last().map_or(0, |block| block.paragraph.saturating_add(1));
    blocks.extend(more.into_iter().map(|block| Block { paragraph: block.paragraph.saturating_add(offset), ..block }));
}

struct Text {
    blocks: Vec<Block>,
    forwarded: Option<ForwardedHeaders>,
    /// The text of the mail that is passed on, in zones of its own.
    inside: Option<Vec<Block>>,
    link_hosts: Vec<String>,
    link_lies: Vec<LinkLie>,
}

/// Zones of the plain and the HTML text, the fuller one first.
fn read_text(content: &Content, context: Context) -> Text {
    let mut plain: Vec<Line> = Vec::new();
    for (text, flow) in &content.plain {
        add_lines(&mut plain, text::plain(text, *flow));
    }
    let (mut html, mut link_hosts, mut link_lies): (Vec<Line>, Vec<String>, Vec<LinkLie>) = Default::default();
    for text in &content.html {
        let read = html::read(text);
        add_lines(&mut html, read.lines);
        link_hosts.extend(read.link_hosts);
        link_lies.extend(read.link_lies);
    }
    link_hosts.truncate(super::LINKS_MAX);
    link_lies.truncate(super::LINK_LIES_MAX);
    let plain_leads = merge::plain_leads(&plain, &html);
    let (first_lines, second_lines) = if plain_leads { (plain, html) } else { (html, plain) };
    let (first, second) = (zones::zoned(&first_lines, context), zones::zoned(&second_lines, context));
    let inside =
        [(first.inside, first_lines), (second.inside, second_lines)].map(|(at, lines)| inner_blocks(at, lines));
    let inside = inside.into_iter().flatten().reduce(merge::merged);
    let mut blocks = merge::merged(first.blocks, second.blocks);
    zones::unfoot(&mut blocks);
    Text { blocks, forwarded: first.forwarded.or(second.forwarded), inside, link_hosts, link_lies }
}

/// The lines of a mail that is passed on, from `at` on, cut as if it had come by itself.
fn inner_blocks(at: Option<usize>, lines: Vec<Line>) -> Option<Vec<Block>> {
    let mut lines = lines;
    let mut inner = lines.split_off(at?.min(lines.len()));
    for line in &mut inner {
        // Programs set the whole mail that they pass on as a quote.
        if line.form == text::Form::Quoted {
            line.form = text::Form::Shown;
        }
    }
    let mut blocks = zones::zoned(&inner, Context { reply: false, forward: false }).blocks;
    zones::unfoot(&mut blocks);
    (!blocks.is_empty()).then_some(blocks)
}

fn add_lines(lines: &mut Vec<Line>, more: Vec<Line>) {
    let offset = lines.last().map_or(0, |line| line.paragraph + 1);
    lines.extend(more.into_iter().map(|line| Line { paragraph: line.paragraph + offset, ..line }));
}

/// Computes the hash when all else is known.
fn seal(message: &mut Message) {
    let mut hashed: Vec<u8> = Vec::new();
    let mut field = |text: &str| {
        hashed.extend_from_slice(text.as_bytes());
        hashed.push(0);
    };
    message.from.iter().for_each(|address| field(&address.email));
    field(&message.date.map(|date| date.as_second().to_string()).unwrap_or_default());
    field(&message.subject);
    field(message.id.as_ref().map(super::MessageId::as_str).unwrap_or_default());
    for block in &message.blocks {
        // Each word is a field: in cleaned text one space stands between words and nowhere else.
        hashed.extend(block.text.bytes().map(|b| if b == b' ' { 0 } else { b }));
        hashed.push(0);
    }
    message.hash = Sha256::digest(hashed).into();
}
