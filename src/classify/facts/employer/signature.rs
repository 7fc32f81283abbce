//! What the end of a mail and lines of their own say of the employer.

use super::{Candidates, SIGNATURE, STATED, bare};
use crate::{
    classify::{
        facts::{
            Reading,
            names::{employer, folded, has_legal_form, is_person, without_prefix},
            spaceless, trade,
        },
        sentence::Sentence,
    },
    message::Zone,
};

/// A short last line without a sign-off before it.
const LAST_LINE: f64 = 1.0;
/// Longest line that may be a signature, in characters.
const SIGNATURE_CHARS_MAX: usize = 60;
/// Most lines that are looked for in the text before them: honest mail has few that are nothing but a name, and each
/// takes a search through the whole mail.
const SOUGHT_MAX: usize = 32;

/// `The X Team`, `X Recruiting` below the sign-off.
pub(super) fn signature(r: &Reading<'_>, out: &mut Candidates<'_>) {
    let closing = r.sentences.iter().filter(|s| s.zone == Zone::Closing).map(|s| s.text.as_str());
    // Without a sign-off the last short line may still be a signature.
    let last = r.sentences.iter().rfind(|s| matches!(s.zone, Zone::Lead | Zone::Body)).map(|s| s.text.as_str());
    let last = last.filter(|l| l.chars().count() <= SIGNATURE_CHARS_MAX && !l.ends_with(['.', '!', '?']));
    let parts = |text: &'_ str| text.split([',', '|', '\n']).map(|l| l.trim().to_owned()).collect::<Vec<_>>();
    if let Some(line) = last {
        let bare = bare(r, line);
        // `View more jobs` ends like a team as well: only words before a name tell here.
        let team_first = without_prefix(r.words(), line).len() < line.len();
        let named = spaceless::names_employer(r.words(), line) || team_first || is_firm(r, line);
        out.push(employer(r.words(), bare), "last line", if named { SIGNATURE } else { LAST_LINE });
    }
    own_lines(r, out);
    for line in closing.flat_map(parts).filter(|l| !l.is_empty()) {
        let line = line.as_str();
        let bare = bare(r, line);
        if spaceless::names_employer(r.words(), line) || has_legal_form(r.words(), line) || is_firm(r, line) {
            out.push_line(employer(r.words(), line), SIGNATURE);
        } else if bare.len() < line.len() {
            let bare = bare.strip_prefix("The ").or_else(|| bare.strip_prefix("Your ")).unwrap_or(bare);
            out.push_line(employer(r.words(), bare), SIGNATURE);
        } else if !is_person(line) {
            out.push_line(employer(r.words(), line), 1.0);
        }
    }
}

/// Whether a line is the name of a firm by its trade, and not somebody's position there.
fn is_firm(r: &Reading<'_>, line: &str) -> bool {
    line.contains(' ') && trade::stands_in(r.words(), line) && !r.rules.titles.stand_in(&folded(r.words(), line))
}

/// Lines that are nothing but a name: with its legal form, or with the name standing in an earlier sentence as well.
fn own_lines(r: &Reading<'_>, out: &mut Candidates<'_>) {
    let written = |s: &&Sentence| matches!(s.zone, Zone::Lead | Zone::Body | Zone::Closing);
    let lines: Vec<&str> = r.sentences.iter().filter(written).map(|s| s.text.trim()).collect();
    let mut sought = 0;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.chars().count() <= SIGNATURE_CHARS_MAX) {
        // `Ada, Acme GmbH`: the form belongs to the last part.
        let last = line.rsplit(", ").next().filter(|part| has_legal_form(r.words(), part)).unwrap_or(line);
        if has_legal_form(r.words(), last) {
            out.push_line(employer(r.words(), last), SIGNATURE);
        } else if sought < SOUGHT_MAX && is_name_alone(r, line) {
            sought += 1;
            let behind_a_word = format!(" {line}");
            if lines.iter().take(at).any(|earlier| earlier.contains(&behind_a_word)) {
                out.push_line(Some((*line).to_owned()), STATED);
            }
        }
    }
}

/// Whether a line is nothing but a name of several words that may be an employer's.
fn is_name_alone(r: &Reading<'_>, line: &str) -> bool {
    let whole = || employer(r.words(), line).is_some_and(|name| name == line);
    let other = || r.rules.titles.stand_in(&folded(r.words(), line)) || is_signer(r, line);
    line.contains(' ') && whole() && !other()
}

/// Whether a line is the name in the sender's own address.
fn is_signer(r: &Reading<'_>, line: &str) -> bool {
    r.message.from.first().is_some_and(|from| from.name.contains(line))
}
