//! Names and addresses: is this a person, is this an address that reaches nobody, how did they sign.
//!
//! Shape only: no list of first names, nothing about gender or title. When in doubt a text is not a name.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{
    clean,
    message::{Address, registrable},
};

/// Longest name used in a salutation, in characters.
const NAME_CHARS_MAX: usize = 60;
/// Longest address, in bytes (RFC 5321 §4.5.3.1.3 less the angle brackets).
const EMAIL_BYTES_MAX: usize = 254;

/// Words that make a name a team's, a company's or a role's.
const NOT_A_PERSON: &[&str] = &[
    "team",
    "talent",
    "recruiting",
    "recruitment",
    "recruiter",
    "hiring",
    "careers",
    "career",
    "karriere",
    "jobs",
    "hr",
    "people",
    "personal",
    "personalabteilung",
    "bewerbung",
    "bewerbermanagement",
    "acquisition",
    "committee",
    "search",
    "campus",
    "human",
    "resources",
    "support",
    "service",
    "kundenservice",
    "office",
    "manager",
    "department",
    "the",
    "das",
    "ihr",
    "your",
    "noreply",
    "reply",
    "no-reply",
    "notifications",
    "gmbh",
    "ag",
    "se",
    "kg",
    "inc",
    "ltd",
    "llc",
    "plc",
    "corp",
    "company",
    "group",
    "gruppe",
    "university",
    "universität",
    "regards",
    "grüße",
    "sincerely",
    "thanks",
    "best",
    "kind",
    // Spanish, French, Italian, Dutch, Portuguese; without accents, as they are compared.
    "equipe",
    "equipo",
    "equipa",
    "recrutement",
    "recruteur",
    "reclutamiento",
    "reclutamento",
    "recrutamento",
    "seleccion",
    "selecao",
    "selezione",
    "selectie",
    "werving",
    "wervingsteam",
    "personeelszaken",
    "vacatures",
    "empleo",
    "emploi",
    "emprego",
    "carriere",
    "carrieres",
    "carreras",
    "carreiras",
    "candidature",
    "candidatures",
    "candidaturas",
    "talents",
    "talento",
    "talentos",
    "talenti",
    "ressources",
    "humaines",
    "recursos",
    "humanos",
    "risorse",
    "umane",
    "rh",
    "departamento",
    "departement",
    "dipartimento",
    "afdeling",
    "ufficio",
    "oficina",
    "servizio",
    "direction",
    "direccion",
    "gestion",
    "gestao",
    "atencion",
    "atendimento",
    "votre",
    "notre",
    "nuestro",
    "onze",
    "ons",
    "het",
    "cordialement",
    "cordiali",
    "saluti",
    "saludo",
    "saludos",
    "atentamente",
    "groet",
    "groeten",
    "cumprimentos",
    "atenciosamente",
    "sas",
    "sarl",
    "srl",
    "s.r.l",
    "s.p.a",
    "spa",
    "s.a",
    "s.l",
    "slu",
    "bv",
    "b.v",
    "nv",
    "n.v",
    "ltda",
    "lda",
];

/// Local parts that reach nobody, with separators removed.
const NO_REPLY: &[&str] = &[
    "noreply",
    "donotreply",
    "dontreply",
    "nepasrepondre",
    "nichtantworten",
    "keineantwort",
    "neantworten",
    "sansreponse",
    "norespond",
    "sinrespuesta",
    "nonrispondere",
    "senzarisposta",
    "nietbeantwoorden",
    "nietantwoorden",
    "geenantwoord",
    "naoresponda",
    "naoresponder",
    "semresposta",
    "noreplies",
    "unattended",
    "nobody",
];

/// Local parts of the machinery of mail itself (RFC 5321 §4.5.1, RFC 2142).
const MAILER: &[&str] = &["mailerdaemon", "postmaster", "bounce", "bounces", "mailer"];

/// The local part in lower case without accents, separators and a subaddress (`não-responda+x` → `naoresponda`).
fn squeezed(local: &str) -> String {
    let base = local.split_once('+').map_or(local, |(base, _)| base);
    plain(base).chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether the address says that nobody reads it: `no-reply@`, `do.not.reply+abc@`, `notifications@`.
pub fn is_no_reply(email: &str) -> bool {
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    let squeezed = squeezed(local);
    NO_REPLY.iter().any(|n| squeezed.contains(n))
        || matches!(squeezed.as_str(), "notification" | "notifications" | "alerts" | "autoreply")
}

/// Whether the address is a mail system's own: `mailer-daemon@`, `postmaster@`, `bounce+x@`.
pub fn is_mailer(email: &str) -> bool {
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    MAILER.contains(&squeezed(local).as_str())
}

/// Whether the text can stand as an address in a header and an SMTP command: one `@`, a domain, nothing that would
/// need quoting.
pub fn is_address(email: &str) -> bool {
    let unquoted = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[]\\,;:\"@".contains(c);
    email.len() <= EMAIL_BYTES_MAX
        && clean::line(email) == email
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.chars().all(unquoted)
                && domain.split('.').all(|label| !label.is_empty())
                && domain.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.')
        })
}

/// Whether two addresses are the same mailbox for all practical purposes: letter case is ignored.
pub fn same_mailbox(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// `name+tag@domain` without its tag (RFC 5233).
pub fn without_tag(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split_once('+').map_or(local, |(base, _)| base)),
        None => email.to_owned(),
    }
}

/// The name as it may stand in a salutation, or `None` where it may not be a person's. A display name `Schmidt, Anna`
/// is turned, an addition in brackets or after `via`, `|` and `@` is dropped; nothing is added or guessed.
pub fn person_name(text: &str) -> Option<String> {
    let text = clean::line_within(text, NAME_CHARS_MAX + 1);
    let text = text.split(['(', '|', '@', '/']).next().unwrap_or_default();
    let text = text.split(" via ").next().unwrap_or_default();
    let text = text.split(" at ").next().unwrap_or_default().trim().trim_matches(['"', '\'', ',']);
    let turned = match text.split_once(", ") {
        Some((family, given)) if !given.contains(',') => format!("{given} {family}"),
        _ => text.to_owned(),
    };
    let words: Vec<&str> = turned.split_whitespace().collect();
    let fine = (1..=5).contains(&words.len())
        && turned.chars().count() <= NAME_CHARS_MAX
        && words.iter().all(|w| is_name_word(w))
        && words.first().is_some_and(|w| w.chars().next().is_some_and(char::is_uppercase));
    fine.then(|| words.join(" "))
}

/// A word of a name: letters with inner hyphen, apostrophe or a final point, no shouting, none of the team words.
fn is_name_word(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let shouting = letters > 3 && word.chars().all(|c| !c.is_alphabetic() || c.is_uppercase());
    letters > 0
        && !shouting
        && word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.'))
        && ![word.to_lowercase(), plain(word)].iter().any(|w| {
            // `L'équipe` is a word behind its article.
            let bare = w.rsplit(['\'', '’']).next().unwrap_or_default();
            NOT_A_PERSON.contains(&bare.trim_end_matches('.'))
        })
}

/// How they signed, made safe for a salutation. A lone word that is the family name of the display name is completed
/// by it: `Schmidt` from `Anna Schmidt` is no first name. Without a signature the display name serves where the
/// address bears it out.
pub fn signed_name(signed: Option<&str>, sender: Option<&Address>) -> Option<String> {
    let Some(signed) = signed.and_then(person_name) else {
        return sender.and_then(personal_name);
    };
    match sender.and_then(|a| person_name(&a.name)) {
        Some(display) if !signed.contains(' ') && display.split_whitespace().skip(1).any(|w| w == signed) => {
            Some(display)
        }
        _ => Some(signed),
    }
}

/// The display name where the address bears out that it is a person's: two words or more, one of them in the local
/// part, none in the domain (`Anna Schmidt <a.schmidt@x>`, but not `Acme Robotics <robotics@acme>`).
pub fn personal_name(address: &Address) -> Option<String> {
    let name = person_name(&address.name).filter(|name| name.contains(' '))?;
    let words: Vec<&str> = name.split_whitespace().filter(|word| word.chars().count() >= 3).collect();
    let stands_in =
        |text: &str| words.iter().any(|word| spellings(word).iter().any(|w| plain(text).contains(w.as_str())));
    let fits = stands_in(address.local()) && !stands_in(organisation(address.domain()).as_str());
    fits.then_some(name)
}

/// A word of a name as addresses spell it: `müller` as `mueller` and as `muller`.
fn spellings(word: &str) -> [String; 2] {
    let german = word.to_lowercase().replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
    [plain(&german), plain(word)]
}

/// Lower case without accents: `Núñez` → `nunez`.
fn plain(text: &str) -> String {
    let bare = text.to_lowercase().nfd().filter(|c| !is_combining_mark(*c)).collect::<String>();
    bare.replace('ß', "ss").replace('ø', "o").replace('æ', "ae").replace('œ', "oe").replace('ł', "l")
}

/// A name as a domain would spell it: lower case, letters and digits alone, legal form left out.
pub(super) fn value_key(name: &str) -> String {
    let [spelt, _] = spellings(&crate::outcome::employer_key(name));
    spelt.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The registrable domain (`mail.acme.co.uk` → `acme.co.uk`), or the whole domain where the list of public suffixes
/// knows none.
pub fn organisation(domain: &str) -> String {
    registrable(domain).unwrap_or(domain).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reply_addresses_by_table() {
        for email in [
            "no-reply@x.example",
            "NoReply@x.example",
            "noreply+abc123@x.example",
            "do-not-reply@x.example",
            "donotreply@x.example",
            "jobs.no_reply@x.example",
            "notifications@x.example",
            "nicht-antworten@x.example",
            "ne-pas-repondre@x.example",
            "no.responder@x.example",
            "no-responda@x.example",
            "non-rispondere@x.example",
            "niet-beantwoorden@x.example",
            "nao-responda@x.example",
            "não-responda@x.example",
        ] {
            assert!(is_no_reply(email), "{email}");
        }
        for email in ["anna@x.example", "jobs@x.example", "reply@x.example", "norbert.epley@x.example"] {
            assert!(!is_no_reply(email), "{email}");
        }
        assert!(
            is_mailer("MAILER-DAEMON@x.example") && is_mailer("bounce+77@x.example") && !is_mailer("anna@x.example")
        );
    }

    #[test]
    fn names_by_table() {
        for (given, expected) in [
            ("Anna Schmidt", Some("Anna Schmidt")),
            ("Anna", Some("Anna")),
            ("Schmidt, Anna", Some("Anna Schmidt")),
            ("\"Schmidt, Anna\" (Kestrel)", Some("Anna Schmidt")),
            ("Dr. Jean-Luc O’Neill", Some("Dr. Jean-Luc O’Neill")),
            ("Anna Schmidt via Greenhouse", Some("Anna Schmidt")),
            ("Ludwig van der Meer", Some("Ludwig van der Meer")),
            ("The Hiring Team", None),
            ("Search Committee Chair", None),
            ("Talent Acquisition", None),
            ("KESTREL", None),
            ("Kestrel GmbH", None),
            ("José Núñez", Some("José Núñez")),
            ("Équipe Recrutement", None),
            ("L'équipe Kestrel", None),
            ("Equipo de Selección", None),
            ("Risorse Umane", None),
            ("Het Wervingsteam", None),
            ("Recursos Humanos", None),
            ("A Equipa de Recrutamento", None),
            ("Kestrel S.p.A.", None),
            ("anna", None),
            ("Anna {{7*7}}", None),
            ("Anna\r\nBcc: evil@x.example", None),
            ("Ihr Personalteam 2000", None),
            ("", None),
        ] {
            assert_eq!(person_name(given).as_deref(), expected, "{given:?}");
        }
        assert_eq!(person_name(&"A".repeat(10_000)), None);
    }

    #[test]
    fn a_lone_family_name_is_not_taken_for_a_first_name() {
        let sender = Address { name: "Anna Schmidt".into(), email: "a.schmidt@kestrel.example".into() };
        assert_eq!(signed_name(Some("Schmidt"), Some(&sender)).as_deref(), Some("Anna Schmidt"));
        assert_eq!(signed_name(Some("Anna"), Some(&sender)).as_deref(), Some("Anna"));
        assert_eq!(signed_name(None, Some(&sender)).as_deref(), Some("Anna Schmidt"));
        for (name, email, personal) in [
            ("Anna Schmidt", "a.schmidt@kestrel.example", true),
            ("Anna Schmidt", "anna@schmidt.example", false),
            ("José Núñez", "jose.nunez@kestrel.example", true),
            ("José Núñez", "j.núñez@kestrel.example", true),
            ("François Lefèvre", "f.lefevre@kestrel.example", true),
            ("Jürgen Müller", "mueller@kestrel.example", true),
            ("Jürgen Müller", "muller@kestrel.example", true),
            ("Jürgen Müller", "müller@kestrel.example", true),
            ("Jürgen Müller", "jobs@mueller.example", false),
            ("Kestrel", "kestrel-jobs@ats.example", false),
            ("Kestrel Robotics", "kestrel@kestrel.example", false),
            ("Anna Schmidt", "x7f3a9@reply.ats.example", false),
            ("Kestrel Robotics", "robotics@kestrel.example", false),
        ] {
            let address = Address { name: name.into(), email: email.into() };
            assert_eq!(personal_name(&address).is_some(), personal, "{name} <{email}>");
        }
    }

    #[test]
    fn addresses_by_table() {
        for fine in ["a@b.example", "a+b.c@b-c.example", "jürgen@b.example"] {
            assert!(is_address(fine), "{fine}");
        }
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c.example",
            "a@b..c",
            "a\r\n@b.example",
            "<a@b.example>",
            "a@b.example\0",
            "a,b@c.example",
        ] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }
}
