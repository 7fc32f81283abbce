//! Cuts the lines of one text into zones (`rules.md` §3.3). Text is never dropped, only told apart; what a sentence
//! means is not asked here.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{
    Block, ForwardedHeaders, Zone, cues,
    openings::Openings,
    quote,
    text::{Form, Line, exceeds, is_greeting, joined, sentences},
};

/// What the headers say about the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// The message answers another.
    pub reply: bool,
    /// The subject says that another one is passed on.
    pub forward: bool,
}

/// The text of one part in zones.
#[derive(Debug)]
pub(super) struct Zoned {
    pub blocks: Vec<Block>,
    pub forwarded: Option<ForwardedHeaders>,
    /// The first line of the mail that is passed on, behind its headers.
    pub inside: Option<usize>,
}

/// Cuts the lines of one part.
pub(super) fn zoned(lines: &[Line], context: Context) -> Zoned {
    let OtherMails { mut zones, forwarded, inside } = other_mails(lines, context);
    unhide(lines, &mut zones);
    if forwarded.is_none() {
        give_back_quotes(lines, &mut zones, context);
    }
    own_text(lines, &mut zones);
    let zoned_lines: Vec<(&Line, Zone)> =
        lines.iter().zip(zones).map(|(line, zone)| (line, zone.unwrap_or(Zone::Body))).collect();
    let mut blocks = Vec::new();
    let same =
        |(a, zone_a): &(&Line, Zone), (b, zone_b): &(&Line, Zone)| a.paragraph == b.paragraph && zone_a == zone_b;
    for group in zoned_lines.chunk_by(same) {
        let Some((first, zone)) = group.first() else { continue };
        for text in joined(group.iter().map(|(line, _)| *line)) {
            without_footers(*zone, first.paragraph, text, &mut blocks);
        }
    }
    Zoned { blocks, forwarded, inside }
}

/// A mail that would be nothing but footer says something after all.
pub(super) fn unfoot(blocks: &mut [Block]) {
    if !blocks.iter().any(|block| matches!(block.zone, Zone::Lead | Zone::Body | Zone::Forwarded)) {
        blocks.iter_mut().filter(|block| block.zone == Zone::Footer).for_each(|block| block.zone = Zone::Body);
    }
}

struct OtherMails {
    /// For each line the zone it has in another mail; `None` is this mail's own text.
    zones: Vec<Option<Zone>>,
    forwarded: Option<ForwardedHeaders>,
    inside: Option<usize>,
}

/// Marks what belongs to other mails.
fn other_mails(lines: &[Line], context: Context) -> OtherMails {
    let mut inside = None;
    let mut zones: Vec<Option<Zone>> = Vec::with_capacity(lines.len());
    let mut headers = None;
    // The zone everything falls into once a mark was passed.
    let mut behind: Option<Zone> = None;
    let mut rest = lines;
    // A block is looked for where its first line stands, not again in every line of it.
    let mut in_labels = false;
    while let Some((line, after)) = rest.split_first() {
        let mut taken = 1;
        let labelled = quote::is_header_line(&line.text);
        let may_start = labelled && !in_labels;
        in_labels = labelled;
        let mut zone = behind;
        if line.form == Form::Hidden {
            zone = Some(Zone::Preheader);
        } else if behind != Some(Zone::Quoted) {
            // A quoted "forwarded message" in an answer is part of what is answered.
            let may_forward = behind.is_none() && (line.form == Form::Shown || context.forward || !context.reply);
            if may_forward && quote::is_forward_mark(&line.text) {
                behind = Some(Zone::Forwarded);
                let block = quote::header_block(after);
                taken += block.as_ref().map_or(0, |b| b.lines);
                headers = Some(block.map(|b| b.headers).unwrap_or_default());
                inside = Some(zones.len() + taken);
                zone = behind;
            } else if let Some((lines, found)) = start_of_original(rest, may_start) {
                taken = lines;
                behind = Some(if context.forward && behind.is_none() { Zone::Forwarded } else { Zone::Quoted });
                if behind == Some(Zone::Forwarded) {
                    headers = Some(found.unwrap_or_default());
                    inside = Some(zones.len() + taken);
                }
                zone = behind;
            } else if let Some(lines) = quote::attribution(rest) {
                taken = lines;
                let marked = rest.get(lines).is_some_and(|next| next.form == Form::Quoted);
                if !marked || behind.is_some() {
                    behind = Some(Zone::Quoted);
                }
                zone = Some(Zone::Quoted);
            } else if line.form == Form::Quoted && behind.is_none() {
                zone = Some(Zone::Quoted);
            }
        }
        zones.extend(std::iter::repeat_n(zone, taken));
        rest = rest.get(taken..).unwrap_or_default();
    }
    zones.truncate(lines.len());
    OtherMails { zones, forwarded: headers, inside }
}

/// Whether an "original message" mark or a header block starts here: its lines, and what it says.
fn start_of_original(lines: &[Line], labelled: bool) -> Option<(usize, Option<ForwardedHeaders>)> {
    let (first, after) = lines.split_first()?;
    if quote::is_original_mark(&first.text) {
        let block = quote::header_block(after);
        return Some((1 + block.as_ref().map_or(0, |b| b.lines), block.map(|b| b.headers)));
    }
    if !labelled {
        return None;
    }
    quote::header_block(lines).map(|block| (block.lines, Some(block.headers)))
}

/// Shown text below which hidden text is taken for the mail itself: a style that was never closed.
const SHOWN_CHARS_MIN: usize = 20;

fn unhide(lines: &[Line], zones: &mut [Option<Zone>]) {
    if !zones.contains(&Some(Zone::Preheader)) {
        return;
    }
    let shown: usize = chars_where(lines, zones, |zone| zone != Some(Zone::Preheader));
    if shown < SHOWN_CHARS_MIN {
        zones.iter_mut().filter(|zone| **zone == Some(Zone::Preheader)).for_each(|zone| *zone = None);
    }
}

/// Own text below which a mail that answers nothing gets its quotes back, in characters and as a share of the text.
const OWN_CHARS_MIN: usize = 200;
const OWN_SHARE_MIN: usize = 20;

/// Some templates put the news into a `blockquote`; a mail that is no answer has nothing to quote.
fn give_back_quotes(lines: &[Line], zones: &mut [Option<Zone>], context: Context) {
    if context.reply || !zones.contains(&Some(Zone::Quoted)) {
        return;
    }
    let own = chars_where(lines, zones, |zone| zone.is_none());
    let quoted = chars_where(lines, zones, |zone| zone == Some(Zone::Quoted));
    if own < OWN_CHARS_MIN && own * 100 < (own + quoted) * OWN_SHARE_MIN {
        let given = if context.forward { Some(Zone::Forwarded) } else { None };
        zones.iter_mut().filter(|zone| **zone == Some(Zone::Quoted)).for_each(|zone| *zone = given);
    }
}

fn chars_where(lines: &[Line], zones: &[Option<Zone>], wanted: impl Fn(Option<Zone>) -> bool) -> usize {
    lines.iter().zip(zones).filter(|(_, zone)| wanted(**zone)).map(|(line, _)| line.text.chars().count()).sum()
}

/// Paragraphs that make the lead, greeting lines not counted.
const LEAD_PARAGRAPHS: usize = 2;

/// Cuts the mail's own text into lead, body and closing.
fn own_text(lines: &[Line], zones: &mut [Option<Zone>]) {
    let (mut closing, mut paragraphs, mut last) = (false, 0, None);
    for (line, zone) in lines.iter().zip(zones).filter(|(_, zone)| zone.is_none()) {
        let greeting = is_greeting(&line.text);
        // A second language, or a thought after the signature, goes on behind the first sign-off.
        if closing && (greeting || starts_with_any(&line.text, cues::POSTSCRIPTS)) {
            closing = false;
        }
        closing |= line.text == "--" || (paragraphs > 0 && is_sign_off(&line.text));
        if closing {
            *zone = Some(Zone::Closing);
            continue;
        }
        if !greeting && last != Some(line.paragraph) {
            paragraphs += 1;
            last = Some(line.paragraph);
        }
        *zone = Some(if paragraphs <= LEAD_PARAGRAPHS { Zone::Lead } else { Zone::Body });
    }
}

fn starts_with_any(line: &str, cues: &[&str]) -> bool {
    let start: String = line.chars().take(12).flat_map(char::to_lowercase).collect();
    cues.iter().any(|cue| start.starts_with(cue))
}

/// Characters below which a line may be a sign-off.
const SIGN_OFF_CHARS: usize = 60;

/// Words that may follow one of [`cues::SHORT_SIGN_OFFS`].
const WORDS_AFTER_SIGN_OFF: usize = 3;

static SIGN_OFFS: LazyLock<Openings> = LazyLock::new(|| Openings::new(cues::SIGN_OFFS));
static SHORT_SIGN_OFFS: LazyLock<Openings> = LazyLock::new(|| Openings::new(cues::SHORT_SIGN_OFFS));

fn is_sign_off(line: &str) -> bool {
    if exceeds(line, SIGN_OFF_CHARS - 1) {
        return false;
    }
    let Some(folded) = SIGN_OFFS.lower_case(line).or_else(|| SHORT_SIGN_OFFS.lower_case(line)) else { return false };
    let folded = folded.replace('’', "'");
    let ends_word = |rest: &&str| !rest.starts_with(|c: char| c.is_ascii_alphabetic());
    SIGN_OFFS.behind(&folded).filter(ends_word).any(|rest| !rest.contains(". "))
        || SHORT_SIGN_OFFS.behind(&folded).filter(ends_word).any(|rest| {
            rest.trim_matches([',', '!', '.', ' ', '-', '–', '，', '！', '。']).is_empty()
                || (rest.starts_with([',', '!', '-', '，'])
                    && rest.split_whitespace().count() <= WORDS_AFTER_SIGN_OFF
                    && !rest.ends_with('.'))
        })
}

/// Characters below which one of [`cues::SHORT_FOOTERS`] makes a footer.
const SHORT_FOOTER_CHARS: usize = 90;

/// [`cues::FOOTERS`], then [`cues::SHORT_FOOTERS`], in one search; `None` would be an error in the tables.
static FOOTERS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = cues::FOOTERS.iter().chain(cues::SHORT_FOOTERS);
    // The smaller of the automata: the other one is 4 MB for good.
    AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(words).ok()
});

/// Adds a text, its footer sentences in blocks of their own. Behind the sign-off one such sentence makes the whole
/// text a footer; before it the news may stand right beside it.
fn without_footers(zone: Zone, paragraph: u32, text: String, blocks: &mut Vec<Block>) {
    let may_hold = || FOOTERS.as_ref().is_some_and(|cues| cues.is_match(&text.to_lowercase()));
    if !matches!(zone, Zone::Lead | Zone::Body | Zone::Closing) || !may_hold() {
        blocks.push(Block { zone, paragraph, text });
        return;
    }
    if zone == Zone::Closing {
        blocks.push(Block { zone: Zone::Footer, paragraph, text });
        return;
    }
    for group in sentences(&text).chunk_by(|a, b| is_footer(a) == is_footer(b)) {
        let zone = if group.first().is_some_and(|sentence| is_footer(sentence)) { Zone::Footer } else { zone };
        blocks.push(Block { zone, paragraph, text: group.join(" ") });
    }
}

/// Characters above which a sentence is no footer, whatever it holds: the splitter has missed where the news ends.
const FOOTER_CHARS_MAX: usize = 600;

fn is_footer(sentence: &str) -> bool {
    if exceeds(sentence, FOOTER_CHARS_MAX) {
        return false;
    }
    let folded = sentence.to_lowercase();
    let is_short = !exceeds(&folded, SHORT_FOOTER_CHARS);
    FOOTERS.as_ref().is_some_and(|cues| {
        cues.find_overlapping_iter(&folded).any(|found| is_short || found.pattern().as_usize() < cues::FOOTERS.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_offs() {
        for line in [
            "Best regards,",
            "Kind regards",
            "Best,",
            "Thanks, Jane",
            "Thank you!",
            "Mit freundlichen Grüßen",
            "Bien à vous,",
            "Z poważaniem",
            "С уважением,",
            "Cordialement,",
            "Best regards from the whole team",
            "敬具",
            "Sincerely",
        ] {
            assert!(is_sign_off(line), "{line}");
        }
        for line in [
            "Thank you for your time with us.",
            "Best of luck",
            "Thanks for applying",
            "All the best for your search",
            "Sincerely appreciate your time",
            "Thanks, but we decided otherwise.",
            "Groetenkaart",
        ] {
            assert!(!is_sign_off(line), "{line}");
        }
    }

    #[test]
    fn the_news_beside_a_footer_stays() {
        let mut blocks = Vec::new();
        without_footers(Zone::Lead, 0, "We chose somebody else. Please do not reply to this mail.".into(), &mut blocks);
        let found: Vec<_> = blocks.iter().map(|b| (b.zone, b.text.as_str())).collect();
        assert_eq!(
            found,
            [(Zone::Lead, "We chose somebody else."), (Zone::Footer, "Please do not reply to this mail.")]
        );
    }
}
