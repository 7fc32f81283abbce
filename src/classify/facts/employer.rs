//! Who the employer is: every source gives candidates with points, agreeing candidates add up, and a name is stated
//! only when enough speaks for it (`rules.md` §3.10). A vendor's brand is never the employer.

use super::{
    Reading,
    names::{agree, employer, folded, is_person, squeezed, without_suffix},
};
use crate::{
    classify::{Fact, judge::is_own_text},
    message::{Address, Zone},
    rules::{normal::normalise, phrase::Capture},
};

/// Points from which on a name is stated.
const STATED: f64 = 2.5;
/// Points of each source.
const SUBJECT: f64 = 4.0;
const TEXT: f64 = 3.0;
const DISPLAY_NAME: f64 = 3.0;
const SIGNATURE: f64 = 3.0;
const DOMAIN: f64 = 2.5;
const SLUG: f64 = 2.0;
/// A display name that may as well be a person's.
const DISPLAY_NAME_BARE: f64 = 1.5;
/// Domains where anybody has a mailbox; the table of senders may name more.
const FREEMAIL: [&str; 22] = [
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "yahoo.co.uk", "icloud.com",
    "me.com", "aol.com", "gmx.de", "gmx.net", "gmx.at", "web.de", "proton.me", "protonmail.com", "mail.ru", "yandex.ru",
    "qq.com", "163.com", "t-online.de", "freenet.de",
];
/// Most words of a name looked for in the text.
const SPELLING_WORDS_MAX: usize = 5;

struct Candidate {
    name: String,
    folded: String,
    source: &'static str,
    points: f64,
    /// Whether it is spelled as in the text, not as in an address.
    spelled: bool,
}

/// The employer, where one is stated.
pub(super) fn read(r: &Reading<'_>) -> Option<Fact> {
    let mut found = Vec::new();
    captures(r, &mut found);
    if let Some(from) = r.message.from.first() {
        display_name(r, from, &mut found);
        addresses(r, from, &mut found);
    }
    sender_templates(r, &mut found);
    signature(r, &mut found);
    found.retain(|c| !is_vendor(r, c) && !is_recipient(r, c));
    best(found)
}

fn push(out: &mut Vec<Candidate>, name: Option<String>, source: &'static str, points: f64) {
    if let Some(name) = name {
        let folded = folded(&name);
        if !folded.is_empty() {
            out.push(Candidate { folded, name, source, points, spelled: true });
        }
    }
}

fn suffixes<'r>(r: &Reading<'r>) -> &'r [String] {
    r.rules.list("display-suffixes")
}

/// `<company>` captures of rules that counted.
fn captures(r: &Reading<'_>, out: &mut Vec<Candidate>) {
    for (raw, rule) in r.counted() {
        for (_, text, zone) in r.captured(raw, Capture::Company) {
            let points = if zone == Zone::Subject { SUBJECT } else { TEXT };
            // A rule may say how far its captures can be trusted; signals usually carry 3 to 5.
            let trust = if rule.category.is_none() && rule.weight > 0.0 { rule.weight.min(5.0) / 5.0 + 0.5 } else { 1.0 };
            push(out, employer(&text, suffixes(r)), if zone == Zone::Subject { "subject" } else { "text" }, points * trust);
        }
    }
}

/// The display name of the sender without what a team adds.
fn display_name(r: &Reading<'_>, from: &Address, out: &mut Vec<Candidate>) {
    let name = from.name.trim();
    if name.is_empty() || name.contains('@') && !name.contains(" @ ") {
        return;
    }
    for mark in [" @ ", " at ", " from ", " bei ", " von ", " de chez ", " chez ", " | ", " - ", " – ", ", "] {
        if let Some((head, tail)) = name.split_once(mark) {
            let from_tail = employer(without_suffix(tail, suffixes(r)), suffixes(r));
            push(out, from_tail, "display name", DISPLAY_NAME);
            if !is_person(head) {
                push(out, employer(without_suffix(head, suffixes(r)), suffixes(r)), "display name", DISPLAY_NAME_BARE);
            }
            return;
        }
    }
    let head = name.split_once(" via ").map_or(name, |(head, _)| head);
    let bare = without_suffix(head, suffixes(r));
    let cut = bare.len() < head.len();
    let relayed = r.sender.noreply || r.sender.relays_hiring();
    let points = if cut || (relayed && !is_person(bare)) { DISPLAY_NAME } else { DISPLAY_NAME_BARE };
    push(out, employer(bare, suffixes(r)).or_else(|| relayed.then(|| bare.to_owned()).filter(|b| b.chars().count() > 1)), "display name", points);
}

/// The slug a relay puts into its addresses, and the sender's own domain.
fn addresses(r: &Reading<'_>, from: &Address, out: &mut Vec<Candidate>) {
    for address in [Some(from), r.message.reply_to.first()].into_iter().flatten() {
        if let Some(slug) = r.rules.senders.slug(address, r.rules.list("not-a-tenant")) {
            let slug = slug.trim_end_matches(|c: char| c.is_ascii_digit());
            let slug = ["-careers", "-jobs", "careers", "jobs", "-recruiting"].iter().fold(slug, |s, e| s.strip_suffix(e).unwrap_or(s));
            from_slug(r, slug, "address", SLUG, out);
            continue;
        }
        if r.rules.senders.by_address(address).is_some() || FREEMAIL.contains(&address.domain()) {
            continue;
        }
        let label = psl::domain_str(address.domain()).and_then(|d| d.split('.').next());
        from_slug(r, label.unwrap_or_default(), "domain", DOMAIN, out);
    }
}

/// A name known only as a slug: spelled as the text spells it, else with a capital.
fn from_slug(r: &Reading<'_>, slug: &str, source: &'static str, points: f64, out: &mut Vec<Candidate>) {
    let squeezed_slug: String = slug.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    if squeezed_slug.chars().count() < 2 {
        return;
    }
    let spelled = spelling(r, &squeezed_slug);
    let name = spelled.clone().unwrap_or_else(|| {
        let words = slug.split(['-', '_', '.']).filter(|w| !w.is_empty()).map(|w| {
            let mut chars = w.chars();
            chars.next().map(|c| c.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
        });
        words.collect::<Vec<_>>().join(" ")
    });
    let folded = if spelled.is_some() { folded(&name) } else { squeezed_slug };
    // A name that the text spells is worth more than an address alone.
    let points = if spelled.is_some() { points + 1.0 } else { points };
    out.push(Candidate { spelled: spelled.is_some(), folded, name, source, points });
}

/// The words of the mail that make up a slug.
fn spelling(r: &Reading<'_>, slug: &str) -> Option<String> {
    let display = r.message.from.first().map(|f| f.name.as_str());
    let own = r.sentences.iter().filter(|s| is_own_text(s.zone)).map(|s| s.text.as_str());
    for text in display.into_iter().chain(own) {
        let words: Vec<&str> = text.split_whitespace().collect();
        for start in 0..words.len() {
            let mut joined = String::new();
            for count in 1..=SPELLING_WORDS_MAX {
                let Some(word) = words.get(start + count - 1) else { break };
                joined.extend(word.to_lowercase().chars().filter(|c| c.is_alphanumeric()));
                if joined.len() > slug.len() {
                    break;
                }
                let capital = words.get(start).is_some_and(|w| w.chars().any(char::is_uppercase));
                if joined == slug && capital {
                    let name = words.get(start..start + count).unwrap_or_default().join(" ");
                    return Some(name.trim_matches(|c: char| !c.is_alphanumeric()).to_owned());
                }
            }
        }
    }
    None
}

/// Templates of known senders for their subjects and display names.
fn sender_templates(r: &Reading<'_>, out: &mut Vec<Candidate>) {
    let Some(from) = r.message.from.first() else { return };
    let Some(sender) = r.rules.senders.by_address(from) else { return };
    let texts = [(&sender.subjects, &r.message.subject, "subject", SUBJECT), (&sender.display_forms, &from.name, "display name", DISPLAY_NAME)];
    for (forms, text, source, points) in texts {
        let normal = normalise(text);
        for form in forms {
            let Some(found) = form.find_from(&normal.text, 0) else { continue };
            for (kind, (start, end)) in found.captures {
                if kind == Capture::Company {
                    let (start, end) = normal.original(start, end);
                    push(out, text.get(start..end).and_then(|t| employer(t, suffixes(r))), source, points);
                }
            }
            break;
        }
    }
}

/// `The X Team`, `X Recruiting` below the sign-off.
fn signature(r: &Reading<'_>, out: &mut Vec<Candidate>) {
    let lines = r.sentences.iter().filter(|s| s.zone == Zone::Closing).flat_map(|s| s.text.split([',', '|', '\n']));
    for line in lines.map(str::trim).filter(|l| !l.is_empty()) {
        let bare = without_suffix(line, suffixes(r));
        if bare.len() < line.len() {
            let bare = bare.strip_prefix("The ").or_else(|| bare.strip_prefix("Your ")).unwrap_or(bare);
            push(out, employer(bare, suffixes(r)), "signature", SIGNATURE);
        } else if !is_person(line) {
            push(out, employer(line, suffixes(r)), "signature", 1.0);
        }
    }
}

/// The relay's own name, unless nothing else can be meant.
fn is_vendor(r: &Reading<'_>, candidate: &Candidate) -> bool {
    let Some(from) = r.message.from.first() else { return false };
    let Some(sender) = r.rules.senders.by_address(from) else { return false };
    sender.brand.iter().chain([&sender.id]).any(|b| squeezed(b) == candidate.folded.replace(' ', ""))
}

fn is_recipient(r: &Reading<'_>, candidate: &Candidate) -> bool {
    r.message.to.iter().any(|to| !to.name.is_empty() && folded(&to.name) == candidate.folded)
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
    let (points, candidate) = winner?;
    (points >= STATED).then(|| Fact { value: candidate.name.clone(), source: candidate.source.to_owned() })
}
