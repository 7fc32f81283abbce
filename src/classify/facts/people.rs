//! The human behind a mail, and the numbers and dates it names.

use std::sync::OnceLock;

use regex::Regex;

use super::{
    NameWords, Reading,
    names::{agree, folded, is_person},
};
use crate::{classify::Fact, classify::judge::is_own_text, message::Zone, rules::phrase::Capture};

/// Most dates kept.
const DATES_MAX: usize = 10;

/// An address where a human may read an answer: where replies go, unless nobody reads them there.
pub(super) fn contact(r: &Reading<'_>, noreply: bool) -> Option<Fact> {
    if noreply {
        return None;
    }
    let reply_to = r.message.reply_to.first().map(|a| (a, "Reply-To"));
    let (address, source) = reply_to.or_else(|| r.message.from.first().map(|a| (a, "From")))?;
    Some(Fact { value: address.email.clone(), source: source.to_owned() })
}

/// The name a human signed with: below the sign-off, else the display name of a personal address.
pub(super) fn signed_by(r: &Reading<'_>, employer: Option<&str>) -> Option<Fact> {
    let closing = r.sentences.iter().filter(|s| s.zone == Zone::Closing).flat_map(|s| s.text.split([',', '|', '\n']));
    let captured = r.counted().flat_map(|(raw, _)| r.captured(raw, Capture::Person)).map(|(_, text, _)| text);
    for line in closing.map(|l| l.trim().to_owned()).chain(captured) {
        if is_name(r.words(), &line, employer) {
            return Some(Fact { value: line, source: "signature".to_owned() });
        }
    }
    let from = r.message.from.first().filter(|_| !r.sender.noreply)?;
    let name = from.name.split([',', '(', '|']).next().unwrap_or_default().trim();
    is_name(r.words(), name, employer).then(|| Fact { value: name.to_owned(), source: "display name".to_owned() })
}

fn is_name(words: &NameWords, line: &str, employer: Option<&str>) -> bool {
    let lower = line.to_lowercase();
    is_person(line)
        && !lower.split_whitespace().any(|w| words.no_person.has(w))
        && !employer.is_some_and(|e| agree(&folded(words, e), &folded(words, line)))
}

/// The number of applicants, where the mail names it.
pub(super) fn applicants(r: &Reading<'_>) -> Option<u32> {
    let texts = r.counted().flat_map(|(raw, _)| r.captured(raw, Capture::Count));
    let digits = |text: String| text.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok();
    texts.filter_map(|(_, text, _)| digits(text)).next()
}

/// Dates that can mean one day only, ISO 8601, in reading order.
pub(super) fn dates(r: &Reading<'_>) -> Vec<String> {
    dates_where(r, |_| true)
}

/// Words by which a sentence speaks of a deadline, a beginning or something past, and not of a day to meet on. Where one
/// has another sense ("by video") a date is lost, and nothing false is said.
const NO_APPOINTMENT: &[&str] = &[
    "by",
    "until",
    "till",
    "before",
    "deadline",
    "latest",
    "expires",
    "start",
    "starts",
    "starting",
    "applied",
    "received",
    "bis",
    "spätestens",
    "frist",
    "vor",
    "beginn",
    "beginnt",
    "beworben",
    "eingegangen",
    "avant",
    "jusqu",
    "limite",
    "tard",
    "début",
    "commence",
    "antes",
    "hasta",
    "plazo",
    "tardar",
    "inicio",
    "entro",
    "scadenza",
    "prima",
    "inizio",
    "voor",
    "tot",
    "uiterlijk",
    "begin",
    "até",
    "prazo",
    "início",
];

/// The dates on which people may meet.
pub(super) fn appointments(r: &Reading<'_>) -> Vec<String> {
    dates_where(r, |text| !text.split(|c: char| !c.is_alphanumeric()).any(|word| NO_APPOINTMENT.contains(&word)))
}

fn dates_where(r: &Reading<'_>, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let own = r.sentences.iter().filter(|s| is_own_text(s.zone));
    for sentence in own.filter(|s| fits(&s.normal.text)) {
        for (year, month, day) in in_text(&sentence.normal.text) {
            let date = jiff::civil::Date::new(year, month, day).map(|d| d.to_string());
            if let Ok(date) = date
                && !out.contains(&date)
                && out.len() < DATES_MAX
            {
                out.push(date);
            }
        }
    }
    out
}

fn in_text(text: &str) -> Vec<(i16, i8, i8)> {
    static PATTERN: OnceLock<Option<Regex>> = OnceLock::new();
    const MONTHS: &str = "january|february|march|april|may|june|july|august|september|october|november|december|\
        januar|februar|märz|mai|juni|juli|oktober|dezember|\
        janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|\
        enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre";
    if !text.contains("20") {
        return Vec::new();
    }
    let pattern = PATTERN.get_or_init(|| {
        Regex::new(&format!(
            r"(20[0-9]{{2}})-([01][0-9])-([0-3][0-9])|([0-3]?[0-9])\.([01]?[0-9])\.(20[0-9]{{2}})|([0-3]?[0-9])(?:st|nd|rd|th|\.)? (?:of |de )?({MONTHS})(?:,| de)? (20[0-9]{{2}})|({MONTHS}) ([0-3]?[0-9])(?:st|nd|rd|th)?,? (20[0-9]{{2}})|(20[0-9]{{2}})[年년] ?([01]?[0-9])[月월] ?([0-3]?[0-9])[日일号]"
        ))
        .ok()
    });
    let Some(pattern) = pattern else { return Vec::new() };
    let mut out = Vec::new();
    for found in pattern.captures_iter(text).take(DATES_MAX) {
        let group = |i: usize| found.get(i).map(|m| m.as_str());
        let number = |i: usize| group(i).and_then(|t| t.parse::<i16>().ok());
        let named = |i: usize| group(i).and_then(month);
        let small = |n: Option<i16>| n.and_then(|n| i8::try_from(n).ok());
        let parts = [
            (number(1), small(number(2)), small(number(3))),
            (number(6), small(number(5)), small(number(4))),
            (number(9), named(8), small(number(7))),
            (number(12), named(10), small(number(11))),
            (number(13), small(number(14)), small(number(15))),
        ];
        for (year, month, day) in parts {
            if let (Some(y), Some(m), Some(d)) = (year, month, day) {
                out.push((y, m, d));
            }
        }
    }
    out
}

/// The month of a name in the languages above, told by its first letters.
fn month(name: &str) -> Option<i8> {
    const STARTS: [(&str, i8); 27] = [
        ("jan", 1),
        ("ene", 1),
        ("feb", 2),
        ("fév", 2),
        ("mär", 3),
        ("mar", 3),
        ("apr", 4),
        ("avr", 4),
        ("abr", 4),
        ("mai", 5),
        ("may", 5),
        ("juni", 6),
        ("june", 6),
        ("juin", 6),
        ("juli", 7),
        ("july", 7),
        ("juil", 7),
        ("aug", 8),
        ("aoû", 8),
        ("ago", 8),
        ("sep", 9),
        ("oct", 10),
        ("okt", 10),
        ("nov", 11),
        ("dez", 12),
        ("dec", 12),
        ("déc", 12),
    ];
    if name.starts_with("dic") {
        return Some(12);
    }
    STARTS.iter().find(|(start, _)| name.starts_with(start)).map(|(_, m)| *m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_mean_one_day() {
        for (text, expected) in [
            ("by 2026-05-04 at noon", &[(2026, 5, 4)][..]),
            ("am 4.5.2026 um 10", &[(2026, 5, 4)]),
            ("on 4th of may 2026", &[(2026, 5, 4)]),
            ("on may 4, 2026", &[(2026, 5, 4)]),
            ("le 14 juillet 2026", &[(2026, 7, 14)]),
            ("2026年5月4日(月)", &[(2026, 5, 4)]),
            ("2026년 5월 4일", &[(2026, 5, 4)]),
            ("03/04/2026", &[]),
        ] {
            assert_eq!(in_text(text), expected, "{text}");
        }
    }
}
