//! Whose word on a sender counts: that of the person's own mail provider, and nobody else's.
//!
//! Anybody can write an `Authentication-Results` field. The provider puts its own on top; the name in it has to be the one
//! that is configured, or one of the provider's organisation. Nothing here is ever taken for a good sign: what is absent
//! or not believed is unknown.

use super::person::organisation;
use crate::message::AuthResults;

/// How an account's provider is recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthService {
    /// The authserv-id as configured; then no other one counts.
    pub authserv_id: Option<String>,
    /// Domains of the provider: that of the IMAP server, those of the addresses mail is received at, and the one it calls
    /// itself by in that field, where that is known.
    pub domains: Vec<String>,
}

impl AuthService {
    /// The results, where it is this provider that says so.
    pub fn believed<'m>(&self, results: Option<&'m AuthResults>) -> Option<&'m AuthResults> {
        results.filter(|results| match &self.authserv_id {
            Some(id) => results.authserv_id.eq_ignore_ascii_case(id),
            None => self.domains.iter().any(|domain| is_of(&results.authserv_id, &domain.to_lowercase())),
        })
    }
}

/// Whether a server's name belongs to the organisation behind a domain. An IP address and `localhost` have none.
fn is_of(id: &str, domain: &str) -> bool {
    let named = domain.rsplit_once('.').is_some_and(|(_, top)| top.contains(|c: char| c.is_alphabetic()));
    named && organisation(id) == organisation(domain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{AuthResult, Fetched, Message};

    #[test]
    fn only_the_topmost_word_of_the_own_provider_counts() {
        let own = "Authentication-Results: mx.roe.example; dmarc=fail header.from=kestrel.example\r\n";
        let forged = "Authentication-Results: mx.roe.example; dmarc=pass\r\n";
        let foreign = "Authentication-Results: mx.evil.example; dmarc=pass\r\n";
        let folded = "authentication-results:\r\n\t(x) MX.roe.example 1;\r\n\tdmarc=fail (p=reject\r\n\t dis=none)\r\n";
        let huge = format!("Authentication-Results: {}; dmarc=pass\r\n", "x".repeat(100_000));
        let learned = AuthService { authserv_id: None, domains: vec!["imap.roe.example".into(), "127.0.0.1".into()] };
        let configured = AuthService { authserv_id: Some("mx.roe.example".into()), domains: Vec::new() };
        let other = AuthService { authserv_id: Some("mx2.roe.example".into()), ..learned.clone() };
        let fail = Some(AuthResult::Fail);
        for (what, head, provider, expected) in [
            ("own", own.to_owned(), &learned, fail),
            ("own, configured", own.to_owned(), &configured, fail),
            ("another one is configured", own.to_owned(), &other, None),
            ("own above a forged one", format!("{own}{forged}"), &learned, fail),
            ("a foreign one above", format!("{foreign}{own}"), &learned, None),
            ("absent", String::new(), &learned, None),
            ("folded, with comments", folded.to_owned(), &learned, fail),
            ("huge", huge, &learned, None),
            ("no provider known", own.to_owned(), &AuthService::default(), None),
        ] {
            let mail = format!("{head}From: a@kestrel.example\r\nSubject: x\r\n\r\nHello\r\n");
            let message = Message::parse(mail.as_bytes(), Fetched::Whole);
            let found = provider.believed(message.auth.as_ref()).and_then(|results| results.dmarc);
            assert_eq!(found, expected, "{what}");
        }
        for (id, domain, expected) in [
            ("mx.google.com", "google.com", true),
            ("mx.google.com.evil.example", "google.com", false),
            ("mx.google.com", "imap.gmail.com", false),
            ("gmx.net", "imap.gmx.net", true),
            ("mx.example.co.uk", "example.co.uk", true),
            ("mx.other.co.uk", "example.co.uk", false),
            ("0.1", "127.0.0.1", false),
            ("localhost", "localhost", false),
        ] {
            assert_eq!(is_of(id, domain), expected, "{id} {domain}");
        }
    }
}
