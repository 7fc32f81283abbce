//! Judges accounts: servers, TLS against port and host, where passwords come from. How a login is opened with OAuth
//! is judged in `oauth`.

use std::{ops::Range, path::PathBuf, time::Duration};

use toml::Spanned;

use super::{
    Account, Deliver, Login, Reply, Server, Source, Tls,
    check::Checker,
    oauth::Keys,
    providers::Provider,
    raw::{At, RawAccount, RawPassword, RawServer},
    value::{is_host, is_loopback, is_name},
};
use crate::{delivery::SentCopy, reply::Identity, secret::SecretSource};

/// How far back the first run looks unless configured.
const LOOK_BACK_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How a secret can be given; the fix of several problems.
pub(super) fn secret_fix(key: &str) -> String {
    format!("{key}.command = [\"pass\", \"show\", \"mail\"], or {key}.file, {key}.credential, {key}.keyring")
}

/// What differs between the protocols.
struct Protocol {
    key: &'static str,
    implicit: u16,
    starttls: u16,
}

/// Where a login may be taken from when it is not repeated.
pub(super) enum Elsewhere<'a> {
    /// Nowhere: it must be given.
    Nowhere,
    /// From a part of the file that is wrong and has been reported.
    Reported,
    /// From another server of the same account.
    At(&'a Login),
}

/// RFC 8314 §7.3 and RFC 9051 §11.1.
const IMAP: Protocol = Protocol { key: "imap", implicit: 993, starttls: 143 };
/// RFC 8314 §7.3 and RFC 6409 §3.1.
const SMTP: Protocol = Protocol { key: "smtp", implicit: 465, starttls: 587 };

impl Checker<'_, '_> {
    /// All accounts.
    pub fn accounts(&mut self, raw: Vec<Spanned<RawAccount>>, identities: &[Identity], reply: &Reply) -> Vec<Account> {
        if raw.is_empty() {
            let fix = "add [[account]] with a name and [account.imap] or maildir";
            self.source.missing(&(0..0), "account", "there is no [[account]]: no mail to watch", fix);
        }
        let mut names = Vec::new();
        raw.into_iter().filter_map(|account| self.account(account, identities, reply, &mut names)).collect()
    }

    fn account(
        &mut self,
        raw: Spanned<RawAccount>,
        identities: &[Identity],
        reply: &Reply,
        names: &mut Vec<String>,
    ) -> Option<Account> {
        let (at, raw) = (raw.span(), raw.into_inner());
        let name = self.account_name(&at, raw.name, names);
        let of_maildir = raw.maildir.is_some();
        let source = self.account_source(&at, raw.maildir, raw.imap);
        let mailboxes = self.mailboxes(raw.mailboxes, of_maildir);
        let junk = self.junk(raw.junk, of_maildir);
        let look_back = self.duration(raw.look_back).unwrap_or(LOOK_BACK_DEFAULT);
        let poll = self.poll(raw.poll, source.as_ref());
        let drafts = self.mailbox("drafts", raw.drafts);
        let sent = self.mailbox("sent", raw.sent);
        let authserv_id = self.authserv_id(raw.authserv_id);
        let sent_copy = self.named(raw.sent_copy, SentCopy::Auto);
        let identity = self.account_identity(raw.identity, identities);
        let elsewhere = match &source {
            Some(Source::Imap(login)) => Elsewhere::At(login),
            Some(Source::Maildir(_)) => Elsewhere::Nowhere,
            None => Elsewhere::Reported,
        };
        if raw.smtp.is_none() && reply.enabled && reply.deliver == Deliver::Smtp {
            let message = "reply.deliver is \"smtp\", but this account has no [account.smtp]";
            self.source.missing(&at, "smtp", message, "add [account.smtp], or set reply.deliver = \"drafts\"");
        }
        let smtp = raw.smtp.and_then(|server| self.login(server, &SMTP, &elsewhere));
        Some(Account {
            name: name?,
            source: source?,
            mailboxes,
            junk,
            look_back,
            poll,
            drafts,
            sent,
            authserv_id,
            sent_copy,
            identity: identity?,
            smtp,
        })
    }

    fn account_name(&mut self, at: &Range<usize>, raw: At<String>, names: &mut Vec<String>) -> Option<String> {
        let Some(name) = raw else {
            self.source.missing(at, "name", "an account needs a name", "name = \"home\"");
            return None;
        };
        if !is_name(name.get_ref()) {
            let fix = "use up to 40 letters, digits, `-`, `_` and `.`";
            self.source.problem(name.span(), "this cannot be the name of an account", fix);
            return None;
        }
        if names.contains(name.get_ref()) {
            let message = format!("a second account is called `{}`", name.get_ref());
            self.source.problem(name.span(), message, "give each account a name of its own");
            return None;
        }
        names.push(name.get_ref().clone());
        Some(name.into_inner())
    }

    fn account_source(&mut self, at: &Range<usize>, maildir: At<String>, imap: At<RawServer>) -> Option<Source> {
        match (maildir, imap) {
            (Some(maildir), imap) => {
                if let Some(imap) = imap {
                    let message = "an account has either a maildir or [account.imap], not both";
                    self.source.problem(imap.span(), message, "remove one, or make two accounts of it");
                }
                let path = self.path(maildir.get_ref());
                self.complain(maildir.span(), self.files.directory(&path));
                Some(Source::Maildir(path))
            }
            (None, Some(imap)) => self.login(imap, &IMAP, &Elsewhere::Nowhere).map(Source::Imap),
            (None, None) if self.source.is_reported(at, "maildir") => None,
            (None, None) => {
                let message = "an account needs [account.imap] or maildir: there is no mail to watch";
                self.source.missing(at, "imap", message, "add [account.imap] with host, user and password");
                None
            }
        }
    }

    fn authserv_id(&mut self, raw: At<String>) -> Option<String> {
        let raw = raw?;
        let fine = |id: &str| {
            (1..=253).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        };
        if !fine(raw.get_ref()) {
            let fix = "authserv_id = \"mx.example.org\": the first word of Authentication-Results in mail you received";
            self.source.problem(raw.span(), "this is not the name of a mail server", fix);
            return None;
        }
        Some(raw.into_inner())
    }

    fn account_identity(&mut self, raw: At<String>, identities: &[Identity]) -> Option<Identity> {
        let Some(wanted) = raw else { return identities.first().cloned() };
        let same = |address: &String| address.eq_ignore_ascii_case(wanted.get_ref());
        let found = identities.iter().find(|identity| identity.addresses.iter().any(same));
        if found.is_none() {
            self.source.problem(
                wanted.span(),
                "no [[identity]] has this address",
                "name one of the addresses of an identity, or add it there",
            );
        }
        found.cloned()
    }

    /// A server with its login. User and password may be left out where they are known from `elsewhere`.
    fn login(&mut self, raw: Spanned<RawServer>, protocol: &Protocol, elsewhere: &Elsewhere<'_>) -> Option<Login> {
        let (at, raw) = (raw.span(), raw.into_inner());
        let known = match elsewhere {
            Elsewhere::At(login) => login.provider.as_ref().and_then(|row| row.smtp_host.as_ref()),
            Elsewhere::Nowhere | Elsewhere::Reported => None,
        };
        let fix = known
            .map_or_else(|| format!("host = \"{}.example.org\"", protocol.key), |host| format!("host = \"{host}\""));
        let why = format!("[account.{}] needs a host", protocol.key);
        let host_at = raw.host.as_ref().map(Spanned::span);
        let host = self.text(&at, "host", raw.host, why, &fix).filter(|host| self.host(host_at.clone(), host));
        let provider = host.as_deref().and_then(|host| {
            let user = raw.user.as_ref().map(|user| user.get_ref().as_str());
            let of_smtp = || self.providers.of_submission(host).filter(|_| protocol.key == SMTP.key);
            of_smtp().or_else(|| self.providers.of_server(host, user))
        });
        if let Some(provider) = &provider {
            let passwords = raw.password.as_ref().map(Spanned::span);
            self.of_provider(provider, protocol, host_at.unwrap_or(at.clone()), raw.user.as_ref(), passwords);
        }
        let port = raw.port.map(|port| (port.span(), self.port(port)));
        let starttls_only = protocol.key == SMTP.key && provider.as_ref().is_some_and(|row| row.starttls_only_smtp);
        let tls = if starttls_only && raw.tls.is_none() && port.is_none() {
            Tls::StartTls
        } else {
            let tls_at = raw.tls.as_ref().map(Spanned::span).or_else(|| port.as_ref().map(|(at, _)| at.clone()));
            let tls = self.tls(raw.tls, &port, protocol, host.as_deref(), &at);
            if let (true, Tls::Implicit, Some(tls_at)) = (starttls_only, tls, tls_at) {
                let message = "this server takes mail by STARTTLS only";
                self.source.problem(tls_at, message, "remove `tls` and `port`, or tls = \"starttls\" with port = 587");
            }
            tls
        };
        let ca_file = raw.ca_file.map(|file| {
            let path = self.path(file.get_ref());
            self.complain(file.span(), self.files.readable(&path));
            path
        });
        let user = match (raw.user, elsewhere) {
            (None, Elsewhere::At(login)) => Some(login.user.clone()),
            (None, Elsewhere::Reported) => None,
            (user, _) => {
                let why = format!("[account.{}] needs a user", protocol.key);
                self.text(&at, "user", user, why, "user = \"sam@example.org\"")
            }
        };
        let keys = Keys { password: raw.password, token: raw.token, oauth: raw.oauth };
        let access = self.access(&at, keys, protocol.key, elsewhere);
        let default_port = if tls == Tls::StartTls { protocol.starttls } else { protocol.implicit };
        let port = port.map_or(Some(default_port), |(_, port)| port)?;
        Some(Login { server: Server { host: host?, port, tls, ca_file }, user: user?, access: access?, provider })
    }

    /// What is known of the provider and can be told before anybody connects.
    fn of_provider(
        &mut self,
        provider: &Provider,
        protocol: &Protocol,
        at: Range<usize>,
        user: Option<&Spanned<String>>,
        password: Option<Range<usize>>,
    ) {
        if let Some(why) = &provider.unsupported {
            self.source.problem(at, format!("{} cannot be watched", provider.name), why.clone());
            return;
        }
        if let Some(at) = password.filter(|_| provider.oauth_only) {
            let message = format!("{} takes no passwords any more", provider.name);
            let fix = "use oauth.provider with a client of yours, or token.command; config.example.toml shows both";
            self.source.problem(at, message, fix);
        }
        let whole =
            user.filter(|user| provider.user_is_localpart && protocol.key == IMAP.key && user.get_ref().contains('@'));
        if let Some(user) = whole {
            let message = format!("at {} the IMAP user is the part before the @", provider.name);
            self.source.hint(user.span(), message, "if the login is refused, leave the rest away");
        }
    }

    fn host(&mut self, at: Option<Range<usize>>, host: &str) -> bool {
        let good = is_host(host);
        if !good {
            let fix = "write the bare name, e.g. \"imap.example.org\"; the port has a key of its own";
            self.source.problem(at.unwrap_or(0..0), "this is not a host name", fix);
        }
        good
    }

    fn port(&mut self, raw: Spanned<i64>) -> Option<u16> {
        let port = u16::try_from(*raw.get_ref()).ok().filter(|port| *port > 0);
        if port.is_none() {
            let message = format!("{} is not a port", raw.get_ref());
            self.source.problem(raw.span(), message, "ports go from 1 to 65535");
        }
        port
    }

    /// The protection, which must fit port and host. Left out, it is what the port stands for.
    fn tls(
        &mut self,
        raw: At<String>,
        port: &Option<(Range<usize>, Option<u16>)>,
        protocol: &Protocol,
        host: Option<&str>,
        table: &Range<usize>,
    ) -> Tls {
        let number = port.as_ref().and_then(|(_, port)| *port);
        let Some(raw) = raw else {
            return if number == Some(protocol.starttls) { Tls::StartTls } else { Tls::Implicit };
        };
        let at = raw.span();
        let tls = self.named(Some(raw), Tls::Implicit);
        let contradiction = match (tls, number) {
            (Tls::Implicit, Some(143 | 587 | 25)) => Some(("starttls", protocol.implicit)),
            (Tls::StartTls, Some(993 | 465)) => Some(("implicit", protocol.starttls)),
            _ => None,
        };
        if let (Some((other, other_port)), Some(number)) = (contradiction, number) {
            let message = format!("tls = \"{tls}\" does not fit port {number}");
            self.source.problem(at.clone(), message, format!("tls = \"{other}\", or port = {other_port}"));
        }
        if tls == Tls::NoneLoopback {
            if host.is_some_and(|host| !is_loopback(host)) {
                let message = "tls = \"none-loopback\" would send the password unprotected over the network";
                self.source.problem(at, message, "tls = \"implicit\" or \"starttls\"; without TLS only 127.0.0.1");
            }
            if port.is_none() {
                let message = "a server without TLS needs its port named";
                self.source.missing(table, "port", message, "port = 1143, or whatever the bridge says");
            }
        }
        tls
    }

    /// The source named under `key`, which is `password` or works like it.
    pub fn secret(&mut self, key: &str, raw: Spanned<RawPassword>) -> Option<SecretSource> {
        let (at, raw) = (raw.span(), raw.into_inner());
        if raw.in_clear {
            let message = format!("a {} stands here in clear", key.replace('_', " "));
            self.source.problem(at, message, secret_fix(key));
            return None;
        }
        let mut sources = Vec::new();
        if let Some(name) = raw.credential {
            sources.push(self.credential(name));
        }
        if let Some(argv) = raw.command {
            sources.push(self.command(key, argv));
        }
        if let Some(file) = raw.file {
            let path = self.path(file.get_ref());
            self.complain(file.span(), self.files.private(&path));
            sources.push(Some(SecretSource::File(path)));
        }
        if let Some(keyring) = raw.keyring {
            let (at, keyring) = (keyring.span(), keyring.into_inner());
            if !cfg!(feature = "keyring") {
                let message = "this build of onward cannot read the desktop keyring";
                let fix = "build with `cargo build --release --features keyring`, or use another source";
                self.source.problem(at.clone(), message, fix);
            }
            let fix = format!("{key}.keyring = {{ service = \"onward\", user = \"sam@example.org\" }}");
            let why = |what: &str| format!("{key}.keyring needs a {what}");
            let service = self.text(&at, "service", keyring.service, why("service"), &fix);
            let user = self.text(&at, "user", keyring.user, why("user"), &fix);
            sources.push(service.zip(user).map(|(service, user)| SecretSource::Keyring { service, user }));
        }
        match sources.len() {
            1 => sources.pop().flatten(),
            0 => {
                self.source.problem(at, format!("`{key}` names no source"), secret_fix(key));
                None
            }
            _ => {
                self.source.problem(at, format!("`{key}` names more than one source"), "keep one of them");
                None
            }
        }
    }

    fn credential(&mut self, raw: Spanned<String>) -> Option<SecretSource> {
        let name = raw.get_ref();
        if !is_name(name) || name.starts_with('.') {
            let fix = "write the name before the colon of LoadCredential=, e.g. \"imap-password\"";
            self.source.problem(raw.span(), "this is not the name of a systemd credential", fix);
            return None;
        }
        let directory: Option<PathBuf> = self.env.credentials_directory.clone();
        Some(SecretSource::Credential { name: raw.into_inner(), directory })
    }

    fn command(&mut self, key: &str, raw: Spanned<Vec<String>>) -> Option<SecretSource> {
        if raw.get_ref().first().is_none_or(|program| program.is_empty()) {
            let fix =
                format!("{key}.command = [\"pass\", \"show\", \"mail\"]; it is run as it stands, without a shell");
            self.source.problem(raw.span(), format!("{key}.command names no program"), fix);
            return None;
        }
        Some(SecretSource::Command(raw.into_inner()))
    }

    fn complain(&mut self, at: Range<usize>, found: Result<(), super::files::Complaint>) {
        if let Err((message, fix)) = found {
            self.source.problem(at, message, fix);
        }
    }
}
