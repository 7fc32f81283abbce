//! Subject prefixes, attribution lines and header blocks: how one mail shows another. Recognises them, decides nothing.

use std::sync::LazyLock;

use super::{Address, ForwardedHeaders, cues, headers, openings::Openings, text::Line};
use crate::clean;

/// A subject without its prefixes.
pub(super) struct Subject<'s> {
    pub bare: &'s str,
    pub reply: bool,
    pub forward: bool,
}

/// Longest prefix of a subject, in characters, a count in brackets included.
const PREFIX_CHARS_MAX: usize = 20;

/// Takes `Re:`, `Fwd:`, `[EXT]` and their kind off a subject, in any order and number.
pub(super) fn subject(subject: &str) -> Subject<'_> {
    let mut found = Subject { bare: subject.trim(), reply: false, forward: false };
    while let Some(rest) = without_prefix(&mut found) {
        found.bare = rest;
    }
    found
}

fn without_prefix<'s>(found: &mut Subject<'s>) -> Option<&'s str> {
    let text = found.bare;
    if let Some((mark, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']'))
        && is_gateway_mark(mark)
    {
        return Some(rest.trim_start());
    }
    let at = text.char_indices().take(PREFIX_CHARS_MAX).find(|(_, c)| matches!(c, ':' | '：'))?;
    let (prefix, rest) = text.split_at_checked(at.0)?;
    let rest = rest.strip_prefix([':', '：'])?;
    // `Re[2]:` and `AW (3):`.
    let word = prefix.split(['[', '(', '^']).next()?.trim().to_lowercase();
    let (reply, forward) = (cues::REPLY_PREFIXES.contains(&&*word), cues::FORWARD_PREFIXES.contains(&&*word));
    // One letter is a prefix only with a space behind it: "R: …", not "I:O".
    if word.chars().count() == 1 && !rest.starts_with(' ') || !(reply || forward || is_gateway_mark(&word)) {
        return None;
    }
    found.reply |= reply;
    found.forward |= forward && !reply;
    Some(rest.trim_start())
}

fn is_gateway_mark(mark: &str) -> bool {
    let mark = mark.trim().trim_matches('*').to_lowercase();
    cues::GATEWAY_MARKS.contains(&mark.as_str())
}

/// Longest attribution or separator line, in bytes.
const ATTRIBUTION_BYTES_MAX: usize = 300;

/// Whether the line, with the next one where it is wrapped, introduces a quote: how many lines it takes.
pub(super) fn attribution(lines: &[Line]) -> Option<usize> {
    let first = lines.first()?;
    if is_attribution(&first.text) {
        return Some(1);
    }
    let second = lines.get(1).filter(|l| l.paragraph == first.paragraph && l.text.ends_with([':', '：']))?;
    // The first line alone must look like the start of one, or a sentence before it would be taken along.
    let starts = first.text.contains('@') || first.text.contains(|c: char| c.is_ascii_digit());
    (starts && first.text.len() < 120 && is_attribution(&format!("{} {}", first.text, second.text))).then_some(2)
}

fn is_attribution(line: &str) -> bool {
    line.len() <= ATTRIBUTION_BYTES_MAX
        && line.ends_with([':', '：'])
        && (line.contains('@') || line.contains(|c: char| c.is_ascii_digit()))
        && {
            let folded = line.to_lowercase();
            cues::WROTE.iter().any(|cue| folded.contains(cue))
        }
}

static ORIGINAL_MARKS: LazyLock<Openings> = LazyLock::new(|| Openings::new(cues::ORIGINAL_MARKS));
static FORWARD_MARKS: LazyLock<Openings> = LazyLock::new(|| Openings::new(cues::FORWARD_MARKS));

/// Whether the line marks the start of a mail that is answered.
pub(super) fn is_original_mark(line: &str) -> bool {
    is_mark(line, &ORIGINAL_MARKS)
}

/// Whether the line marks the start of a mail that is passed on.
pub(super) fn is_forward_mark(line: &str) -> bool {
    is_mark(line, &FORWARD_MARKS)
}

fn is_mark(line: &str, marks: &Openings) -> bool {
    let dashed = line.starts_with(['-', '_', '*', '=', '>']);
    if line.len() > if dashed { 120 } else { 60 } {
        return false;
    }
    // Dashes make any line with the words a mark ("--- Forwarded by Jane on … ---"); without them it must be the words.
    let bare = line.trim_matches(['-', '_', '*', '=', '>', ' ', ':', '：']);
    marks.lower_case(bare).is_some_and(|folded| {
        let mut behind = marks.behind(&folded);
        behind.any(|rest| rest.is_empty() || dashed || rest.len() < 20 && line.ends_with(':'))
    })
}

/// A block of header lines inside a text.
pub(super) struct HeaderBlock {
    pub headers: ForwardedHeaders,
    /// How many lines it takes.
    pub lines: usize,
}

/// Lines in which a header block may stand, wrapped recipients included.
const HEADER_BLOCK_LINES_MAX: usize = 10;

/// Reads the header block that starts at the first line. It has a sender with an address and two other fields, or a
/// sender, a subject and two more: "Date, From, To" alone may be the hours of an appointment.
pub(super) fn header_block(lines: &[Line]) -> Option<HeaderBlock> {
    let mut block = HeaderBlock { headers: ForwardedHeaders::default(), lines: 0 };
    let (mut sender, mut titled, mut others) = (false, false, 0);
    for (at, line) in lines.iter().take(HEADER_BLOCK_LINES_MAX).enumerate() {
        let Some((label, value)) = labelled(&line.text) else {
            // One line between may be the rest of a long one.
            if block.lines == 0 || at > block.lines {
                break;
            }
            continue;
        };
        block.lines = at + 1;
        if cues::FROM_LABELS.contains(&label.as_str()) && !sender {
            sender = true;
            block.headers.from = address_of(value);
        } else {
            others += 1;
            if cues::SUBJECT_LABELS.contains(&label.as_str()) {
                titled = true;
                block.headers.subject = clean::line(subject(value).bare);
            } else if cues::TO_LABELS.contains(&label.as_str()) {
                block.headers.to = address_of(value);
            }
        }
    }
    let complete = if block.headers.from.is_some() { others >= 2 } else { others >= 3 && titled };
    (sender && complete).then_some(block)
}

/// Whether the line looks like a header field of a mail in any of the languages.
pub(super) fn is_header_line(line: &str) -> bool {
    labelled(line).is_some()
}

/// Longest label, in bytes.
const LABEL_BYTES_MAX: usize = 40;

/// Splits `Label: value` where the label is a known one, in lower case and without the stars of converted bold type.
fn labelled(line: &str) -> Option<(String, &str)> {
    let colon = |c| matches!(c, ':' | '：');
    let (at, _) = line.char_indices().take_while(|(at, _)| *at <= LABEL_BYTES_MAX).find(|(_, c)| colon(*c))?;
    let (label, value) = line.split_at_checked(at)?;
    let value = value.strip_prefix(colon)?;
    let label = label.trim_matches(['*', ' ', '>', '\u{3000}']).to_lowercase();
    let known =
        [cues::FROM_LABELS, cues::SUBJECT_LABELS, cues::OTHER_LABELS].iter().any(|l| l.contains(&label.as_str()));
    known.then(|| (label, value.trim_matches(['*', ' '])))
}

/// The address in `Name <local@domain>`, `local@domain` or `Name [mailto:local@domain]`.
fn address_of(value: &str) -> Option<Address> {
    // A lone `@` may stand in a name: "Jane @ Acme <jane@x.example>".
    let mut address = value
        .split([' ', '<', '>', '[', ']', '(', ')', ',', ';', '"'])
        .map(|w| w.trim_start_matches("mailto:"))
        .filter(|w| w.contains('@'))
        .find_map(headers::address_in)?;
    let name = value.split(['<', '[', '(']).next().unwrap_or_default().trim_matches(['"', '\'', ' ']);
    if !name.contains('@') || name.contains(" @ ") {
        address.name = clean::line(name);
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::text::{Flow, plain};

    #[test]
    fn subject_prefixes_of_many_languages() {
        for (given, bare, reply, forward) in [
            ("Re: Your application", "Your application", true, false),
            ("AW: WG: Ihre Bewerbung", "Ihre Bewerbung", true, true),
            ("[EXT] Re[2]: News", "News", true, false),
            ("EXTERNAL: Fwd: News", "News", false, true),
            ("TR : Candidature", "Candidature", false, true),
            ("回复：申请", "申请", true, false),
            ("R: Candidatura", "Candidatura", true, false),
            ("Research: a role", "Research: a role", false, false),
            ("R:evolution", "R:evolution", false, false),
            ("[Acme] Re: x", "[Acme] Re: x", false, false),
            ("Re:", "", true, false),
        ] {
            let found = subject(given);
            assert_eq!((found.bare, found.reply, found.forward), (bare, reply, forward), "{given}");
        }
    }

    #[test]
    fn attribution_lines() {
        for line in [
            "On Mon, 3 Feb 2025 at 10:00, Jane Roe <jane@x.example> wrote:",
            "Am 03.02.2025 um 10:00 schrieb Jane Roe:",
            "Le lun. 3 févr. 2025 à 10:00, Jane Roe a écrit :",
            "El lun, 3 feb 2025, Jane Roe escribió:",
            "2025年2月3日(月) 10:00 Jane Roe <jane@x.example>のメール:",
            "在 2025年2月3日，Jane Roe 写道：",
        ] {
            assert!(is_attribution(line), "{line}");
        }
        for line in ["In 2019 she wrote a book.", "She wrote:", "Interview on 3 Feb at 10:00:"] {
            assert!(!is_attribution(line), "{line}");
        }
        assert_eq!(attribution(&plain("On 3 Feb 2025, Jane Roe <jane@x.example>\nwrote:\n", Flow::Fixed)), Some(2));
    }

    #[test]
    fn header_blocks_of_five_languages() {
        for block in [
            "From: Jane Roe <jane@x.example>\nSent: Monday\nTo: Me\nSubject: RE: News",
            "Von: Jane Roe <jane@x.example>\nGesendet: Montag\nAn: Ich\nBetreff: AW: News",
            "De : Jane Roe <jane@x.example>\nEnvoyé : lundi\nÀ : Moi\nObjet : RE: News",
            "*De:* Jane Roe [mailto:jane@x.example]\n*Enviado:* lunes\n*Para:* Yo\n*Asunto:* News",
            "From: \"Jane Roe\" <jane@x.example>\nDate: Monday\nSubject: News\nTo: me@x.example",
            "Da: Jane Roe <jane@x.example>\nInviato: lunedì\nA: Io\nOggetto: R: News",
        ] {
            let found = header_block(&plain(block, Flow::Fixed)).unwrap_or_else(|| panic!("{block}"));
            let from = found.headers.from.unwrap();
            assert_eq!((from.name.as_str(), from.email.as_str()), ("Jane Roe", "jane@x.example"), "{block}");
            assert_eq!((found.headers.subject.as_str(), found.lines), ("News", 4), "{block}");
        }
        let at = header_block(&plain("From: Jane @ X <jane@x.example>\nDate: now\nTo: me\nSubject: y", Flow::Fixed));
        assert_eq!(at.unwrap().headers.from.unwrap().name, "Jane @ X");
        assert!(header_block(&plain("From: our team\nto you: a hug", Flow::Fixed)).is_none());
    }

    #[test]
    fn marks() {
        assert!(is_original_mark("-----Original Message-----"));
        assert!(is_original_mark("-------- Ursprüngliche Nachricht --------"));
        assert!(is_forward_mark("---------- Forwarded message ---------"));
        assert!(is_forward_mark("Begin forwarded message:"));
        assert!(is_forward_mark("----- Forwarded by Jane Roe on 3 Feb -----"));
        assert!(!is_forward_mark("Forwarded message handling is our core business"));
    }
}
