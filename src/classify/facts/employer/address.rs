//! What the sender's addresses say of the employer: the own domain, or the slug that a relay puts into its addresses,
//! spelled as the mail spells the name.

use super::{Candidate, Candidates, for_client};
use crate::{
    classify::{
        facts::{
            Reading,
            names::{as_domain, folded},
            trade,
        },
        judge::is_own_text,
    },
    message::{Address, registrable},
    outcome::Category,
};

/// Points of the sender's own domain.
const DOMAIN: f64 = 2.0;
/// A domain of one word that nothing makes doubtful.
const OWN_DOMAIN: f64 = 2.5;
/// Points of a slug that a relay wrote.
const SLUG: f64 = 2.0;
/// Shortest label of a domain that may be a name alone, in characters.
const LABEL_CHARS_MIN: usize = 4;
/// Shortest part of a slug that may stand for the whole.
const SLUG_PART_CHARS_MIN: usize = 5;
/// Most words of a name looked for in the text.
const SPELLING_WORDS_MAX: usize = 5;

/// The label of a domain that its owner chose. `example` is nobody's name (RFC 2606).
pub(super) fn label(domain: &str) -> &str {
    let own = registrable(domain).unwrap_or_default();
    match own.split('.').next() {
        Some("example") => domain.strip_suffix(own).and_then(|d| d.strip_suffix('.')?.rsplit('.').next()).unwrap_or(""),
        label => label.unwrap_or_default(),
    }
}

/// The slug a relay puts into its addresses, and the sender's own domain.
pub(super) fn addresses(r: &Reading<'_>, from: &Address, out: &mut Candidates<'_>) {
    for address in [Some(from), r.message.reply_to.first()].into_iter().flatten() {
        if let Some(slug) = r.rules.senders.slug(address, r.rules.list("not-a-tenant")) {
            let slug = slug.trim_end_matches(|c: char| c.is_ascii_digit());
            let slug = r.words().sender.slug_suffixes.iter().fold(slug, |s, e| s.strip_suffix(e.as_str()).unwrap_or(s));
            from_slug(r, slug, "address", SLUG, out);
            continue;
        }
        if r.rules.senders.by_address(address).is_some() || r.words().sender.freemail.has(address.domain()) {
            continue;
        }
        let label = label(address.domain());
        from_slug(r, label, "domain", DOMAIN, out);
        if let Some(last) = out.found.last_mut().filter(|c| c.source == "domain" && !c.spelled && is_own(r, label)) {
            last.points = OWN_DOMAIN;
        }
    }
}

/// Whether a label of a domain names the employer by itself: one word, no relay's and no agency's, in mail about a job.
/// Where a hyphen parts it, the words are those of an address.
fn is_own(r: &Reading<'_>, label: &str) -> bool {
    let about_a_job = !matches!(r.category, Category::Unrelated | Category::JobAlert | Category::Outreach);
    let long_enough = label.chars().count() >= LABEL_CHARS_MIN;
    let parts = label.contains('-') && !trade::stands_in(r.words(), label);
    let agency = r.words().sender.agency_parts.stand_in(label) || r.words().sender.agency_ends.end(label);
    about_a_job && long_enough && !parts && !agency && !r.sender.noreply && !for_client(r)
}

/// A name known only as a slug: spelled as the text spells it, else with a capital.
fn from_slug(r: &Reading<'_>, slug: &str, source: &'static str, points: f64, out: &mut Candidates<'_>) {
    let squeezed_slug = as_domain(slug, false);
    if squeezed_slug.chars().count() < 2 {
        return;
    }
    let spelled = spelling(r, &squeezed_slug);
    let name = spelled.clone().unwrap_or_else(|| {
        let words = slug.split(['-', '_', '.']).filter(|w| !w.is_empty());
        let words = words.map(|w| trade::parted(r.words(), w).unwrap_or_else(|| trade::capital(w)));
        words.collect::<Vec<_>>().join(" ")
    });
    let folded = if spelled.is_some() { folded(r.words(), &name) } else { squeezed_slug };
    // A name that the text spells is worth more than an address alone.
    let points = if spelled.is_some() { points + 1.0 } else { points };
    out.found.push(Candidate { spelled: spelled.is_some(), folded, name, source, points });
}

/// The words of the mail that make up a slug, or the longest that begin it or that it begins.
fn spelling(r: &Reading<'_>, slug: &str) -> Option<String> {
    let begins = |word: &str| may_begin(word.trim_start_matches(|c: char| !c.is_alphanumeric()), slug);
    let display = r.message.from.first().map(|f| f.name.as_str());
    let own = r.sentences.iter().filter(|s| is_own_text(s.zone)).map(|s| s.text.as_str());
    let mut part: Option<(usize, String)> = None;
    for text in display.into_iter().chain(own) {
        let words: Vec<&str> = text.split_whitespace().collect();
        for start in 0..words.len() {
            if !words.get(start).is_some_and(|w| begins(w) && w.chars().any(char::is_uppercase)) {
                continue;
            }
            for count in 1..=SPELLING_WORDS_MAX {
                let Some(run) = words.get(start..start + count) else { break };
                let joined = run.join(" ");
                let name = joined.trim_matches(|c: char| !c.is_alphanumeric());
                match alike(name, slug) {
                    Alike::Same => return Some(name.to_owned()),
                    Alike::Part(length) if part.as_ref().is_none_or(|(best, _)| length > *best) => {
                        part = Some((length, name.to_owned()));
                    }
                    Alike::Part(_) | Alike::Begins => {}
                    Alike::No => break,
                }
                if run.last().is_some_and(|w| w.ends_with([',', '.', ';', ':', '!', '?'])) {
                    break;
                }
            }
        }
    }
    part.map(|(_, name)| name)
}

/// Whether a name may be spelled like the slug, or either begin like the other, told by its first letter alone.
fn may_begin(name: &str, slug: &str) -> bool {
    match name.bytes().next() {
        Some(first) if first.is_ascii() => slug.bytes().next() == Some(first.to_ascii_lowercase()),
        _ => true,
    }
}

enum Alike {
    Same,
    /// One begins with the other; how long the shorter one is.
    Part(usize),
    /// Too short to tell.
    Begins,
    No,
}

fn alike(name: &str, slug: &str) -> Alike {
    let mut best = Alike::No;
    // Domains write `&` as `and` or leave it out.
    let bare = name.contains('&').then(|| name.replace('&', " "));
    let spellings = [Some(name), bare.as_deref()].into_iter().flatten();
    // Letters of ASCII are written in one way.
    let spellings = spellings.flat_map(|name| [(name, false), (name, true)]).filter(|(n, long)| !long || !n.is_ascii());
    for (name, long) in spellings {
        let joined = as_domain(name, long);
        if joined.is_empty() {
            continue;
        }
        if joined == slug {
            return Alike::Same;
        }
        let shorter = joined.len().min(slug.len());
        if joined.starts_with(slug) || slug.starts_with(&joined) {
            let tells = shorter >= SLUG_PART_CHARS_MIN && shorter * 2 >= slug.len();
            best = if tells { Alike::Part(shorter) } else { Alike::Begins };
        }
    }
    best
}
