//! What the sender's display name says of the employer: the name, or a person or a team at the employer.

use super::{Candidates, DISPLAY_NAME, DISPLAY_NAME_BARE, address::label, bare};
use crate::{
    classify::facts::{
        NameWords, Reading,
        names::{as_domain, employer, has_legal_form, is_person},
        spaceless, trade,
    },
    message::Address,
    rules::phrase::is_spaceless,
};

/// The display name of the sender without what a team adds.
pub(super) fn display_name(r: &Reading<'_>, from: &Address, out: &mut Candidates<'_>) {
    let words = r.words();
    let name = from.name.trim();
    if name.is_empty() || name.contains('@') && !name.contains(" @ ") {
        return;
    }
    // The comma before a legal form parts nothing.
    let comma = Some(", ").filter(|_| !has_legal_form(words, name));
    for mark in words.sender.marks.iter().map(String::as_str).chain(comma) {
        if let Some((head, tail)) = name.split_once(mark) {
            out.push(employer(words, bare(r, tail)), "display name", DISPLAY_NAME);
            if !is_person(head) {
                out.push(employer(words, bare(r, head)), "display name", DISPLAY_NAME_BARE);
            }
            return;
        }
    }
    let head = name.split_once(" via ").map_or(name, |(head, _)| head);
    let bare = bare(r, head);
    let cut = bare.len() < head.len();
    let local = from.local().to_lowercase();
    // In these scripts the whole name may stand there in one word.
    let cut = cut || spaceless::names_employer(words, head);
    let named_in_local = bare.split_whitespace().any(|w| {
        let word = as_domain(w, false);
        word.len() >= 3 && local.contains(&word)
    });
    let relayed = r.sender.noreply || r.sender.relays_hiring();
    let shared = relayed || local.split(['.', '-', '_', '+']).any(|part| words.sender.shared_mailboxes.has(part));
    let trade = trade::stands_in(words, bare);
    if !trade && is_titled(words, bare) || !cut && !shared && !trade && is_sender(from, bare, named_in_local) {
        return;
    }
    let unlike_person = is_spaceless(bare) && !spaceless::may_be_person(words, bare);
    let points = if cut || shared || trade || unlike_person || is_domain_of(from, bare) || has_legal_form(words, bare) {
        DISPLAY_NAME
    } else {
        DISPLAY_NAME_BARE
    };
    // Some brands are written small throughout.
    let small =
        !is_spaceless(bare) && bare.chars().count() > 1 && !bare.contains(' ') && !bare.chars().any(char::is_uppercase);
    let brand = || ((relayed || cut) && small).then(|| bare.to_owned());
    out.push(employer(words, bare).or_else(brand), "display name", points);
}

fn is_titled(words: &NameWords, name: &str) -> bool {
    let first = name.split_whitespace().next().unwrap_or_default();
    words.person_titles.has(&first.trim_end_matches('.').to_lowercase())
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
