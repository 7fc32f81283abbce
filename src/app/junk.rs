//! Junk: which mailbox it is, and what is made of mail that lies there.
//!
//! Invitations land in Junk, and so does every fraud that calls itself an employer. It is watched as any mailbox, and a
//! stranger's mail in it is never taken for certain. It must not open mailboxes nor judge what a mail means.

use crate::{
    classify::{Ask, Classification},
    config::{Account, Config, Junk},
    io::imap::{Listed, SpecialUse},
    outcome::Category,
};

/// Names of a Junk mailbox where the server marks none (RFC 6154 is optional): the usual ones of servers and of mail
/// programs in the languages that Onward reads.
const NAMES: &[&str] = &[
    "Junk",
    "Spam",
    "Junk E-mail",
    "Junk Email",
    "Junk E-Mail",
    "Junk Mail",
    "Bulk",
    "Bulk Mail",
    "Spamverdacht",
    "Unerwünscht",
    "Junk-E-Mail",
    "Werbung",
    "Indésirables",
    "Courrier indésirable",
    "Pourriel",
    "Correo no deseado",
    "Correo basura",
    "Posta indesiderata",
    "Lixo eletrônico",
    "Lixo Eletrónico",
    "Ongewenste e-mail",
    "Ongewenst",
    "Niechciane",
    "Wiadomości-śmieci",
    "Skräppost",
    "Søppelpost",
    "Uønsket",
    "Uønsket e-mail",
    "Roskaposti",
    "Nevyžádaná pošta",
    "Mesaje nesolicitate",
    "Levélszemét",
    "Önemsiz",
    "Gereksiz",
    "Спам",
    "迷惑メール",
    "垃圾邮件",
    "垃圾郵件",
    "스팸",
    "스팸메일함",
    "정크 메일",
    "Ανεπιθύμητα",
    "Correu brossa",
];
/// What servers put before the names of all mailboxes but INBOX.
const PREFIXES: &[&str] = &["INBOX.", "INBOX/", "[Gmail]/", "[Google Mail]/"];

/// Whether a mailbox is called as Junk usually is.
pub fn is_usual_name(mailbox: &str) -> bool {
    let bare = PREFIXES.iter().find_map(|prefix| mailbox.strip_prefix(prefix)).unwrap_or(mailbox);
    let bare = bare.to_lowercase();
    NAMES.iter().any(|name| name.to_lowercase() == bare)
}

/// The mailbox among those of a server, the one that it marks first.
pub fn find(listed: &[Listed]) -> Option<&str> {
    let selectable = || listed.iter().filter(|mailbox| mailbox.is_selectable());
    let marked = selectable().find(|mailbox| mailbox.is(SpecialUse::Junk));
    marked.or_else(|| selectable().find(|mailbox| is_usual_name(&mailbox.name))).map(|mailbox| mailbox.name.as_str())
}

/// Whether a mail that lies in this mailbox of the account lies in Junk, as far as names tell.
pub fn is_of(account: Option<&Account>, mailbox: &str) -> bool {
    match account.map(|account| &account.junk) {
        Some(Junk::Named(name)) => name == mailbox,
        Some(Junk::Never) => false,
        Some(Junk::Auto) | None => is_usual_name(mailbox),
    }
}

/// Whether a mail that was found in these places (account, mailbox) lies in Junk and nowhere else.
pub fn holds(places: &[(String, String)], config: Option<&Config>) -> bool {
    let account = |name: &str| config.and_then(|config| config.account(name));
    !places.is_empty() && places.iter().all(|(name, mailbox)| is_of(account(name), mailbox))
}

/// What a verdict on a mail in Junk comes to. Of somebody who is in conversation with the person, or who relays mail for
/// employers, it is what it is. A stranger's is asked about, or, where it would ask nothing of the person, left alone:
/// `None`. What the rules take for nothing stays that.
pub fn judged(verdict: Classification, known: bool) -> Option<Classification> {
    if known || verdict.facts.ats.is_some() {
        return Some(verdict);
    }
    match verdict.category {
        // Advertisements and offers of work by strangers are what spam is made of.
        Category::Outreach | Category::JobAlert | Category::OtherJob | Category::Unrelated => None,
        _ => {
            let mut asks = verdict.asks;
            asks.push(Ask::InJunk);
            Some(Classification { decided: false, asks, ..verdict })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, attributes: &[&str]) -> Listed {
        Listed { name: name.to_owned(), attributes: attributes.iter().map(|a| (*a).to_owned()).collect() }
    }

    #[test]
    fn junk_is_what_the_server_marks_and_then_what_is_called_so() {
        let inbox = listed("INBOX", &[]);
        for (others, expected) in [
            (vec![], None),
            (vec![listed("Archive", &[])], None),
            (vec![listed("Spam", &[]), listed("Verdacht", &["\\Junk"])], Some("Verdacht")),
            (vec![listed("Spam", &["\\Noselect"]), listed("INBOX.spam", &[])], Some("INBOX.spam")),
            (vec![listed("[Gmail]/Spam", &[])], Some("[Gmail]/Spam")),
            (vec![listed("Courrier indésirable", &[])], Some("Courrier indésirable")),
            (vec![listed("NEVYŽÁDANÁ POŠTA", &[])], Some("NEVYŽÁDANÁ POŠTA")),
            (vec![listed("Junk ideas", &[])], None),
        ] {
            let all: Vec<Listed> = [inbox.clone()].into_iter().chain(others).collect();
            assert_eq!(find(&all), expected);
        }
    }
}
