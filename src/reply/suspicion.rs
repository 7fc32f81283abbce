//! What speaks against a mail being what it claims: red flags that make the person look before anything follows from it.
//!
//! Each is a stop on a draft, and a verdict with one is asked about, however sure the rules are. Nothing here proves that
//! a mail is honest. This module must not answer, log or delete anything.

use std::collections::BTreeSet;

use super::{
    Caution, look_alike,
    person::{organisation, value_key},
    request::{requests, suspects},
};
use crate::{
    classify::{Ask, Facts},
    message::{Address, AuthResult, AuthResults, LinkLie, Message},
    rules::RuleSet,
};

/// Red flags of a mail. `auth` is what the person's own provider says of it, see [`super::AuthService::believed`].
pub fn suspicion(rules: &RuleSet, message: &Message, facts: &Facts, auth: Option<&AuthResults>) -> Vec<Caution> {
    let mut found = Vec::new();
    let mut flag = |code: &str, text: String| found.push(Caution::stop(code, text));
    if auth.and_then(|auth| auth.dmarc) == Some(AuthResult::Fail) {
        flag("dmarc-fail", "Your mail provider says that this is not from the domain it names as its sender.".into());
    }
    if let Some(from) = message.from.first() {
        if let Some(like) = looks_like(rules, from, facts) {
            flag("look-alike-sender", format!("The sender's domain {} is made to look like {like}.", from.domain()));
        }
        if let Some(shown) = address_in_name(rules, from) {
            flag("address-in-name", format!("The sender calls itself {shown} and is {}.", from.email));
        }
    }
    for request in requests(message) {
        flag(&request.id, request.text.clone());
    }
    if let Some(lie) = message.link_lies.iter().find(|lie| is_a_lie(rules, message, lie)) {
        flag("link-elsewhere", format!("A link shows {} and leads to {}.", lie.shown, lie.host));
    }
    found
}

/// Why the person is asked about a mail with these flags.
pub fn asks(flags: &[Caution]) -> Vec<Ask> {
    let ask = |flag: &Caution| match flag.code.as_str() {
        "dmarc-fail" | "look-alike-sender" | "address-in-name" => Ask::DoubtfulSender,
        "link-elsewhere" => Ask::DoubtfulLink,
        _ => Ask::DoubtfulRequest,
    };
    flags.iter().map(ask).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whom the sender's domain passes for: mixed alphabets, the employer it names, or a relay that is known.
fn looks_like(rules: &RuleSet, from: &Address, facts: &Facts) -> Option<String> {
    if look_alike::is_mixed(from.domain()) {
        return Some("another one".to_owned());
    }
    if rules.senders().by_address(from).is_some() {
        return None;
    }
    let own = organisation(from.domain());
    let (label, _) = own.split_once('.')?;
    if let Some(employer) = &facts.employer
        && look_alike::is_drawn_like(label, &value_key(&employer.value))
    {
        return Some(employer.value.clone());
    }
    let known = rules.senders().domains.keys();
    let mut like: Vec<&String> = known
        .filter(|known| {
            let of = organisation(known);
            let name = of.split_once('.').map_or(of.as_str(), |(name, _)| name);
            look_alike::is_drawn_like(label, name) || look_alike::is_one_off(label, name)
        })
        .collect();
    like.sort();
    like.first().map(|known| (*known).clone())
}

/// The address of another organisation that stands in the display name. Relays put the one they write for there.
fn address_in_name(rules: &RuleSet, from: &Address) -> Option<String> {
    if rules.senders().by_address(from).is_some() {
        return None;
    }
    let odd = |c: char| c.is_whitespace() || "<>()[]\"',;|".contains(c);
    let shown = from.name.split(odd).find(|word| {
        word.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && organisation(&domain.to_lowercase()) != organisation(from.domain())
        })
    })?;
    Some(shown.to_owned())
}

/// Whether a link that shows one host and leads to another means harm. Mailing services count clicks, and those that the
/// sender's organisation, a relay or such a service leads on are no lie.
fn is_a_lie(rules: &RuleSet, message: &Message, lie: &LinkLie) -> bool {
    let of = organisation(&lie.host);
    let own = message.from.first().is_some_and(|from| organisation(from.domain()) == of);
    let named = |domain: &String| of == *domain || lie.host == *domain || lie.host.ends_with(&format!(".{domain}"));
    !own && rules.senders().by_domain(&lie.host).is_none() && !suspects().redirectors.iter().any(named)
}
