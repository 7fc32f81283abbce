//! Who the employer is: every source gives candidates with points, agreeing candidates add up, and a name is stated
//! only when enough speaks for it (`rules.md` §3.10). A vendor's brand is never the employer.

mod address;
mod display;
mod signature;

use super::{
    NameWords, Reading,
    names::{agree, employer, folded, squeezed, without_prefix, without_suffix},
    spaceless,
};
use crate::{
    classify::{Fact, judge::is_own_text},
    message::Zone,
    rules::{
        normal::normalise,
        phrase::{Capture, Haystack},
    },
};
use {address::addresses, display::display_name, signature::signature};

/// Points from which on a name is stated.
const STATED: f64 = 2.5;
/// Points of each source.
const SUBJECT: f64 = 4.0;
const TEXT: f64 = 3.0;
const DISPLAY_NAME: f64 = 3.0;
const SIGNATURE: f64 = 3.0;
/// What a relay says of an employer in words that name nobody else; a rule says so by its weight.
const CERTAIN: f64 = 9.0;
/// A display name that may as well be a person's.
const DISPLAY_NAME_BARE: f64 = 1.5;
/// Most lines that are weighed as names, each against all other candidates: honest mail has a handful. What rules
/// capture is limited by their hits.
const LINES_MAX: usize = 100;
/// Source of a name that stands in a line of its own.
const LINE: &str = "signature";

struct Candidate {
    name: String,
    folded: String,
    source: &'static str,
    points: f64,
    /// Whether it is spelled as in the text, not as in an address.
    spelled: bool,
}

/// What was found so far.
struct Candidates<'r> {
    words: &'r NameWords,
    found: Vec<Candidate>,
}

impl Candidates<'_> {
    fn push(&mut self, name: Option<String>, source: &'static str, points: f64) {
        if let Some(name) = name {
            let folded = folded(self.words, &name);
            if !folded.is_empty() {
                self.found.push(Candidate { folded, name, source, points, spelled: true });
            }
        }
    }

    /// Pushes a name that stands in a line of its own.
    fn push_line(&mut self, name: Option<String>, points: f64) {
        if self.found.iter().filter(|known| known.source == LINE).count() < LINES_MAX {
            self.push(name, LINE, points);
        }
    }
}

/// The employer, where one is stated.
pub(super) fn read(r: &Reading<'_>) -> Option<Fact> {
    let mut found = Candidates { words: r.words(), found: Vec::new() };
    captures(r, &mut found);
    sender_templates(r, &mut found);
    // Who writes for a client signs with the own name: only what the mail says of the client counts.
    if let Some(from) = r.message.from.first().filter(|_| !for_client(r)) {
        display_name(r, from, &mut found);
        addresses(r, from, &mut found);
        signature(r, &mut found);
    }
    if let Some((name, _)) = bracketed(r) {
        found.push(Some(name), "text", SUBJECT);
    }
    let mut found = found.found;
    found.retain(|c| !is_vendor(r, c) && !is_recipient(r, c) && !is_role(r, c));
    best(found)
}

/// The text without the words of a team behind and before the name.
fn bare<'n>(r: &Reading<'_>, text: &'n str) -> &'n str {
    let words = r.words();
    without_suffix(&words.sender, without_prefix(words, without_suffix(&words.sender, text)))
}

/// Whether the mail comes from somebody who hires for another.
fn for_client(r: &Reading<'_>) -> bool {
    // `HR Acme` is in the house, whoever its clients are.
    let in_house = r.message.from.first().is_some_and(|from| {
        let name = from.name.trim();
        without_prefix(r.words(), name).len() < name.len()
    });
    r.sender.kind.as_deref() == Some("agency") || !in_house && r.counted().any(|(_, rule)| rule.set.agency)
}

/// `<company>` captures of rules that counted.
fn captures(r: &Reading<'_>, out: &mut Candidates<'_>) {
    for (raw, rule) in r.counted() {
        for (_, text, zone) in r.captured(raw, Capture::Company) {
            let points = if zone == Zone::Subject { SUBJECT } else { TEXT };
            // A rule may say how far its captures can be trusted; signals usually carry 3 to 5.
            let points = match rule.weight {
                weight if rule.category.is_none() && weight >= CERTAIN => CERTAIN,
                weight if rule.category.is_none() && weight > 0.0 => points * (weight.min(5.0) / 5.0 + 0.5),
                _ => points,
            };
            let source = if zone == Zone::Subject { "subject" } else { "text" };
            out.push(employer(r.words(), &text), source, points);
        }
    }
}

/// Templates of known senders for their subjects and display names.
fn sender_templates(r: &Reading<'_>, out: &mut Candidates<'_>) {
    let Some(from) = r.message.from.first() else { return };
    let Some(sender) = r.rules.senders.by_address(from) else { return };
    let texts = [
        (&sender.subjects, &r.message.subject, "subject", SUBJECT),
        (&sender.display_forms, &from.name, "display name", DISPLAY_NAME),
    ];
    for (forms, text, source, points) in texts {
        let normal = normalise(text);
        for form in forms {
            let Some(found) = form.find_from(&Haystack::new(&normal.text), 0) else { continue };
            for (kind, (start, end)) in found.captures {
                if kind == Capture::Company {
                    let (start, end) = normal.original(start, end);
                    // A template that takes any subject must not make a name of half a sentence.
                    let captured = text.get(start..end).unwrap_or_default();
                    let fold = |name: &str| folded(r.words(), name);
                    let name = employer(r.words(), captured).filter(|name| fold(name) == fold(captured));
                    out.push(name, source, points);
                }
            }
            break;
        }
    }
}

/// Employer and role that a board of vacancies names between brackets, `[X - Y]`: of the two the title is the role.
pub(super) fn bracketed(r: &Reading<'_>) -> Option<(String, String)> {
    let own = r.sentences.iter().filter(|s| is_own_text(s.zone)).map(|s| s.text.as_str());
    own.filter_map(|text| spaceless::bracketed(r.words(), text)).find_map(|(a, b)| {
        let title = |text: &str| r.rules.titles.stand_in(&folded(r.words(), text));
        let form = (spaceless::names_employer(r.words(), a), spaceless::names_employer(r.words(), b));
        match (title(a) || form.1, title(b) || form.0) {
            (true, false) => Some((b.to_owned(), a.to_owned())),
            (false, true) => Some((a.to_owned(), b.to_owned())),
            _ => None,
        }
    })
}

/// The relay's own name, unless nothing else can be meant.
fn is_vendor(r: &Reading<'_>, candidate: &Candidate) -> bool {
    let Some(from) = r.message.from.first() else { return false };
    let Some(sender) = r.rules.senders.by_address(from) else { return false };
    sender.brand.iter().chain([&sender.id]).any(|b| squeezed(r.words(), b) == candidate.folded.replace(' ', ""))
}

fn is_recipient(r: &Reading<'_>, candidate: &Candidate) -> bool {
    r.message.to.iter().any(|to| !to.name.is_empty() && folded(r.words(), &to.name) == candidate.folded)
}

/// A subject or text that names the role where a name of an employer was looked for.
fn is_role(r: &Reading<'_>, candidate: &Candidate) -> bool {
    matches!(candidate.source, "subject" | "text") && r.rules.titles.stand_in(&candidate.folded)
}

fn best(found: Vec<Candidate>) -> Option<Fact> {
    let mut winner: Option<(f64, &Candidate)> = None;
    for candidate in &found {
        let mut by_source: Vec<(&str, f64)> = Vec::new();
        for other in found.iter().filter(|o| agree(&o.folded, &candidate.folded)) {
            match by_source.iter_mut().find(|(s, _)| *s == other.source) {
                Some((_, points)) => *points = points.max(other.points),
                None => by_source.push((other.source, other.points)),
            }
        }
        // Of agreeing spellings the one that the strongest source uses.
        let own = candidate.points / 100.0 + if candidate.spelled { 0.05 } else { 0.0 };
        let total = by_source.iter().map(|(_, p)| p).sum::<f64>() + own;
        if winner.is_none_or(|(best, _)| total > best) {
            winner = Some((total, candidate));
        }
    }
    let (points, mut candidate) = winner?;
    // A sentence bends a name (`bei den Stadtwerken`), its owner does not.
    let words = |c: &Candidate| c.name.split_whitespace().count();
    let unbent = |c: &&Candidate| c.source == "display name" && c.spelled && words(c) == words(candidate);
    if let Some(own) = found.iter().filter(unbent).find(|c| agree(&c.folded, &candidate.folded)) {
        candidate = own;
    }
    (points >= STATED).then(|| Fact { value: candidate.name.clone(), source: candidate.source.to_owned() })
}
