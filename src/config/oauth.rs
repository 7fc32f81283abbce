//! Judges what opens a server: a password, a token from a program, or the built-in OAuth with its endpoints.
//!
//! It must not ask an endpoint anything: that is `io::oauth`.

use std::{ops::Range, path::Path};

use oauth2::url::Url;
use toml::Spanned;

use super::{
    Access, Account, Source,
    account::{Elsewhere, secret_fix},
    check::Checker,
    raw::{At, RawOAuth, RawPassword},
    value::is_loopback,
};
use crate::{outcome::named, secret::SecretSource};

/// Longest name or address of an endpoint, in bytes: more is not one, and it has to fit into a request.
const TEXT_BYTES_MAX: usize = 2048;

named! {
    /// A provider whose endpoints are known.
    pub enum OAuthProvider {
        /// Gmail and Google Workspace.
        Google = "google",
        /// Outlook.com and Microsoft 365.
        Microsoft = "microsoft",
    }
}

/// The built-in OAuth of an account: who asks, where, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth {
    /// The account's name; the person gives it to `onward auth`.
    pub account: String,
    /// Whose endpoints they are, where that is known.
    pub provider: Option<OAuthProvider>,
    /// The person's own client, registered with the provider.
    pub client_id: String,
    /// Where the secret of that client comes from; many have none.
    pub client_secret: Option<SecretSource>,
    /// Where tokens are handed out.
    pub token_url: String,
    /// Where the person says yes in a browser on this machine (RFC 8252).
    pub auth_url: Option<String>,
    /// Where a code for another device comes from (RFC 8628).
    pub device_url: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The file that keeps what the person granted, beside the database.
    pub grant: std::path::PathBuf,
}

/// The endpoints of a provider. Google hands out no device codes for mail, so it has none here.
struct Known {
    token_url: &'static str,
    auth_url: &'static str,
    device_url: Option<&'static str>,
    scopes: &'static [&'static str],
}

const GOOGLE: Known = Known {
    token_url: "https://oauth2.googleapis.com/token",
    auth_url: "https://accounts.google.com/o/oauth2/v2/auth",
    device_url: None,
    scopes: &["https://mail.google.com/"],
};

const MICROSOFT: Known = Known {
    token_url: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    auth_url: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
    device_url: Some("https://login.microsoftonline.com/common/oauth2/v2.0/devicecode"),
    scopes: &[
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "https://outlook.office.com/SMTP.Send",
        "offline_access",
    ],
};

impl OAuthProvider {
    fn known(self) -> &'static Known {
        match self {
            OAuthProvider::Google => &GOOGLE,
            OAuthProvider::Microsoft => &MICROSOFT,
        }
    }
}

/// The keys of a server of which one opens it.
pub(super) struct Keys {
    pub password: At<RawPassword>,
    pub token: At<RawPassword>,
    pub oauth: At<RawOAuth>,
}

/// Gives every grant its place beside the database, and its account's name.
pub(super) fn place_grants(accounts: &mut [Account], store: &Path) {
    for account in accounts {
        let imap = match &mut account.source {
            Source::Imap(login) => Some(login),
            Source::Maildir(_) => None,
        };
        for login in imap.into_iter().chain(&mut account.smtp) {
            if let Access::OAuth(oauth) = &mut login.access {
                oauth.grant = store.with_file_name(format!("oauth-{}.json", account.name));
                oauth.account.clone_from(&account.name);
            }
        }
    }
}

impl Checker<'_, '_> {
    /// What opens a server: exactly one of the three, or what opens the account's other server.
    pub fn access(
        &mut self,
        table: &Range<usize>,
        keys: Keys,
        server: &str,
        elsewhere: &Elsewhere<'_>,
    ) -> Option<Access> {
        let Keys { password, token, oauth } = keys;
        let places = [
            password.as_ref().map(|raw| ("password", raw.span())),
            token.as_ref().map(|raw| ("token", raw.span())),
            oauth.as_ref().map(|raw| ("oauth", raw.span())),
        ];
        let mut given = places.into_iter().flatten();
        if let (Some((first, _)), Some((second, at))) = (given.next(), given.next()) {
            let message = format!("both `{first}` and `{second}` stand here: a server is opened by one of them");
            self.source.problem(at, message, "keep one of password, token and oauth");
            return None;
        }
        if let Some(password) = password {
            return self.secret("password", password).map(Access::Password);
        }
        if let Some(token) = token {
            return self.token(token).map(Access::Token);
        }
        if let Some(oauth) = oauth {
            if let Elsewhere::At(login) = elsewhere
                && login.access.oauth().is_some()
            {
                let message = "the account has an oauth already: one authorisation serves IMAP and SMTP";
                self.source.problem(oauth.span(), message, "remove it here, and ask for both scopes in [account.imap]");
                return None;
            }
            return self.oauth(oauth).map(|oauth| Access::OAuth(Box::new(oauth)));
        }
        match elsewhere {
            Elsewhere::At(login) => Some(login.access.clone()),
            Elsewhere::Reported => None,
            Elsewhere::Nowhere => {
                let reported = ["token", "oauth"].iter().any(|key| self.source.is_reported(table, key));
                if !reported {
                    let why = format!("[account.{server}] needs a password source, a token or oauth");
                    let fix = format!("{}; or see `oauth` in config.example.toml", secret_fix("password"));
                    self.source.missing(table, "password", why, fix);
                }
                None
            }
        }
    }

    /// Only a command: a token that lies in a file is too old within the hour.
    fn token(&mut self, raw: Spanned<RawPassword>) -> Option<SecretSource> {
        let at = raw.span();
        let source = self.secret("token", raw)?;
        if !matches!(source, SecretSource::Command(_)) {
            let message = "an access token is good for an hour, so it comes from a command that renews it";
            self.source.problem(at, message, "token.command = [\"oama\", \"access\", \"sam@example.org\"]");
            return None;
        }
        Some(source)
    }

    fn oauth(&mut self, raw: Spanned<RawOAuth>) -> Option<OAuth> {
        let (at, raw) = (raw.span(), raw.into_inner());
        let fix = "register a client of your own with the provider; the README says where";
        let client_id = self.text(&at, "client_id", raw.client_id, "oauth needs the client_id of your client", fix);
        let client_secret = raw.client_secret.map(|secret| self.secret("client_secret", secret));
        let has_provider = raw.provider.is_some();
        let provider: Option<OAuthProvider> = raw.provider.and_then(|name| self.name_at(&name));
        let known = provider.map(OAuthProvider::known);
        let filled = |known: Option<&str>| known.map(str::to_owned);
        let token_url = match raw.token_url {
            Some(url) => self.endpoint(&url),
            None if has_provider => filled(known.map(|known| known.token_url)),
            None => {
                let why = "oauth needs a provider, or the token_url of one that is not known here";
                self.source.missing(&at, "token_url", why, "provider = \"google\" or \"microsoft\"");
                None
            }
        };
        let named_no_way = raw.auth_url.is_none() && raw.device_url.is_none();
        if named_no_way && !has_provider && token_url.is_some() {
            let why = "oauth needs a way for you to say yes: auth_url, device_url, or both";
            self.source.missing(&at, "auth_url", why, "the provider's documentation names them");
        }
        let auth_url = match raw.auth_url {
            Some(url) => self.endpoint(&url),
            None => filled(known.map(|known| known.auth_url)),
        };
        let device_url = match raw.device_url {
            Some(url) => self.endpoint(&url),
            None => filled(known.and_then(|known| known.device_url)),
        };
        let scopes = match (raw.scopes, known) {
            (Some(scopes), _) => self.scopes(scopes),
            (None, Some(known)) => known.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            (None, None) => {
                if !has_provider && token_url.is_some() {
                    let why = "oauth needs the scopes to ask for";
                    self.source.missing(&at, "scopes", why, "scopes = [\"…\"], as the provider documents for IMAP");
                }
                Vec::new()
            }
        };
        Some(OAuth {
            account: String::new(),
            provider,
            client_id: client_id?,
            client_secret: client_secret.map_or(Some(None), |found| found.map(Some))?,
            token_url: token_url?,
            auth_url,
            device_url,
            scopes,
            grant: std::path::PathBuf::new(),
        })
    }

    /// An address that secrets are sent to: protected, or on this machine.
    fn endpoint(&mut self, raw: &Spanned<String>) -> Option<String> {
        let text = raw.get_ref();
        let url = Url::parse(text).ok().filter(|url| url.has_host() && text.len() <= TEXT_BYTES_MAX);
        let Some(url) = url else {
            let fix = "write the whole address, e.g. \"https://login.example.org/token\"";
            self.source.problem(raw.span(), "this is not the address of an endpoint", fix);
            return None;
        };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(host)) {
            let message = "this endpoint would be sent secrets unprotected over the network";
            self.source.problem(raw.span(), message, "use https; http only for 127.0.0.1");
            return None;
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            let message = "an endpoint is an address without user, password and `#`";
            self.source.problem(raw.span(), message, "leave them out; the client has keys of its own");
            return None;
        }
        Some(url.to_string())
    }

    fn scopes(&mut self, raw: Spanned<Vec<Spanned<String>>>) -> Vec<String> {
        if raw.get_ref().is_empty() {
            self.source.problem(raw.span(), "there is no scope to ask for", "name some, or leave `scopes` out");
        }
        let mut scopes = Vec::new();
        for scope in raw.into_inner() {
            // RFC 6749 §3.3: visible ASCII without quotes and backslashes.
            let fine = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
            if scope.get_ref().is_empty()
                || scope.get_ref().len() > TEXT_BYTES_MAX
                || !scope.get_ref().chars().all(fine)
            {
                self.source.problem(scope.span(), "this is not a scope", "write each scope as a text of its own");
            } else {
                scopes.push(scope.into_inner());
            }
        }
        scopes
    }
}
