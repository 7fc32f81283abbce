//! Access tokens of OAuth 2.0: kept fresh with a refresh token, asked for once however many logins wait.
//!
//! [`access_token`] is called before every login, [`renewed`] when a server did not take what it got. The person says
//! yes in [`authorize`]. It must not decide when a login is tried again, and it never asks an endpoint that said
//! `invalid_grant`: the file of the grant remembers.

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, RefreshToken, RequestTokenError, TokenResponse as _,
    TokenUrl,
};

use crate::config::OAuth;
use crate::io::{clock, http};
use crate::secret::{self, Secret};

pub mod authorize;
mod error;
mod grant;
mod listener;
#[cfg(test)]
mod tests;

use error::words;
pub use error::{TokenError, Trouble};
use grant::{Grant, GrantLock, Place};

/// How long before its end an access token is no longer shown: clocks differ, and a login takes its time.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// How long an access token is taken to be good when the endpoint does not say (it should, RFC 6749 §5.1).
const LIFETIME_UNSAID: Duration = Duration::from_secs(20 * 60);
/// Longest time an access token is believed to be good, whatever the endpoint says.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Largest token taken, in bytes; Microsoft's have up to three thousand.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// How endpoints are asked. Another one in tests, for short deadlines.
#[derive(Debug, Clone, Copy)]
struct Asker {
    within: Duration,
}

impl Default for Asker {
    fn default() -> Asker {
        Asker { within: http::ANSWER_WITHIN }
    }
}

/// An access token that is good for some minutes at least.
pub async fn access_token(oauth: &OAuth) -> Result<Secret, TokenError> {
    Asker::default().token(oauth, None).await
}

/// An access token other than the one a server refused, which may have been taken back before its time.
pub async fn renewed(oauth: &OAuth, refused: &Secret) -> Result<Secret, TokenError> {
    Asker::default().token(oauth, Some(refused)).await
}

/// Whether the person has to run `onward auth` before this can be used. Reads the file and asks nobody.
pub fn state(oauth: &OAuth) -> Result<(), TokenError> {
    read(oauth).map(drop)
}

fn fail(oauth: &OAuth, kind: Trouble) -> TokenError {
    TokenError { account: oauth.account.clone(), kind }
}

fn file(oauth: &OAuth) -> impl Fn(String) -> TokenError {
    |why| fail(oauth, Trouble::File { path: oauth.grant.clone(), why })
}

/// The grant, if it is one for this client that the provider still took when it was asked last.
fn read(oauth: &OAuth) -> Result<Grant, TokenError> {
    let grant = Grant::read(&oauth.grant).map_err(file(oauth))?;
    let grant = grant.ok_or_else(|| fail(oauth, Trouble::NotAuthorized))?;
    if grant.client_id != oauth.client_id || grant.token_url != oauth.token_url {
        return Err(fail(oauth, Trouble::OtherClient));
    }
    match grant.revoked {
        Some(why) => Err(fail(oauth, Trouble::Revoked(why))),
        None => Ok(grant),
    }
}

impl Asker {
    async fn token(self, oauth: &OAuth, refused: Option<&Secret>) -> Result<Secret, TokenError> {
        if let Some(token) = read(oauth)?.access(clock::now(), refused) {
            return Ok(token);
        }
        let (oauth, refused) = (oauth.clone(), refused.cloned());
        let account = oauth.account.clone();
        // A task of its own: when the login that waits for it is given up, the refresh token that comes back in place
        // of the old one must still reach the disk.
        let refreshing = tokio::spawn(async move { self.refresh(&oauth, refused.as_ref()).await });
        let stopped = |_| TokenError { account, kind: Trouble::Transient("the program is ending".to_owned()) };
        refreshing.await.map_err(stopped)?
    }

    /// Asks for a new access token, unless somebody else did while the lock was waited for.
    async fn refresh(self, oauth: &OAuth, refused: Option<&Secret>) -> Result<Secret, TokenError> {
        let file = file(oauth);
        let _lock = GrantLock::acquire(&oauth.grant).await.map_err(&file)?;
        let mut grant = read(oauth)?;
        if let Some(token) = grant.access(clock::now(), refused) {
            return Ok(token);
        }
        let place = Place::prepare(&oauth.grant).map_err(&file)?;
        let client = Client::of(oauth).await?;
        let asked_at = clock::now();
        let refresh = grant.refresh();
        let answer = {
            let request = RefreshToken::new(refresh.expose().to_owned());
            let ask = |request| self.ask(request);
            client.inner.exchange_refresh_token(&request).request_async(&ask).await
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let kind = client.trouble(error, &refresh);
                if let Trouble::Revoked(why) = &kind {
                    grant.revoked = Some(why.clone());
                    place.keep(&grant).map_err(&file)?;
                }
                return Err(fail(oauth, kind));
            }
        };
        let (token, grant) = granted(oauth, &answer, Some(refresh), asked_at)?;
        // On disk before it is used: a crash now must not leave us with a refresh token that was replaced (G6).
        place.keep(&grant).map_err(&file)?;
        Ok(token)
    }

    /// Sends a request of the library's.
    fn ask(
        self,
        request: oauth2::HttpRequest,
    ) -> impl Future<Output = Result<oauth2::HttpResponse, http::HttpError>> + Send {
        http::send_within(request, self.within)
    }
}

/// The person's client, with the one endpoint every flow needs.
struct Client {
    inner: BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>,
    secret: Option<Secret>,
}

impl Client {
    async fn of(oauth: &OAuth) -> Result<Client, TokenError> {
        let secret = match &oauth.client_secret {
            Some(source) => Some(secret::read(source).await.map_err(|error| fail(oauth, Trouble::Secret(error)))?),
            None => None,
        };
        let url = TokenUrl::new(oauth.token_url.clone());
        let url = url.map_err(|_| fail(oauth, Trouble::NoSuchWay("token_url is not an address")))?;
        let client = BasicClient::new(ClientId::new(oauth.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(url);
        let inner = match &secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        };
        Ok(Client { inner, secret })
    }

    /// What a failed exchange of a code or a refresh token means.
    fn trouble(&self, error: RequestTokenError<http::HttpError, BasicErrorResponse>, shown: &Secret) -> Trouble {
        match error {
            RequestTokenError::ServerResponse(answer) => {
                let secrets: Vec<&Secret> = self.secret.iter().chain([shown]).collect();
                let said = answer.error_description().map_or("", String::as_str);
                let said = words(said, &secrets);
                let code = words(answer.error().as_ref(), &secrets);
                match answer.error() {
                    BasicErrorResponseType::InvalidGrant if said.is_empty() => Trouble::Revoked(code),
                    BasicErrorResponseType::InvalidGrant => Trouble::Revoked(said),
                    // RFC 6749 §4.1.2.1: these are about the server's state, although they come as a refusal.
                    BasicErrorResponseType::Extension(name)
                        if matches!(name.as_str(), "temporarily_unavailable" | "server_error") =>
                    {
                        Trouble::Transient(format!("the token endpoint says {code}"))
                    }
                    _ => Trouble::Refused { code, words: said },
                }
            }
            other => other_trouble(other),
        }
    }
}

/// What it means that there is no answer of an endpoint's own. The library's error would quote what came.
fn other_trouble<T: oauth2::ErrorResponse + 'static>(error: RequestTokenError<http::HttpError, T>) -> Trouble {
    Trouble::Transient(match error {
        RequestTokenError::Request(error) => error.to_string(),
        _ => "the endpoint answered, but not as one of OAuth does; check its address".to_owned(),
    })
}

/// The access token in an answer, and the grant to keep.
fn granted(
    oauth: &OAuth,
    answer: &BasicTokenResponse,
    before: Option<Secret>,
    asked_at: Timestamp,
) -> Result<(Secret, Grant), TokenError> {
    let access = Secret::new(answer.access_token().secret().clone());
    // RFC 6749 §6: without a new refresh token the old one stays good.
    let refresh = answer.refresh_token().map(|token| Secret::new(token.secret().clone())).or(before);
    let refresh = refresh.ok_or_else(|| fail(oauth, Trouble::NoRefreshToken))?;
    if [&access, &refresh].iter().any(|token| token.expose().is_empty() || token.expose().len() > TOKEN_BYTES_MAX) {
        let why = "the endpoint answered with something that is no token; check its address";
        return Err(fail(oauth, Trouble::Transient(why.to_owned())));
    }
    let fresh_until = asked_at + shown_for(answer.expires_in());
    let grant = Grant::new(&oauth.client_id, &oauth.token_url, &refresh, &access, fresh_until);
    Ok((access, grant))
}

/// How long a token is shown that is good for so long: [`SKEW`] less, or half of it where that is all there is.
fn shown_for(lifetime: Option<Duration>) -> SignedDuration {
    let lifetime = lifetime.unwrap_or(LIFETIME_UNSAID).min(LIFETIME_MAX);
    let shown = lifetime - SKEW.min(lifetime / 2);
    SignedDuration::try_from(shown).unwrap_or(SignedDuration::ZERO)
}
