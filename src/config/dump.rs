//! Writes a checked configuration back as TOML, without secrets.

use std::time::Duration;

use jiff::SignedDuration;
use toml::{Table, Value};

use super::{
    Access, Account, Config, Login, OAuth, Source,
    value::{DAYS, duration_text},
};
use crate::secret::SecretSource;

/// What stands for the arguments of a command.
const HIDDEN: &str = "…";

/// See [`Config::dump`].
pub(super) fn dump(config: &Config) -> String {
    let mut root = Table::new();
    let identity = |identity: &crate::reply::Identity| {
        table([
            ("name", text(&identity.name)),
            ("addresses", list(&identity.addresses)),
            ("language", text(&identity.language)),
        ])
    };
    root.insert("account".to_owned(), Value::Array(config.accounts.iter().map(account).collect()));
    root.insert("identity".to_owned(), Value::Array(config.identities.iter().map(identity).collect()));
    let after = |after: Option<SignedDuration>| match after.and_then(|after| Duration::try_from(after).ok()) {
        Some(after) => text(&duration_text(after)),
        None => text("never"),
    };
    let reply = [
        ("enabled", Value::Boolean(config.reply.enabled)),
        ("deliver", text(config.reply.deliver.as_str())),
        ("follow_up", after(config.reply.later.application)),
        ("follow_up_interview", after(config.reply.later.interview)),
        ("keep_in_touch", after(config.reply.later.sign_of_life)),
    ];
    root.insert("reply".to_owned(), table(reply));
    root.insert("telling".to_owned(), telling(config));
    let mut notes = vec![("enabled", Value::Boolean(config.notes.enabled))];
    notes.extend(config.notes.language.as_ref().map(|language| ("language", text(language))));
    root.insert("notes".to_owned(), table(notes));
    root.insert("rules".to_owned(), table([("disable", list(&config.rules.disable))]));
    root.insert("log".to_owned(), table([("level", text(config.log_level.as_str()))]));
    root.insert(
        "store".to_owned(),
        table([("path", path(&config.store)), ("keep_mail", text(&duration_text(config.keep_mail)))]),
    );
    root.to_string()
}

fn account(account: &Account) -> Value {
    let mut entries = vec![
        ("name", text(&account.name)),
        ("mailboxes", list(&account.mailboxes)),
        ("junk", text(account.junk.as_str())),
        ("look_back", text(&duration_text(account.look_back))),
        ("poll", text(&duration_text(account.poll))),
    ];
    entries.extend(account.identity.addresses.first().map(|address| ("identity", text(address))));
    entries.extend(account.drafts.as_ref().map(|name| ("drafts", text(name))));
    entries.extend(account.sent.as_ref().map(|name| ("sent", text(name))));
    entries.extend(account.authserv_id.as_ref().map(|id| ("authserv_id", text(id))));
    entries.push(("sent_copy", text(account.sent_copy.as_str())));
    match &account.source {
        Source::Imap(server) => entries.push(("imap", login(server, true))),
        Source::Maildir(directory) => {
            entries.retain(|(key, _)| !matches!(*key, "mailboxes" | "junk"));
            entries.push(("maildir", path(directory)));
        }
    }
    // The OAuth of an account stands where it is written, once.
    let of_imap = matches!(&account.source, Source::Imap(imap) if imap.access.oauth().is_some());
    entries.extend(account.smtp.as_ref().map(|server| {
        let repeated = of_imap && server.access.oauth().is_some();
        ("smtp", login(server, !repeated))
    }));
    table(entries)
}

fn login(login: &Login, with_access: bool) -> Value {
    let mut entries = vec![
        ("host", text(&login.server.host)),
        ("port", Value::Integer(login.server.port.into())),
        ("tls", text(login.server.tls.as_str())),
        ("user", text(&login.user)),
    ];
    entries.extend(with_access.then(|| match &login.access {
        Access::Password(source) => ("password", password(source)),
        Access::Token(source) => ("token", password(source)),
        Access::OAuth(found) => ("oauth", oauth(found)),
    }));
    entries.extend(login.server.ca_file.as_ref().map(|file| ("ca_file", path(file))));
    table(entries)
}

fn oauth(oauth: &OAuth) -> Value {
    let mut entries = vec![("client_id", text(&oauth.client_id)), ("token_url", text(&oauth.token_url))];
    entries.extend(oauth.provider.map(|provider| ("provider", text(provider.as_str()))));
    entries.extend(oauth.client_secret.as_ref().map(|source| ("client_secret", password(source))));
    entries.extend(oauth.auth_url.as_ref().map(|url| ("auth_url", text(url))));
    entries.extend(oauth.device_url.as_ref().map(|url| ("device_url", text(url))));
    entries.push(("scopes", list(&oauth.scopes)));
    table(entries)
}

fn password(source: &SecretSource) -> Value {
    match source {
        SecretSource::Credential { name, .. } => table([("credential", text(name))]),
        SecretSource::Command(argv) => {
            let program = argv.first().cloned().unwrap_or_default();
            let hidden = (argv.len() > 1).then(|| HIDDEN.to_owned());
            table([("command", list(&[program].into_iter().chain(hidden).collect::<Vec<_>>()))])
        }
        SecretSource::File(file) => table([("file", path(file))]),
        SecretSource::Keyring { service, user } => {
            table([("keyring", table([("service", text(service)), ("user", text(user))]))])
        }
    }
}

fn telling(config: &Config) -> Value {
    let telling = &config.telling;
    let days: Vec<String> =
        DAYS.iter().filter(|(_, day)| telling.days.contains(day)).map(|(name, _)| (*name).to_owned()).collect();
    let hold = |hours: u16| text(&format!("{hours}h"));
    let time = |time: &jiff::civil::Time| time.strftime("%H:%M").to_string();
    let mut entries = vec![
        ("reading_hour", text(&time(&telling.reading_time))),
        ("days", list(&days)),
        ("time_zone", text(telling.zone.iana_name().unwrap_or("system"))),
    ];
    entries.extend(telling.quiet.map(|(from, to)| ("quiet", text(&format!("{}-{}", time(&from), time(&to))))));
    let holds = [
        ("after_application", hold(telling.hold.after_application)),
        ("after_interview", hold(telling.hold.after_interview)),
        ("after_final", hold(telling.hold.after_final)),
    ];
    entries.push(("hold", table(holds)));
    table(entries)
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn list(items: &[String]) -> Value {
    Value::Array(items.iter().map(|item| text(item)).collect())
}

fn path(path: &std::path::Path) -> Value {
    Value::String(path.display().to_string())
}
