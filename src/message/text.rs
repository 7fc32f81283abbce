//! Lines of text: what plain and HTML parts are both cut into before anything is said about zones, and how lines
//! become the text of a paragraph again.

use std::sync::LazyLock;

use super::{cues, openings::Openings};
use crate::clean;

/// Bytes of one text part that are read: several times the longest honest mail.
pub(super) const TEXT_BYTES_MAX: usize = 256 << 10;

/// Where a line stands, as far as the form tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Shown to the reader.
    Shown,
    /// Behind `>` or in a `blockquote`.
    Quoted,
    /// Hidden by style.
    Hidden,
}

/// One line, cleaned and trimmed, not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub text: String,
    pub paragraph: u32,
    pub form: Form,
    /// Starts a list item: never joined to the line before.
    pub item: bool,
}

/// `format=flowed` of a plain part (RFC 3676).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Lines end where they end.
    Fixed,
    /// A space at the end of a line continues it; with `delsp` that space goes away.
    Flowed { delsp: bool },
}

/// Cuts at the limit, on a character boundary; true when something was cut.
pub(super) fn bound(text: &mut String) -> bool {
    let cut = text.len() > TEXT_BYTES_MAX;
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    cut
}

/// Cuts a plain text part into lines.
pub(super) fn plain(text: &str, flow: Flow) -> Vec<Line> {
    let mut collected = Collector::default();
    let mut flowing: Option<(usize, String)> = None;
    for line in clean::text(text).split('\n') {
        let (depth, content) = unquoted(line, flow);
        let signature = content.trim_end() == "--";
        if let Some((open_depth, mut open)) = flowing.take() {
            if open_depth == depth && !signature && !content.trim().is_empty() {
                let start = flows_on(content, flow);
                open.push_str(start.unwrap_or(content));
                match start {
                    Some(_) => flowing = Some((depth, open)),
                    None => collected.line(depth, &open),
                }
                continue;
            }
            collected.line(open_depth, &open);
        }
        match flows_on(content, flow) {
            Some(start) if !signature => flowing = Some((depth, start.to_owned())),
            _ => collected.line(depth, if signature { "--" } else { content }),
        }
    }
    if let Some((depth, open)) = flowing {
        collected.line(depth, &open);
    }
    collected.lines
}

/// What a line gives to the next one, where that continues it.
fn flows_on(content: &str, flow: Flow) -> Option<&str> {
    let Flow::Flowed { delsp } = flow else { return None };
    let without = content.strip_suffix(' ').filter(|_| !content.trim().is_empty())?;
    Some(if delsp { without } else { content })
}

/// Quote depth and the content behind the marks; in flowed text also without the stuffed space.
fn unquoted(line: &str, flow: Flow) -> (usize, &str) {
    let mut depth = 0;
    let mut content = line;
    loop {
        // `> > text` of other programs counts as two; in flowed text marks stand together.
        let next = if flow == Flow::Fixed { content.trim_start_matches([' ', '\t']) } else { content };
        let Some(rest) = next.strip_prefix('>') else { break };
        depth += 1;
        content = rest;
    }
    if flow != Flow::Fixed {
        content = content.strip_prefix(' ').unwrap_or(content);
    }
    (depth, content)
}

#[derive(Default)]
struct Collector {
    lines: Vec<Line>,
    paragraph: u32,
    depth: usize,
    open: bool,
}

impl Collector {
    fn line(&mut self, depth: usize, content: &str) {
        let text = clean::line_within(content, TEXT_BYTES_MAX);
        let signature = text == "--";
        if depth != self.depth || signature {
            self.end();
        }
        self.depth = depth;
        if text.is_empty() || (is_rule(&text) && !signature) {
            self.end();
            return;
        }
        let form = if depth > 0 { Form::Quoted } else { Form::Shown };
        let item = is_item(&text);
        self.lines.push(Line { text, paragraph: self.paragraph, form, item });
        self.open = true;
    }

    fn end(&mut self) {
        if self.open {
            self.paragraph += 1;
            self.open = false;
        }
    }
}

/// A line that only divides.
pub(super) fn is_rule(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '-' | '=' | '_' | '*' | '~' | '#' | '+' | '—' | '–' | '─' | '━' | '═' | ' '))
}

/// Whether the line starts with the mark or number of a list item.
pub(super) fn is_item(text: &str) -> bool {
    let Some((mark, rest)) = text.split_once(' ') else { return false };
    if rest.is_empty() {
        return false;
    }
    let numbered = |end: char| {
        mark.strip_suffix(end).is_some_and(|n| (1..=2).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(mark, "-" | "*" | "•" | "·" | "–" | "—" | "‣" | "◦" | "▪" | "●" | "○" | "■" | "➢" | "✓" | "o")
        || numbered('.')
        || numbered(')')
}

/// Columns below which a line is never taken for a full one: no program wraps mail narrower.
const WRAP_COLUMNS_MIN: usize = 50;

/// Joins the lines of one paragraph where a line end is only a wrap, and gives one text per statement.
pub(super) fn joined<'l>(lines: impl Iterator<Item = &'l Line> + Clone) -> Vec<String> {
    let columns =
        lines.clone().filter(|l| l.text.contains(' ')).map(|l| width(&l.text)).max().unwrap_or(0).max(WRAP_COLUMNS_MIN);
    let mut texts: Vec<String> = Vec::new();
    let mut last: Option<&Line> = None;
    for line in lines {
        match (last, texts.last_mut()) {
            (Some(before), Some(text)) if !line.item && is_wrap(&before.text, &line.text, columns) => {
                if !(text.chars().next_back().is_some_and(is_unspaced)
                    && line.text.chars().next().is_some_and(is_unspaced))
                {
                    text.push(' ');
                }
                text.push_str(&line.text);
            }
            _ => texts.push(line.text.clone()),
        }
        last = Some(line);
    }
    texts
}

/// Whether a line ended only because the next word did not fit, or the sentence plainly goes on.
fn is_wrap(line: &str, next: &str, columns: usize) -> bool {
    let goes_on = |next: &str| {
        let next_width = match next.chars().next() {
            Some(c) if c.is_lowercase() => return true,
            Some(c) if is_unspaced(c) => 2,
            _ => width(next.split(' ').next().unwrap_or_default()),
        };
        width(line) + 1 + next_width > columns
    };
    goes_on(next) && !is_greeting(line)
}

/// Columns a text takes: East Asian characters take two.
fn width(text: &str) -> usize {
    let wide = |c: char| is_unspaced(c) || matches!(c, '\u{ac00}'..='\u{d7a3}');
    // What starts with a lower byte in UTF-8 stands before U+3000.
    let wide_ones = if text.bytes().fold(0, u8::max) < 0xe3 { 0 } else { text.chars().filter(|&c| wide(c)).count() };
    text.chars().count() + wide_ones
}

/// Characters of scripts that put no space between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}')
}

/// Splits a text into sentences, roughly and without loss: enough to move or compare them, not to judge them.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = match c {
            '.' | '!' | '?' | '…' => chars.peek().is_none_or(|(_, next)| next.is_whitespace()),
            '。' | '！' | '？' => true,
            _ => false,
        };
        if ends {
            let end = at + c.len_utf8();
            found.extend(text.get(start..end));
            start = end;
        }
    }
    found.extend(text.get(start..));
    found.into_iter().map(str::trim).filter(|sentence| !sentence.is_empty()).collect()
}

/// Longest greeting line, in characters.
const GREETING_CHARS_MAX: usize = 60;

static GREETINGS: LazyLock<Openings> = LazyLock::new(|| Openings::new(cues::GREETINGS));

/// Whether the line is a salutation and nothing else.
pub(super) fn is_greeting(line: &str) -> bool {
    if exceeds(line, GREETING_CHARS_MAX) || line.ends_with(['.', '?', ':']) && !line.ends_with("Mr.") && !is_short(line)
    {
        return false;
    }
    // "Hello and thank you for your interest" is a sentence: a salutation has few words.
    let may_open = line.ends_with([',', '!', ':', '，', '！', '：']) || is_short(line);
    may_open && opens_like_greeting(line) || ends_like_greeting(line)
}

/// Whether a text begins with the words of a salutation.
pub(super) fn opens_like_greeting(line: &str) -> bool {
    GREETINGS.lower_case(line).is_some_and(|folded| {
        GREETINGS.behind(&folded).any(|rest| !rest.starts_with(char::is_alphanumeric) || !rest.is_ascii())
    })
}

/// Longest line that is a greeting by its end, in characters.
const GREETING_BY_END_CHARS_MAX: usize = 20;

fn ends_like_greeting(line: &str) -> bool {
    // No script of ASCII letters puts the form of address last.
    if line.is_ascii() {
        return false;
    }
    let folded = line.to_lowercase();
    let bare = folded.trim_end_matches([',', '、', '，', '。', ':', '：', '!']);
    cues::GREETING_ENDS.iter().any(|cue| bare.ends_with(cue)) && folded.chars().count() <= GREETING_BY_END_CHARS_MAX
}

/// Whether a text has more than so many characters.
pub(super) fn exceeds(text: &str, chars: usize) -> bool {
    // Nothing has more characters than bytes, or less than a quarter of them.
    text.len() > chars && (text.len() > 4 * chars || text.chars().count() > chars)
}

fn is_short(line: &str) -> bool {
    line.split(' ').count() <= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, flow: Flow) -> Vec<String> {
        let lines = plain(text, flow);
        let last = lines.last().map_or(0, |l| l.paragraph);
        (0..=last).flat_map(|p| joined(lines.iter().filter(move |l| l.paragraph == p))).collect()
    }

    #[test]
    fn wrapped_lines_are_one_text() {
        for (given, expected) in [
            (
                "We looked at every application with care and we have to tell you\nThat the role is filled.\n",
                vec!["We looked at every application with care and we have to tell you That the role is filled."],
            ),
            ("Role: Baker\nPlace: Ghent\n", vec!["Role: Baker", "Place: Ghent"]),
            ("Dear Ms Roe,\nthank you for\nyour visit.\n", vec!["Dear Ms Roe,", "thank you for your visit."]),
            ("Next:\n- one thing\n  and its rest\n- another\n", vec!["Next:", "- one thing and its rest", "- another"]),
            (
                "厳正なる選考の結果、誠に残念ながら今回は貴意に添いかねる結果と\nなりました。\n",
                vec!["厳正なる選考の結果、誠に残念ながら今回は貴意に添いかねる結果となりました。"],
            ),
            ("one\n\ntwo\n----------\nthree", vec!["one", "two", "three"]),
        ] {
            assert_eq!(texts(given, Flow::Fixed), expected, "{given}");
            assert_eq!(texts(&given.replace('\n', "\r\n"), Flow::Fixed), expected, "{given}");
        }
    }

    #[test]
    fn flowed_text_is_unfolded() {
        let flowed = Flow::Flowed { delsp: false };
        assert_eq!(
            texts("One two \nthree.\n> Old \n> words\n-- \nJane", flowed),
            ["One two three.", "Old words", "--", "Jane"]
        );
        assert_eq!(texts(" From here \n>there", flowed), ["From here", "there"]);
        assert_eq!(texts("今日 \n明日", Flow::Flowed { delsp: true }), ["今日明日"]);
    }

    #[test]
    fn greetings() {
        for line in
            ["Dear Jane,", "Hi", "Hello Jane!", "Sehr geehrte Frau Roe,", "田中様", "Bonjour Madame Roe,", "您好："]
        {
            assert!(is_greeting(line), "{line}");
        }
        for line in [
            "Hello and thank you for your interest in us",
            "Hierzu gibt es Neues,",
            "Thank you,",
            "Dagegen sprach nichts.",
        ] {
            assert!(!is_greeting(line), "{line}");
        }
    }
}
