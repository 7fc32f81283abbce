//! Facts about who relays hiring mail: vendors, boards, schedulers. Evidence only; an unknown sender is never a
//! reason to ignore a mail, and a vendor's brand is never the employer.

use std::collections::HashMap;

use super::phrase::Phrase;
use crate::message::Address;

/// Kinds of senders a file may name.
pub const KINDS: [&str; 8] =
    ["ats", "jobboard", "scheduler", "assessment", "interview-platform", "esp", "freemail", "agency"];

/// One known sender.
#[derive(Debug)]
pub struct Sender {
    /// Identity, e.g. `greenhouse`.
    pub id: String,
    /// Names of the vendor, best first; never the employer's.
    pub brand: Vec<String>,
    /// One of `KINDS`.
    pub kind: String,
    /// Whether replies reach anybody.
    pub noreply: NoReply,
    /// Where the employer's slug stands.
    pub tenant: Tenant,
    /// Sources of the employer's name, best first.
    pub company_from: Vec<String>,
    pub(crate) subjects: Vec<Phrase>,
    pub(crate) display_forms: Vec<Phrase>,
}

/// Whether replies to a relay reach anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReply {
    /// Never.
    Always,
    /// Not to the addresses the local part of which says so.
    Default,
    /// They do.
    No,
}

/// Where a relay's address holds the employer's slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// Nowhere.
    None,
    /// `slug@vendor`
    LocalPart,
    /// `slug+tag@vendor`
    LocalBeforePlus,
    /// `x@slug.vendor`
    Subdomain,
}

/// All known senders.
#[derive(Debug, Default)]
pub struct SenderTable {
    pub(crate) senders: Vec<Sender>,
    /// Domain, lower case, to index.
    pub(crate) domains: HashMap<String, usize>,
}

impl SenderTable {
    /// The sender whose domain is `domain` or a parent of it, compared by whole labels.
    pub fn by_domain(&self, domain: &str) -> Option<(&Sender, &str)> {
        let mut rest = domain;
        loop {
            if let Some((known, i)) = self.domains.get_key_value(rest) {
                return self.senders.get(*i).map(|s| (s, known.as_str()));
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// The sender an address belongs to.
    pub fn by_address(&self, address: &Address) -> Option<&Sender> {
        self.by_domain(address.domain()).map(|(s, _)| s)
    }

    /// The employer's slug in an address of a relay, where the relay puts it there.
    pub fn slug<'a>(&self, address: &'a Address, not_a_tenant: &[String]) -> Option<&'a str> {
        let (sender, domain) = self.by_domain(address.domain())?;
        let slug = match sender.tenant {
            Tenant::None => None,
            Tenant::LocalPart => Some(address.local()),
            Tenant::LocalBeforePlus => address.local().split_once('+').map(|(before, _)| before),
            Tenant::Subdomain => {
                address.domain().strip_suffix(domain)?.strip_suffix('.')?.split('.').find(|l| !is_in(not_a_tenant, l))
            }
        }?;
        (!slug.is_empty() && !is_in(not_a_tenant, slug)).then_some(slug)
    }
}

fn is_in(list: &[String], word: &str) -> bool {
    list.iter().any(|w| w.eq_ignore_ascii_case(word))
}
