//! The person says yes: with a code on any device (RFC 8628), or in a browser on this machine that comes back to a port
//! here (RFC 8252, with PKCE). In both the secret part stays with us; what is shown is an address and a code.
//!
//! It must not open a browser or print: the caller shows what [`Pending::shown`] gives.

use std::time::Duration;

use oauth2::basic::BasicTokenResponse;
use oauth2::{
    AuthUrl, AuthorizationCode, CsrfToken, DeviceAuthorizationUrl, DeviceCodeErrorResponseType, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardDeviceAuthorizationResponse,
};
use tokio::time::{sleep, timeout};

use super::listener::{Listener, Visit};
use super::{Asker, Client, GrantLock, Place, TokenError, Trouble, fail, file, granted, other_trouble, words};
use crate::config::{OAuth, OAuthProvider};
use crate::io::clock;
use crate::secret::Secret;

/// How long the browser may take to come back: somebody who went away begins anew, and the port is closed.
pub const BROWSER_WITHIN: Duration = Duration::from_secs(5 * 60);
/// How long a device code is waited for at most; providers let them run out after 15 minutes.
pub const DEVICE_WITHIN: Duration = Duration::from_secs(15 * 60);
/// Shortest time between two questions whether the person has said yes, whatever the endpoint allows.
const ASK_APART: Duration = Duration::from_secs(1);

/// How the person says yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// With a code, on any device.
    Device,
    /// In a browser on this machine.
    Browser,
}

/// What the person is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The address to open.
    pub url: String,
    /// The code to type there; none in a browser on this machine.
    pub code: Option<String>,
    /// How long there is time.
    pub within: Duration,
}

/// An authorisation the person has not yet given.
#[derive(Debug)]
pub struct Pending {
    oauth: OAuth,
    asker: Asker,
    ask_apart: Duration,
    shown: Shown,
    step: Step,
}

/// What is waited for. Its secrets are of types that do not show them.
#[derive(Debug)]
enum Step {
    Device(Box<StandardDeviceAuthorizationResponse>),
    Browser { listener: Listener, state: Secret, verifier: PkceCodeVerifier, redirect: RedirectUrl },
}

/// Begins an authorisation: by device code where the provider has them, unless another way is asked for.
pub async fn begin(oauth: &OAuth, way: Option<Way>) -> Result<Pending, TokenError> {
    begin_with(Asker::default(), ASK_APART, oauth, way).await
}

pub(super) async fn begin_with(
    asker: Asker,
    ask_apart: Duration,
    oauth: &OAuth,
    way: Option<Way>,
) -> Result<Pending, TokenError> {
    let way = way.unwrap_or(if oauth.device_url.is_some() { Way::Device } else { Way::Browser });
    let (shown, step) = match way {
        Way::Device => device(asker, oauth).await?,
        Way::Browser => browser(oauth).await?,
    };
    Ok(Pending { oauth: oauth.clone(), asker, ask_apart, shown, step })
}

async fn device(asker: Asker, oauth: &OAuth) -> Result<(Shown, Step), TokenError> {
    let no_way = |why| fail(oauth, Trouble::NoSuchWay(why));
    let url = oauth.device_url.clone().ok_or_else(|| no_way("there is no device_url: leave --device out"))?;
    let url = DeviceAuthorizationUrl::new(url).map_err(|_| no_way("device_url is not an address"))?;
    let client = Client::of(oauth).await?;
    let inner = client.inner.clone().set_device_authorization_url(url);
    let ask = |request| asker.ask(request);
    let request = inner.exchange_device_code().add_scopes(oauth.scopes.iter().cloned().map(Scope::new));
    let answer: StandardDeviceAuthorizationResponse = request.request_async(&ask).await.map_err(|error| {
        let nothing = Secret::new(oauth.client_id.clone());
        fail(oauth, refused(client.trouble(error, &nothing)))
    })?;
    let shown = Shown {
        url: answer.verification_uri().to_string(),
        code: Some(answer.user_code().secret().clone()),
        within: answer.expires_in().min(DEVICE_WITHIN),
    };
    Ok((shown, Step::Device(Box::new(answer))))
}

async fn browser(oauth: &OAuth) -> Result<(Shown, Step), TokenError> {
    let no_way = |why| fail(oauth, Trouble::NoSuchWay(why));
    let url = oauth.auth_url.clone().ok_or_else(|| no_way("there is no auth_url: leave --browser out"))?;
    let url = AuthUrl::new(url).map_err(|_| no_way("auth_url is not an address"))?;
    let closed =
        |error: std::io::Error| fail(oauth, Trouble::NotGranted(format!("no port can be opened here ({error})")));
    let listener = Listener::open().await.map_err(closed)?;
    // Microsoft lets any port be named only with this name (its documents on redirect addresses); it ends here too.
    let host = if oauth.provider == Some(OAuthProvider::Microsoft) { "localhost" } else { "127.0.0.1" };
    let redirect = RedirectUrl::new(format!("http://{host}:{}/", listener.port()));
    let redirect = redirect.map_err(|_| no_way("the address to come back to is none"))?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let inner = Client::of(oauth).await?.inner.set_auth_uri(url).set_redirect_uri(redirect.clone());
    let mut request = inner
        .authorize_url(CsrfToken::new_random)
        .add_scopes(oauth.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(challenge);
    if oauth.provider == Some(OAuthProvider::Google) {
        // Without these Google gives a refresh token only the first time a person says yes.
        request = request.add_extra_param("access_type", "offline").add_extra_param("prompt", "consent");
    }
    let (url, state) = request.url();
    let shown = Shown { url: url.to_string(), code: None, within: BROWSER_WITHIN };
    let state = Secret::new(state.into_secret());
    Ok((shown, Step::Browser { listener, state, verifier, redirect }))
}

impl Pending {
    /// What to show.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Waits until the person has said yes or no, and keeps what was granted.
    pub async fn finish(self) -> Result<(), TokenError> {
        let Pending { oauth, asker, ask_apart, shown, step } = self;
        let late = |_| {
            let minutes = shown.within.as_secs().div_ceil(60);
            fail(&oauth, Trouble::NotGranted(format!("nobody said yes within {minutes} minutes; begin again")))
        };
        let asked_at = clock::now();
        let answer = match step {
            Step::Device(code) => {
                let waiting = by_device(&oauth, asker, ask_apart, &code, shown.within);
                timeout(shown.within, waiting).await.map_err(late)??
            }
            Step::Browser { listener, state, verifier, redirect } => {
                let visit = timeout(shown.within, listener.visit(&state)).await.map_err(late)?;
                let broken = |error: std::io::Error| fail(&oauth, Trouble::NotGranted(error.to_string()));
                match visit.map_err(broken)? {
                    Visit::Code(code) => by_code(&oauth, asker, code, verifier, redirect).await?,
                    Visit::Denied(why) => return Err(fail(&oauth, Trouble::NotGranted(words(&why, &[&state])))),
                }
            }
        };
        let (_, grant) = granted(&oauth, &answer, None, asked_at)?;
        let file = file(&oauth);
        let _lock = GrantLock::acquire(&oauth.grant).await.map_err(&file)?;
        Place::prepare(&oauth.grant).and_then(|place| place.keep(&grant)).map_err(&file)
    }
}

async fn by_device(
    oauth: &OAuth,
    asker: Asker,
    ask_apart: Duration,
    code: &StandardDeviceAuthorizationResponse,
    within: Duration,
) -> Result<BasicTokenResponse, TokenError> {
    let client = Client::of(oauth).await?;
    let ask = |request| asker.ask(request);
    let pause = |interval: Duration| sleep(interval.max(ask_apart));
    let answer = client.inner.exchange_device_access_token(code).request_async(&ask, pause, Some(within)).await;
    answer.map_err(|error| {
        let kind = match error {
            RequestTokenError::ServerResponse(answer) => Trouble::NotGranted(match answer.error() {
                DeviceCodeErrorResponseType::AccessDenied => "it was declined".to_owned(),
                DeviceCodeErrorResponseType::ExpiredToken => "the code ran out; begin again".to_owned(),
                other => {
                    let device_code = Secret::new(code.device_code().secret().clone());
                    let said = answer.error_description().map_or("", String::as_str);
                    words(format!("{other} {said}").trim(), &[&device_code])
                }
            }),
            other => other_trouble(other),
        };
        fail(oauth, kind)
    })
}

async fn by_code(
    oauth: &OAuth,
    asker: Asker,
    code: Secret,
    verifier: PkceCodeVerifier,
    redirect: RedirectUrl,
) -> Result<BasicTokenResponse, TokenError> {
    let client = Client::of(oauth).await?;
    let inner = client.inner.clone().set_redirect_uri(redirect);
    let request = inner.exchange_code(AuthorizationCode::new(code.expose().to_owned())).set_pkce_verifier(verifier);
    let ask = |request| asker.ask(request);
    request.request_async(&ask).await.map_err(|error| fail(oauth, refused(client.trouble(error, &code))))
}

/// A code that is not taken is no grant that was taken back.
fn refused(kind: Trouble) -> Trouble {
    match kind {
        Trouble::Revoked(words) => Trouble::Refused { code: "invalid_grant".to_owned(), words },
        other => other,
    }
}
