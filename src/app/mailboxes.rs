//! Which mailbox of an account is for drafts, for sent mail and for junk: as configured, else as the server marks it
//! (SPECIAL-USE), else by a name that mail programs give it in many languages.
//!
//! It must not create one: a mailbox nobody recognises is the person's to name.

use anyhow::{Context as _, Result};

use crate::{
    config::Account,
    io::imap::{ImapError, Listed, Session, SpecialUse},
};

/// What servers and programs put before the name of such a mailbox.
const PREFIXES: &[&str] = &["INBOX.", "INBOX/", "[Gmail]/", "[Google Mail]/"];

/// Names of a Drafts mailbox where the server marks none (RFC 6154 is optional), most common first.
const DRAFTS: &[&str] = &[
    "Drafts",
    "Draft",
    "Entwürfe",
    "Brouillons",
    "Borradores",
    "Bozze",
    "Rascunhos",
    "Concepten",
    "Szkice",
    "Wersje robocze",
    "Utkast",
    "Kladder",
    "Luonnokset",
    "Koncepty",
    "Ciorne",
    "Taslaklar",
    "Черновики",
    "Чернетки",
    "下書き",
    "草稿",
    "草稿箱",
    "임시보관함",
    "Πρόχειρα",
    "Esborranys",
    "Piszkozatok",
];
/// Likewise of Sent.
const SENT: &[&str] = &[
    "Sent",
    "Sent Items",
    "Sent Messages",
    "Sent Mail",
    "Gesendet",
    "Gesendete Objekte",
    "Gesendete Elemente",
    "Gesendete Nachrichten",
    "Éléments envoyés",
    "Messages envoyés",
    "Envoyés",
    "Enviados",
    "Elementos enviados",
    "Posta inviata",
    "Inviati",
    "Itens enviados",
    "Mensagens enviadas",
    "Verzonden",
    "Verzonden items",
    "Verzonden berichten",
    "Wysłane",
    "Elementy wysłane",
    "Skickat",
    "Skickade",
    "Sendt",
    "Sendt post",
    "Sendte elementer",
    "Lähetetyt",
    "Odeslané",
    "Odeslaná pošta",
    "Trimise",
    "Gönderilmiş Öğeler",
    "Gönderilenler",
    "Отправленные",
    "Надіслані",
    "送信済み",
    "送信済みメール",
    "已发送",
    "已发送邮件",
    "보낸메일함",
    "보낸편지함",
    "Απεσταλμένα",
    "Enviats",
    "Elküldött",
];
/// Likewise of Junk.
const JUNK: &[&str] = &[
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

/// Where drafts are put.
pub async fn drafts(session: &mut Session, account: &Account) -> Result<String> {
    drafts_if_any(session, account).await?.with_context(|| unknown(account, SpecialUse::Drafts))
}

/// Where drafts are put; `None` where no mailbox looks like it.
pub async fn drafts_if_any(session: &mut Session, account: &Account) -> Result<Option<String>, ImapError> {
    find(session, account.drafts.as_ref(), SpecialUse::Drafts, DRAFTS).await
}

/// Where sent mail lies, among mailboxes that were listed before.
pub fn sent_among(listed: &[Listed], account: &Account) -> Option<String> {
    let found = || recognised(listed, SpecialUse::Sent, SENT).map(|mailbox| mailbox.name.clone());
    account.sent.clone().or_else(found)
}

/// Where sent mail lies.
pub async fn sent(session: &mut Session, account: &Account) -> Result<String> {
    sent_if_any(session, account).await?.with_context(|| unknown(account, SpecialUse::Sent))
}

/// Where sent mail lies; `None` where no mailbox looks like it.
pub async fn sent_if_any(session: &mut Session, account: &Account) -> Result<Option<String>, ImapError> {
    find(session, account.sent.as_ref(), SpecialUse::Sent, SENT).await
}

/// Where what is taken for spam lies, among mailboxes that were listed before.
pub fn junk_among(listed: &[Listed]) -> Option<String> {
    recognised(listed, SpecialUse::Junk, JUNK).map(|mailbox| mailbox.name.clone())
}

/// Whether a mailbox is called as Junk usually is.
pub fn is_called_junk(mailbox: &str) -> bool {
    JUNK.iter().any(|name| is_called(mailbox, name))
}

async fn find(
    session: &mut Session,
    configured: Option<&String>,
    special_use: SpecialUse,
    names: &[&str],
) -> Result<Option<String>, ImapError> {
    if let Some(name) = configured {
        return Ok(Some(name.clone()));
    }
    let listed = session.list().await?;
    Ok(recognised(&listed, special_use, names).map(|mailbox| mailbox.name.clone()))
}

fn unknown(account: &Account, special_use: SpecialUse) -> String {
    let what = special_use.as_str().trim_start_matches('\\');
    let key = what.to_lowercase();
    format!(
        "no mailbox of the account `{}` can be recognised as {what}, and none is ever made; name yours with `{key} = \"…\"`",
        account.name
    )
}

fn recognised<'a>(listed: &'a [Listed], special_use: SpecialUse, names: &[&str]) -> Option<&'a Listed> {
    let usable = || listed.iter().filter(|mailbox| mailbox.is_selectable());
    let named = |name: &&str| {
        let exactly = usable().find(|mailbox| same(&mailbox.name, name));
        exactly.or_else(|| usable().find(|mailbox| is_called(&mailbox.name, name)))
    };
    usable().find(|mailbox| mailbox.is(special_use)).or_else(|| names.iter().find_map(named))
}

/// Whether a mailbox has this name, behind what servers put before it or alone.
fn is_called(mailbox: &str, name: &str) -> bool {
    let bare = PREFIXES.iter().find_map(|prefix| mailbox.strip_prefix(prefix)).unwrap_or(mailbox);
    same(bare, name)
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(rows: &[(&str, &str)]) -> Vec<Listed> {
        let row = |(name, mark): &(&str, &str)| Listed {
            name: (*name).to_owned(),
            attributes: mark.split_whitespace().map(str::to_owned).collect(),
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn a_mailbox_is_known_by_its_mark_and_then_by_its_name() {
        for (rows, drafts, sent) in [
            (vec![("Drafts", ""), ("Elsewhere", "\\Drafts"), ("Sent", "")], Some("Elsewhere"), Some("Sent")),
            (
                vec![("Drafts", "\\Noselect"), ("INBOX.Entwürfe", ""), ("INBOX.Gesendet", "")],
                Some("INBOX.Entwürfe"),
                Some("INBOX.Gesendet"),
            ),
            (
                vec![("[Google Mail]/Entwürfe", ""), ("[Google Mail]/Gesendet", "\\Sent")],
                Some("[Google Mail]/Entwürfe"),
                Some("[Google Mail]/Gesendet"),
            ),
            (vec![("ЧЕРНОВИКИ", ""), ("sent items", "")], Some("ЧЕРНОВИКИ"), Some("sent items")),
            // What only sounds like it is none.
            (vec![("Archive/Drafts", ""), ("Old Sent", ""), ("INBOX", "")], None, None),
            (vec![("Gone", "\\Sent \\NonExistent")], None, None),
        ] {
            let listed = listed(&rows);
            let name = |special_use, names| recognised(&listed, special_use, names).map(|found| found.name.as_str());
            assert_eq!((name(SpecialUse::Drafts, DRAFTS), name(SpecialUse::Sent, SENT)), (drafts, sent), "{rows:?}");
        }
    }

    #[test]
    fn junk_is_what_the_server_marks_and_then_what_is_called_so() {
        for (others, expected) in [
            (vec![], None),
            (vec![("Archive", "")], None),
            (vec![("Spam", ""), ("Verdacht", "\\Junk")], Some("Verdacht")),
            (vec![("Spam", "\\Noselect"), ("INBOX.spam", "")], Some("INBOX.spam")),
            (vec![("[Gmail]/Spam", "")], Some("[Gmail]/Spam")),
            (vec![("Courrier indésirable", "")], Some("Courrier indésirable")),
            (vec![("NEVYŽÁDANÁ POŠTA", "")], Some("NEVYŽÁDANÁ POŠTA")),
            (vec![("Junk ideas", "")], None),
        ] {
            let rows: Vec<_> = [("INBOX", "")].into_iter().chain(others).collect();
            assert_eq!(junk_among(&listed(&rows)).as_deref(), expected, "{rows:?}");
        }
        assert!(is_called_junk("INBOX/Junk") && is_called_junk("СПАМ") && !is_called_junk("INBOX"));
    }
}
