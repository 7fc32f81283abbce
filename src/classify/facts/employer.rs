//! Who the employer is: every source gives candidates with points, agreeing candidates add up, and a name is stated
//! only when enough speaks for it (`rules.md` §3.10). A vendor's brand is never the employer.

use super::{
    Reading,
    names::{agree, as_domain, employer, folded, has_legal_form, is_person, squeezed, without_prefix, without_suffix},
    spaceless, trade,
};
use crate::{
    classify::{Fact, judge::is_own_text, sentence::Sentence},
    message::{Address, Zone},
    outcome::Category,
    rules::{
        normal::normalise,
        phrase::{Capture, is_spaceless},
        words::Tails,
    },
};

/// Points from which on a name is stated.
const STATED: f64 = 2.5;
/// Points of each source.
const SUBJECT: f64 = 4.0;
const TEXT: f64 = 3.0;
const DISPLAY_NAME: f64 = 3.0;
const SIGNATURE: f64 = 3.0;
const DOMAIN: f64 = 2.0;
/// A domain of one word that nothing makes doubtful.
const OWN_DOMAIN: f64 = 2.5;
const SLUG: f64 = 2.0;
/// A short last line without a sign-off before it.
const LAST_LINE: f64 = 1.0;
/// What a relay says of an employer in words that name nobody else; a rule says so by its weight.
const CERTAIN: f64 = 9.0;
/// A display name that may as well be a person's.
const DISPLAY_NAME_BARE: f64 = 1.5;
/// Domains where anybody has a mailbox; the table of senders may name more.
const FREEMAIL: [&str; 30] = [
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "yahoo.co.uk",
    "icloud.com",
    "me.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "gmx.at",
    "web.de",
    "proton.me",
    "protonmail.com",
    "mail.ru",
    "yandex.ru",
    "qq.com",
    "163.com",
    "t-online.de",
    "freenet.de",
    "yahoo.co.jp",
    "docomo.ne.jp",
    "yahoo.com.tw",
    "126.com",
    "foxmail.com",
    "naver.com",
    "daum.net",
    "hanmail.net",
];
/// Local parts of mailboxes that belong to no single person.
const SHARED_MAILBOXES: [&str; 33] = [
    "talent",
    "jobs",
    "job",
    "hr",
    "careers",
    "career",
    "recruiting",
    "recruitment",
    "hello",
    "info",
    "office",
    "studio",
    "team",
    "apply",
    "applications",
    "bewerbung",
    "karriere",
    "personal",
    "people",
    "hiring",
    "contact",
    "kontakt",
    "rh",
    "recrutement",
    "empleo",
    "mail",
    "saiyo",
    "saiyou",
    "jinji",
    "recruit",
    "zhaopin",
    "insa",
    "chaeyong",
];
/// Longest line that may be a signature, in characters.
const SIGNATURE_CHARS_MAX: usize = 60;
/// Most lines that are looked for in the text before them: honest mail has few that are nothing but a name, and each
/// takes a search through the whole mail.
const SOUGHT_MAX: usize = 32;
/// Most candidates that are weighed against each other, each against all: honest mail names a handful.
const CANDIDATES_MAX: usize = 100;
/// Shortest label of a domain that may be a name alone, in characters.
const LABEL_CHARS_MIN: usize = 4;
/// Shortest part of a slug that may stand for the whole.
const SLUG_PART_CHARS_MIN: usize = 5;
/// Most words of a name looked for in the text.
const SPELLING_WORDS_MAX: usize = 5;

/// What stands in a display name between a person or a team and the employer.
#[rustfmt::skip] // A table of words.
const DISPLAY_MARKS: [&str; 22] = [
    " @ ", " at ", " from ", " bei ", " von ", " de chez ", " chez ", " hos ", " på ", " fra ", " från ", " presso ",
    " w ", " we ", " ve společnosti ", " u ", " в ", " bij ", " | ", " - ", " – ", ", ",
];

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
    sender_templates(r, &mut found);
    // Who writes for a client signs with the own name: only what the mail says of the client counts.
    if let Some(from) = r.message.from.first().filter(|_| !for_client(r)) {
        display_name(r, from, &mut found);
        addresses(r, from, &mut found);
        signature(r, &mut found);
    }
    if let Some((name, _)) = bracketed(r) {
        push(&mut found, Some(name), "text", SUBJECT);
    }
    found.retain(|c| !is_vendor(r, c) && !is_recipient(r, c) && !is_role(r, c));
    best(found)
}

fn push(out: &mut Vec<Candidate>, name: Option<String>, source: &'static str, points: f64) {
    if let Some(name) = name {
        let folded = folded(&name);
        if !folded.is_empty() && out.len() < CANDIDATES_MAX {
            out.push(Candidate { folded, name, source, points, spelled: true });
        }
    }
}

fn suffixes<'r>(r: &Reading<'r>) -> &'r Tails {
    &r.words().suffixes
}

/// The text without the words of a team behind and before the name.
fn bare<'n>(r: &Reading<'_>, text: &'n str) -> &'n str {
    without_suffix(without_prefix(without_suffix(text, suffixes(r)), &r.words().prefixes), suffixes(r))
}

/// Whether the mail comes from somebody who hires for another.
fn for_client(r: &Reading<'_>) -> bool {
    // `HR Acme` is in the house, whoever its clients are.
    let in_house = r.message.from.first().is_some_and(|from| {
        let name = from.name.trim();
        without_prefix(name, &r.words().prefixes).len() < name.len()
    });
    r.sender.kind.as_deref() == Some("agency") || !in_house && r.counted().any(|(_, rule)| rule.set.agency)
}

/// `<company>` captures of rules that counted.
fn captures(r: &Reading<'_>, out: &mut Vec<Candidate>) {
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
            push(out, employer(&text, suffixes(r)), source, points);
        }
    }
}

/// The display name of the sender without what a team adds.
fn display_name(r: &Reading<'_>, from: &Address, out: &mut Vec<Candidate>) {
    let name = from.name.trim();
    if name.is_empty() || name.contains('@') && !name.contains(" @ ") {
        return;
    }
    // The comma before a legal form parts nothing.
    let marks = DISPLAY_MARKS.iter().filter(|mark| **mark != ", " || !has_legal_form(name));
    for mark in marks {
        if let Some((head, tail)) = name.split_once(mark) {
            push(out, employer(bare(r, tail), suffixes(r)), "display name", DISPLAY_NAME);
            if !is_person(head) {
                push(out, employer(bare(r, head), suffixes(r)), "display name", DISPLAY_NAME_BARE);
            }
            return;
        }
    }
    let head = name.split_once(" via ").map_or(name, |(head, _)| head);
    let bare = bare(r, head);
    let cut = bare.len() < head.len();
    let local = from.local().to_lowercase();
    // In these scripts the whole name may stand there in one word.
    let cut = cut || spaceless::names_employer(head);
    let named_in_local = bare.split_whitespace().any(|w| {
        let word = as_domain(w, false);
        word.len() >= 3 && local.contains(&word)
    });
    let relayed = r.sender.noreply || r.sender.relays_hiring();
    let shared = relayed || SHARED_MAILBOXES.iter().any(|m| local.split(['.', '-', '_', '+']).any(|part| part == *m));
    let trade = trade::stands_in(r.words(), bare);
    if !trade && is_titled(bare) || !cut && !shared && !trade && is_sender(from, bare, named_in_local) {
        return;
    }
    let unlike_person = is_spaceless(bare) && !spaceless::may_be_person(bare);
    let points = if cut || shared || trade || unlike_person || is_domain_of(from, bare) || has_legal_form(bare) {
        DISPLAY_NAME
    } else {
        DISPLAY_NAME_BARE
    };
    // Some brands are written small throughout.
    let small =
        !is_spaceless(bare) && bare.chars().count() > 1 && !bare.contains(' ') && !bare.chars().any(char::is_uppercase);
    let brand = || ((relayed || cut) && small).then(|| bare.to_owned());
    push(out, employer(bare, suffixes(r)).or_else(brand), "display name", points);
}

/// What stands before the name of a person.
#[rustfmt::skip] // A table of words.
const PERSON_TITLES: [&str; 24] = [
    "mr", "mrs", "ms", "miss", "dr", "prof", "professor", "rev", "canon", "sister", "sgt", "capt", "captain", "chef",
    "frau", "herr", "mme", "mlle", "dott", "sig", "sra", "mevr", "mgr", "ing",
];

fn is_titled(name: &str) -> bool {
    let first = name.split_whitespace().next().unwrap_or_default();
    PERSON_TITLES.contains(&first.trim_end_matches('.').to_lowercase().as_str())
}

/// Whether a display name is that of the person who has the mailbox: the local part holds a word of it or its
/// initials. A first name alone has to be all of the local part, and no part of the domain.
fn is_sender(from: &Address, name: &str, named_in_local: bool) -> bool {
    let local = from.local().to_lowercase();
    let mut words = name.split_whitespace();
    if let (Some(word), None) = (words.next(), words.next()) {
        let word = as_domain(word, false);
        return local.split(['.', '-', '_']).next() == Some(word.as_str()) && !label(from.domain()).contains(&word);
    }
    let initials = name.split_whitespace().filter_map(|w| as_domain(w, false).chars().next());
    is_person(name) && (named_in_local || initials.eq(local.chars()))
}

/// The label of a domain that its owner chose. `example` is nobody's name (RFC 2606).
fn label(domain: &str) -> &str {
    let own = psl::domain_str(domain).unwrap_or_default();
    match own.split('.').next() {
        Some("example") => domain.strip_suffix(own).and_then(|d| d.strip_suffix('.')?.rsplit('.').next()).unwrap_or(""),
        label => label.unwrap_or_default(),
    }
}

/// Whether two or more words of a name, the others left out, are the sender's own domain.
fn is_domain_of(from: &Address, name: &str) -> bool {
    let mut rest = as_domain(label(from.domain()), false);
    let mut used = 0;
    for word in name.split_whitespace().map(|w| as_domain(w, false)).filter(|w| !w.is_empty()) {
        if let Some(tail) = rest.strip_prefix(word.as_str()) {
            rest = tail.to_owned();
            used += 1;
        }
    }
    used >= 2 && rest.is_empty()
}

/// The slug a relay puts into its addresses, and the sender's own domain.
fn addresses(r: &Reading<'_>, from: &Address, out: &mut Vec<Candidate>) {
    for address in [Some(from), r.message.reply_to.first()].into_iter().flatten() {
        if let Some(slug) = r.rules.senders.slug(address, r.rules.list("not-a-tenant")) {
            let slug = slug.trim_end_matches(|c: char| c.is_ascii_digit());
            let slug = ["-careers", "-jobs", "careers", "jobs", "-recruiting"]
                .iter()
                .fold(slug, |s, e| s.strip_suffix(e).unwrap_or(s));
            from_slug(r, slug, "address", SLUG, out);
            continue;
        }
        if r.rules.senders.by_address(address).is_some() || FREEMAIL.contains(&address.domain()) {
            continue;
        }
        let label = label(address.domain());
        from_slug(r, label, "domain", DOMAIN, out);
        if let Some(last) = out.last_mut().filter(|c| c.source == "domain" && !c.spelled && is_own(r, label)) {
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
    let agency = r.words().agency_parts.stand_in(label) || r.words().agency_ends.end(label);
    about_a_job && long_enough && !parts && !agency && !r.sender.noreply && !for_client(r)
}

/// A name known only as a slug: spelled as the text spells it, else with a capital.
fn from_slug(r: &Reading<'_>, slug: &str, source: &'static str, points: f64, out: &mut Vec<Candidate>) {
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
    let folded = if spelled.is_some() { folded(&name) } else { squeezed_slug };
    // A name that the text spells is worth more than an address alone.
    let points = if spelled.is_some() { points + 1.0 } else { points };
    out.push(Candidate { spelled: spelled.is_some(), folded, name, source, points });
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

/// Templates of known senders for their subjects and display names.
fn sender_templates(r: &Reading<'_>, out: &mut Vec<Candidate>) {
    let Some(from) = r.message.from.first() else { return };
    let Some(sender) = r.rules.senders.by_address(from) else { return };
    let texts = [
        (&sender.subjects, &r.message.subject, "subject", SUBJECT),
        (&sender.display_forms, &from.name, "display name", DISPLAY_NAME),
    ];
    for (forms, text, source, points) in texts {
        let normal = normalise(text);
        for form in forms {
            let Some(found) = form.find_from(&normal.text, 0) else { continue };
            for (kind, (start, end)) in found.captures {
                if kind == Capture::Company {
                    let (start, end) = normal.original(start, end);
                    // A template that takes any subject must not make a name of half a sentence.
                    let captured = text.get(start..end).unwrap_or_default();
                    let name = employer(captured, suffixes(r)).filter(|n| folded(n) == folded(captured));
                    push(out, name, source, points);
                }
            }
            break;
        }
    }
}

/// Employer and role that a board of vacancies names between brackets, `[X - Y]`: of the two the title is the role.
pub(super) fn bracketed(r: &Reading<'_>) -> Option<(String, String)> {
    let own = r.sentences.iter().filter(|s| is_own_text(s.zone)).map(|s| s.text.as_str());
    own.filter_map(spaceless::bracketed).find_map(|(a, b)| {
        let title = |text: &str| r.rules.titles.stand_in(&folded(text));
        let form = (spaceless::names_employer(a), spaceless::names_employer(b));
        match (title(a) || form.1, title(b) || form.0) {
            (true, false) => Some((b.to_owned(), a.to_owned())),
            (false, true) => Some((a.to_owned(), b.to_owned())),
            _ => None,
        }
    })
}

/// `The X Team`, `X Recruiting` below the sign-off.
fn signature(r: &Reading<'_>, out: &mut Vec<Candidate>) {
    let closing = r.sentences.iter().filter(|s| s.zone == Zone::Closing).map(|s| s.text.as_str());
    // Without a sign-off the last short line may still be a signature.
    let last = r.sentences.iter().rfind(|s| matches!(s.zone, Zone::Lead | Zone::Body)).map(|s| s.text.as_str());
    let last = last.filter(|l| l.chars().count() <= SIGNATURE_CHARS_MAX && !l.ends_with(['.', '!', '?']));
    let parts = |text: &'_ str| text.split([',', '|', '\n']).map(|l| l.trim().to_owned()).collect::<Vec<_>>();
    if let Some(line) = last {
        let bare = bare(r, line);
        // `View more jobs` ends like a team as well: only words before a name tell here.
        let team_first = without_prefix(line, &r.words().prefixes).len() < line.len();
        let named = spaceless::names_employer(line) || team_first || is_firm(r, line);
        push(out, employer(bare, suffixes(r)), "last line", if named { SIGNATURE } else { LAST_LINE });
    }
    own_lines(r, out);
    for line in closing.flat_map(parts).filter(|l| !l.is_empty()) {
        let line = line.as_str();
        let bare = bare(r, line);
        if spaceless::names_employer(line) || has_legal_form(line) || is_firm(r, line) {
            push(out, employer(line, suffixes(r)), "signature", SIGNATURE);
        } else if bare.len() < line.len() {
            let bare = bare.strip_prefix("The ").or_else(|| bare.strip_prefix("Your ")).unwrap_or(bare);
            push(out, employer(bare, suffixes(r)), "signature", SIGNATURE);
        } else if !is_person(line) {
            push(out, employer(line, suffixes(r)), "signature", 1.0);
        }
    }
}

/// Whether a line is the name of a firm by its trade, and not somebody's position there.
fn is_firm(r: &Reading<'_>, line: &str) -> bool {
    line.contains(' ') && trade::stands_in(r.words(), line) && !r.rules.titles.stand_in(&folded(line))
}

/// Lines that are nothing but a name: with its legal form, or with the name standing in an earlier sentence as well.
fn own_lines(r: &Reading<'_>, out: &mut Vec<Candidate>) {
    let written = |s: &&Sentence| matches!(s.zone, Zone::Lead | Zone::Body | Zone::Closing);
    let lines: Vec<&str> = r.sentences.iter().filter(written).map(|s| s.text.trim()).collect();
    let mut sought = 0;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.chars().count() <= SIGNATURE_CHARS_MAX) {
        // `Ada, Acme GmbH`: the form belongs to the last part.
        let last = line.rsplit(", ").next().filter(|part| has_legal_form(part)).unwrap_or(line);
        if has_legal_form(last) {
            push(out, employer(last, suffixes(r)), "signature", SIGNATURE);
        } else if sought < SOUGHT_MAX && is_name_alone(r, line) {
            sought += 1;
            let behind_a_word = format!(" {line}");
            if lines.iter().take(at).any(|earlier| earlier.contains(&behind_a_word)) {
                push(out, Some((*line).to_owned()), "signature", STATED);
            }
        }
    }
}

/// Whether a line is nothing but a name of several words that may be an employer's.
fn is_name_alone(r: &Reading<'_>, line: &str) -> bool {
    let whole = || employer(line, suffixes(r)).is_some_and(|name| name == line);
    let other = || r.rules.titles.stand_in(&folded(line)) || is_signer(r, line);
    line.contains(' ') && whole() && !other()
}

/// Whether a line is the name in the sender's own address.
fn is_signer(r: &Reading<'_>, line: &str) -> bool {
    r.message.from.first().is_some_and(|from| from.name.contains(line))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_the_domain_with_words_left_out() {
        for (name, domain, expected) in [
            ("Studio Legale Bassi", "studiobassi.it", true),
            ("Fırın Işık", "firinisik.com.tr", true),
            ("Anna Kowalska", "bassi.it", false),
            ("Anna Bassi", "bassi.it", false),
            ("Studio Bassi", "studiobassiroma.it", false),
        ] {
            let from = Address { name: name.to_owned(), email: format!("post@{domain}") };
            assert_eq!(is_domain_of(&from, name), expected, "{name} {domain}");
        }
    }
}
