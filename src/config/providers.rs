//! What is known of mail providers: a data file (`rules/providers.toml`), and the person's own beside their rules, which
//! adds rows or replaces them by id.
//!
//! It tells which row a server belongs to. What follows from a row is decided where it matters: in `check` for what can
//! be said of a configuration, in `app` for logging in, looking and sending. It must not know a provider by name.

use std::{ops::Range, path::Path, sync::Arc, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use super::{
    Files,
    raw::At,
    report::Problem,
    source::Source,
    value::{is_host, is_name},
};

/// The person's own file, in the folder of their rules.
pub const PROVIDERS_FILE: &str = "providers.toml";
/// The shipped rows.
const SHIPPED: &str = include_str!("../../rules/providers.toml");
/// What the shipped file is called in problems.
const SHIPPED_NAME: &str = "rules/providers.toml";

/// Longest IDLE that a row can ask for, in seconds: no IDLE lasts longer anyway (`io::imap::IDLE_MAX`).
const IDLE_S_MAX: i64 = 300;
/// Shortest IDLE that a row can ask for, in seconds: below that, asking on a timer is cheaper.
const IDLE_S_MIN: i64 = 30;
/// Longest time between two looks that a row can ask for, in seconds, an hour: mail that lies longer is not watched.
const POLL_S_MAX: i64 = 3600;
/// Fewest bytes a day that a row can allow, a hundred messages of 64 KiB: with less, no look would ever end.
const DAILY_BYTES_MIN: i64 = 100 * 65_536;
/// Most connections a row can name; more than two are never made, so a larger number is only a note.
const CONNECTIONS_MAX: i64 = 1000;

/// What is known of a mail provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provider {
    /// Its name in the file.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Last parts of the names of its servers, in lower case.
    hosts: Vec<String>,
    /// Its submission server.
    pub smtp_host: Option<String>,
    sent_filed_by_server: Option<bool>,
    message_id_rewritten: bool,
    /// Whether a client has to give its name before it may open a mailbox, whatever CAPABILITY says.
    pub needs_id: bool,
    /// Whether the IMAP user is the part before the @.
    pub user_is_localpart: bool,
    /// Whether its submission server takes STARTTLS and nothing else.
    pub starttls_only_smtp: bool,
    /// Whether it takes no passwords.
    pub oauth_only: bool,
    /// IMAP connections it takes at one time; `None` where that is more than anybody needs.
    pub max_connections: Option<u32>,
    /// Shortest time between two looks.
    pub poll_min: Option<Duration>,
    /// Longest wait in one IDLE.
    pub idle_max: Option<Duration>,
    /// Bytes that may be fetched in a day (UTC).
    pub daily_bytes: Option<u64>,
    /// The domain of its servers in `Authentication-Results`, where that is none of its customers' own.
    pub authserv_domain: Option<String>,
    /// Where a password for programs is made.
    pub app_password_url: Option<String>,
    /// What to check when it refuses a login.
    pub login_hint: Option<String>,
    /// Why it cannot be watched.
    pub unsupported: Option<String>,
}

impl Provider {
    /// Whether it files a copy of what is sent through it into Sent; `None` where that is not known and has to be looked
    /// up there.
    pub fn files_sent(&self) -> Option<bool> {
        self.sent_filed_by_server
    }

    /// Whether what is sent through it gets another Message-ID, so that its copy in Sent is not found by ours.
    pub fn rewrites_message_id(&self) -> bool {
        self.message_id_rewritten
    }

    /// Whether reading and placing have to take turns.
    pub fn takes_one_connection(&self) -> bool {
        self.max_connections == Some(1)
    }

    /// What to do when it refuses user or password, in one sentence.
    pub fn login_help(&self) -> Option<String> {
        let hint = self.login_hint.as_ref().map(|hint| format!("{}: {hint}", self.name));
        let url = self.app_password_url.as_ref().map(|url| format!("app passwords are made at {url}"));
        match (hint, url) {
            (Some(hint), Some(url)) => Some(format!("{hint}; {url}")),
            (hint, url) => hint.or(url),
        }
    }

    /// How many characters of this host's end are one of its names; `None` where it is another's.
    fn matches(&self, host: &str) -> Option<usize> {
        let host = host.to_ascii_lowercase();
        let ends = |name: &&String| {
            host.strip_suffix(name.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        self.hosts.iter().filter(ends).map(String::len).max()
    }
}

/// Every provider that is known.
#[derive(Debug, Clone, Default)]
pub struct Providers(Vec<Arc<Provider>>);

impl Providers {
    /// The shipped rows, and the person's from that file. With everything that is wrong, in the order of the files.
    pub(super) fn load(own: &Path, files: &dyn Files) -> (Providers, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut rows = read(Path::new(SHIPPED_NAME), SHIPPED, &mut problems);
        match files.text(own) {
            Ok(None) => {}
            Ok(Some(text)) => {
                for row in read(own, &text, &mut problems) {
                    rows.retain(|shipped| shipped.id != row.id);
                    rows.push(row);
                }
            }
            Err((message, fix)) => {
                let mut source = Source::new(own, "");
                source.problem_of_file(message, fix);
                problems.extend(source.into_report().problems);
            }
        }
        (Providers(rows.into_iter().map(Arc::new).collect()), problems)
    }

    /// Whose server this is. One that has no servers is known by the domain of the user.
    pub(super) fn of_server(&self, host: &str, user: Option<&str>) -> Option<Arc<Provider>> {
        let domain = user.and_then(|user| user.rsplit_once('@')).map(|(_, domain)| domain);
        let by_host = self.best(|row| row.matches(host));
        by_host.or_else(|| self.best(|row| row.unsupported.as_ref().and_then(|_| row.matches(domain?))))
    }

    /// Whose submission server this is.
    pub(super) fn of_submission(&self, host: &str) -> Option<Arc<Provider>> {
        let same = |row: &&Arc<Provider>| row.smtp_host.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(host));
        self.0.iter().find(same).cloned()
    }

    fn best(&self, length: impl Fn(&Provider) -> Option<usize>) -> Option<Arc<Provider>> {
        let matching = self.0.iter().filter_map(|row| Some((length(row)?, row)));
        matching.max_by_key(|(length, _)| *length).map(|(_, row)| Arc::clone(row))
    }
}

/// The file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawProviders {
    provider: Vec<Spanned<RawProvider>>,
}

/// `[[provider]]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawProvider {
    id: At<String>,
    name: At<String>,
    hosts: At<Vec<Spanned<String>>>,
    smtp_host: At<String>,
    sent_filed_by_server: Option<bool>,
    message_id_rewritten: bool,
    needs_id: bool,
    user_is_localpart: bool,
    starttls_only_smtp: bool,
    oauth_only: bool,
    max_connections: At<i64>,
    poll_min_s: At<i64>,
    idle_max_s: At<i64>,
    daily_bytes: At<i64>,
    authserv_domain: At<String>,
    app_password_url: At<String>,
    login_hint: At<String>,
    unsupported: At<String>,
    basis: At<String>,
}

fn read(file: &Path, text: &str, problems: &mut Vec<Problem>) -> Vec<Provider> {
    let mut source = Source::like(file, text, "the head of rules/providers.toml");
    let mut rows: Vec<Provider> = Vec::new();
    for raw in source.read::<RawProviders>().unwrap_or_default().provider {
        let (at, raw) = (raw.span(), raw.into_inner());
        let id_at = raw.id.as_ref().map(Spanned::span);
        let Some(row) = Reader { source: &mut source, table: at.clone() }.row(raw) else { continue };
        if rows.iter().any(|known| known.id == row.id) {
            let message = format!("a second provider is called `{}`", row.id);
            source.problem(id_at.unwrap_or(at), message, "give each row an id of its own");
        } else {
            rows.push(row);
        }
    }
    problems.extend(source.into_report().problems);
    rows
}

/// Judges one row.
struct Reader<'a, 'text> {
    source: &'a mut Source<'text>,
    table: Range<usize>,
}

impl Reader<'_, '_> {
    fn row(&mut self, raw: RawProvider) -> Option<Provider> {
        let id = self.needed("id", raw.id, "id = \"my-provider\"");
        let id_ok =
            id.as_ref().is_none_or(|(at, id)| self.holds(is_name(id), at, "this cannot be an id", "id = \"x-y\""));
        let name = self.needed("name", raw.name, "name = \"My provider\"").map(|(_, name)| name);
        // The note is for people who read the file; a row nobody can check is not taken.
        self.needed("basis", raw.basis, "basis = \"their help page, 2026-11\"");
        let hosts = self.hosts(raw.hosts);
        let smtp_host = raw.smtp_host.and_then(|host| self.host(host));
        let seconds = |n: i64| Duration::from_secs(n.unsigned_abs());
        Some(Provider {
            max_connections: self
                .number("max_connections", raw.max_connections, 1, CONNECTIONS_MAX)
                .and_then(|n| n.try_into().ok()),
            poll_min: self.number("poll_min_s", raw.poll_min_s, 30, POLL_S_MAX).map(seconds),
            idle_max: self.number("idle_max_s", raw.idle_max_s, IDLE_S_MIN, IDLE_S_MAX).map(seconds),
            daily_bytes: self.number("daily_bytes", raw.daily_bytes, DAILY_BYTES_MIN, i64::MAX).map(i64::unsigned_abs),
            authserv_domain: raw.authserv_domain.and_then(|domain| self.host(domain)),
            app_password_url: self.url(raw.app_password_url),
            login_hint: raw.login_hint.and_then(|text| self.line("login_hint", text)),
            unsupported: raw.unsupported.and_then(|text| self.line("unsupported", text)),
            id: id.filter(|_| id_ok)?.1,
            name: name?,
            hosts: hosts?,
            smtp_host,
            sent_filed_by_server: raw.sent_filed_by_server,
            message_id_rewritten: raw.message_id_rewritten,
            needs_id: raw.needs_id,
            user_is_localpart: raw.user_is_localpart,
            starttls_only_smtp: raw.starttls_only_smtp,
            oauth_only: raw.oauth_only,
        })
    }

    fn needed(&mut self, key: &str, raw: At<String>, fix: &str) -> Option<(Range<usize>, String)> {
        let Some(raw) = raw else {
            self.source.missing(&self.table.clone(), key, format!("a provider needs `{key}`"), fix);
            return None;
        };
        let at = raw.span();
        Some((at, self.line(key, raw)?))
    }

    fn line(&mut self, key: &str, raw: Spanned<String>) -> Option<String> {
        let (at, text) = (raw.span(), raw.into_inner());
        let plain = !text.trim().is_empty() && text == crate::clean::line(&text);
        self.holds(plain, &at, &format!("`{key}` must be one line of plain text, not blank"), "write it on one line")
            .then_some(text)
    }

    fn hosts(&mut self, raw: At<Vec<Spanned<String>>>) -> Option<Vec<String>> {
        let Some(raw) = raw.filter(|hosts| !hosts.get_ref().is_empty()) else {
            let fix = "hosts = [\"imap.example.org\"]";
            self.source.missing(&self.table.clone(), "hosts", "a provider needs `hosts` to be known by", fix);
            return None;
        };
        Some(raw.into_inner().into_iter().filter_map(|host| self.host(host)).collect())
    }

    fn host(&mut self, raw: Spanned<String>) -> Option<String> {
        let (at, host) = (raw.span(), raw.into_inner());
        // A bare `com` would be everybody's.
        let good = is_host(&host) && (host.trim_matches('.') == host) && (host.contains('.') || host == "localhost");
        self.holds(good, &at, "this is not a host name", "write the bare name, e.g. \"imap.example.org\"")
            .then(|| host.to_ascii_lowercase())
    }

    fn url(&mut self, raw: At<String>) -> Option<String> {
        let raw = raw?;
        let at = raw.span();
        let url = self.line("app_password_url", raw)?;
        let good = url.starts_with("https://") && !url.contains(' ');
        self.holds(good, &at, "this is not an address to open", "write it whole: \"https://…\"").then_some(url)
    }

    fn number(&mut self, key: &str, raw: At<i64>, min: i64, max: i64) -> Option<i64> {
        let raw = raw?;
        let (at, n) = (raw.span(), raw.into_inner());
        let fix =
            if max == i64::MAX { format!("{key} = {min} or more") } else { format!("{key} goes from {min} to {max}") };
        self.holds((min..=max).contains(&n), &at, &format!("{n} is out of range"), &fix).then_some(n)
    }

    fn holds(&mut self, good: bool, at: &Range<usize>, message: &str, fix: &str) -> bool {
        if !good {
            self.source.problem(at.clone(), message, fix);
        }
        good
    }
}
