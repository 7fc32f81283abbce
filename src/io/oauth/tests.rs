//! The flows against an endpoint that answers well, badly, or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::url::Url;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::authorize::{Pending, Way, begin_with};
use super::*;
use crate::config::OAuthProvider;
use crate::secret::SecretSource;

#[path = "../../../tests/support/token_endpoint.rs"]
mod token_endpoint;
use token_endpoint::{Answer, Asked, TokenEndpoint};

const REFRESH: &str = "canary-refresh-1";
const ACCESS: &str = "canary-access-1";
/// Never reached, however busy the machine is.
const PATIENT: Asker = Asker { within: Duration::from_secs(60) };
/// Waited out by an endpoint that stalls.
const IMPATIENT: Asker = Asker { within: Duration::from_millis(300) };

/// An account whose endpoint is this one. Its grant ends with the directory.
fn oauth(endpoint: &TokenEndpoint, directory: &tempfile::TempDir) -> OAuth {
    OAuth {
        account: "home".to_owned(),
        provider: None,
        client_id: "client-1".to_owned(),
        client_secret: Some(SecretSource::Command(["echo", "canary-client"].map(str::to_owned).to_vec())),
        token_url: endpoint.url("token"),
        auth_url: Some(endpoint.url("auth")),
        device_url: Some(endpoint.url("device")),
        scopes: vec!["mail".to_owned(), "offline_access".to_owned()],
        grant: directory.path().join("state/oauth-home.json"),
    }
}

/// Keeps a grant whose access token is good for so many seconds more.
fn keep(oauth: &OAuth, seconds: i64) {
    let secret = |text: &str| Secret::new(text.to_owned());
    let until = clock::now() + SignedDuration::from_secs(seconds);
    let grant = Grant::new(&oauth.client_id, &oauth.token_url, &secret(REFRESH), &secret(ACCESS), until);
    Place::prepare(&oauth.grant).unwrap().keep(&grant).unwrap();
}

/// An endpoint with these answers, and an account whose access token is too old.
async fn stale(answers: Vec<Answer>) -> (TokenEndpoint, OAuth, tempfile::TempDir) {
    let endpoint = TokenEndpoint::start(answers).await;
    let directory = tempfile::tempdir().unwrap();
    let oauth = oauth(&endpoint, &directory);
    keep(&oauth, -1);
    (endpoint, oauth, directory)
}

fn kept(oauth: &OAuth) -> serde_json::Value {
    serde_json::from_slice(&fs::read(&oauth.grant).unwrap()).unwrap()
}

#[tokio::test]
async fn a_fresh_token_is_shown_and_a_stale_one_replaced() {
    let answers = vec![
        Answer::tokens("canary-access-2", Some("canary-refresh-2"), 3600),
        Answer::tokens("canary-access-3", None, 3600),
    ];
    let (endpoint, oauth, _directory) = stale(answers).await;
    keep(&oauth, 60);
    assert_eq!(access_token(&oauth).await.unwrap().expose(), ACCESS);
    assert_eq!(endpoint.asked(), []);

    keep(&oauth, -1);
    let second = access_token(&oauth).await.unwrap();
    assert_eq!(second.expose(), "canary-access-2");
    let asked = endpoint.asked();
    let fields = ["grant_type", "refresh_token", "client_id", "client_secret"].map(|name| asked[0].field(name));
    assert_eq!(fields, ["refresh_token", REFRESH, "client-1", "canary-client"]);
    assert_eq!(kept(&oauth)["refresh_token"], "canary-refresh-2", "a rotated one is kept");
    assert_eq!(fs::metadata(&oauth.grant).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(access_token(&oauth).await.unwrap().expose(), "canary-access-2");
    assert_eq!(endpoint.asked().len(), 1);

    // A server that did not take it wants another one; the refresh token that was not replaced stays.
    assert_eq!(renewed(&oauth, &second).await.unwrap().expose(), "canary-access-3");
    assert_eq!(endpoint.asked()[1].field("refresh_token"), "canary-refresh-2");
    assert_eq!(kept(&oauth)["refresh_token"], "canary-refresh-2");
    assert_eq!(renewed(&oauth, &second).await.unwrap().expose(), "canary-access-3", "somebody else renewed it");
    assert_eq!(endpoint.asked().len(), 2);
    let left: Vec<_> = fs::read_dir(oauth.grant.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the grant and its lock: {left:?}");
}

/// What a failed refresh is: the name of the trouble, a part of its text, and how often three logins ask.
#[tokio::test]
async fn each_answer_has_its_meaning() {
    let page = "<html>canary-page</html>".to_owned();
    let large = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(http::ANSWER_BYTES_MAX));
    for (answer, name, part, asked) in [
        (Answer::error("invalid_grant"), "Revoked", "onward auth home", 1),
        (Answer::Json(400, r#"{"error":"invalid_grant"}"#.to_owned()), "Revoked", "7 days", 1),
        (Answer::error("invalid_client"), "Refused", "[invalid_client]", 3),
        (Answer::error("unauthorized_client"), "Refused", "client_id", 3),
        (Answer::error("temporarily_unavailable"), "Transient", "temporarily_unavailable", 3),
        (Answer::Json(500, r#"{"error":"invalid_grant"}"#.to_owned()), "Transient", "status 500", 3),
        (Answer::Page(503, page.clone()), "Transient", "status 503", 3),
        (Answer::Json(429, r#"{"error":"slow"}"#.to_owned()), "Transient", "status 429", 3),
        (Answer::Page(200, page.clone()), "Transient", "not as one of OAuth", 3),
        (Answer::Page(403, page), "Transient", "not as one of OAuth", 3),
        (Answer::Json(302, String::new()), "Transient", "not as one of OAuth", 3),
        (Answer::Json(200, "{}".to_owned()), "Transient", "not as one of OAuth", 3),
        (Answer::tokens("", None, 3600), "Transient", "no token", 3),
        (Answer::Json(200, large), "Transient", "more than 65536 bytes", 3),
        (Answer::Raw(b"\x16\x03\x01\r\n\r\n".to_vec()), "Transient", "did not finish", 3),
        (Answer::Raw(Vec::new()), "Transient", "did not finish", 3),
        (Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), "Transient", "did not finish", 3),
        (
            Answer::Json(400, format!(r#"{{"error":"invalid_client","error_description":"{REFRESH} is wrong"}}"#)),
            "Refused",
            "\"…\"",
            3,
        ),
    ] {
        let (endpoint, oauth, _directory) = stale(vec![answer.clone()]).await;
        for _ in 0..3 {
            let error = PATIENT.token(&oauth, None).await.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(format!("{:?}", error.kind).starts_with(name) && text.contains(part), "{answer:?}: {text}");
            assert!(!text.contains("canary"), "{answer:?}: {text}");
            assert_eq!((error.needs_person(), error.is_refused()), (name == "Revoked", name == "Refused"));
        }
        assert_eq!(endpoint.asked().len(), asked, "{answer:?}");
        assert_eq!(kept(&oauth)["refresh_token"], REFRESH, "{answer:?}");
    }
}

#[tokio::test]
async fn a_silent_endpoint_costs_a_deadline() {
    let (_endpoint, oauth, _directory) = stale(vec![Answer::Stall]).await;
    let error = IMPATIENT.token(&oauth, None).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1 did not answer within 1 s"), "{error}");
}

#[tokio::test]
async fn twenty_logins_are_one_refresh() {
    let (endpoint, oauth, _directory) =
        stale(vec![Answer::tokens("canary-access-2", Some("canary-refresh-2"), 3600), Answer::error("invalid_grant")])
            .await;
    let logins = (0..20).map(|_| access_token(&oauth));
    for token in futures::future::join_all(logins).await {
        assert_eq!(token.unwrap().expose(), "canary-access-2");
    }
    assert_eq!(endpoint.asked().len(), 1);
}

#[tokio::test]
async fn a_login_that_is_given_up_loses_no_refresh_token() {
    let gate = Arc::new(Semaphore::new(0));
    let answer = |_: usize, _: &Asked| Answer::tokens("canary-access-2", Some("canary-refresh-2"), 3600);
    let endpoint = TokenEndpoint::start_with(answer, Arc::clone(&gate)).await;
    let directory = tempfile::tempdir().unwrap();
    let oauth = oauth(&endpoint, &directory);
    keep(&oauth, -1);
    tokio::select! {
        token = access_token(&oauth) => panic!("nothing was answered: {token:?}"),
        () = endpoint.another() => {}
    }
    gate.add_permits(1);
    assert_eq!(access_token(&oauth).await.unwrap().expose(), "canary-access-2");
    assert_eq!(kept(&oauth)["refresh_token"], "canary-refresh-2");
    assert_eq!(endpoint.asked().len(), 1);
}

#[tokio::test]
async fn a_grant_must_be_there_ones_own_and_for_this_client() {
    let (endpoint, oauth, directory) = stale(vec![Answer::tokens("a", None, 1)]).await;
    let other = OAuth { client_id: "client-2".to_owned(), ..oauth.clone() };
    let elsewhere = OAuth { token_url: "https://login.example.org/".to_owned(), ..oauth.clone() };
    let nowhere = OAuth { grant: directory.path().join("none.json"), ..oauth.clone() };
    for (oauth, part) in [
        (&other, "another client_id"),
        (&elsewhere, "another client_id"),
        (&nowhere, "nobody authorised onward to open `home` yet: run `onward auth home`"),
    ] {
        let error = access_token(oauth).await.unwrap_err();
        assert!(error.needs_person() && error.to_string().contains(part), "{error}");
        assert_eq!(state(oauth).unwrap_err().to_string(), error.to_string());
    }
    state(&oauth).unwrap();
    fs::set_permissions(&oauth.grant, fs::Permissions::from_mode(0o644)).unwrap();
    let error = access_token(&oauth).await.unwrap_err().to_string();
    assert!(error.contains("can be read by others") && error.contains("chmod 600"), "{error}");
    for text in ["{\"canary\": 1}", "canary", ""] {
        fs::write(&oauth.grant, text).unwrap();
        fs::set_permissions(&oauth.grant, fs::Permissions::from_mode(0o600)).unwrap();
        let error = access_token(&oauth).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary\""), "{error:?}");
        assert!(error.to_string().contains("not what onward wrote"), "{error}");
    }
    assert_eq!(endpoint.asked(), []);
}

#[test]
fn a_token_is_shown_until_shortly_before_its_end() {
    let seconds = Duration::from_secs;
    for (lifetime, shown) in [
        (Some(seconds(3600)), 3300),
        (Some(seconds(601)), 301),
        (Some(seconds(100)), 50),
        (Some(seconds(0)), 0),
        (Some(Duration::MAX), 24 * 3600 - 300),
        (None, 900),
    ] {
        assert_eq!(shown_for(lifetime).as_secs(), shown, "{lifetime:?}");
    }
}

/// Answers of the device flow, the first to the question for a code.
fn device(rest: Vec<Answer>) -> Vec<Answer> {
    // Google calls the address otherwise than RFC 8628; both are taken.
    let code = r#"{"device_code":"canary-device","user_code":"WDJB-MJHT","verification_url":"https://login.example.org/d",
                   "expires_in":900,"interval":0}"#;
    [vec![Answer::Json(200, code.to_owned())], rest].concat()
}

async fn begun(oauth: &OAuth, way: Option<Way>) -> Pending {
    begin_with(PATIENT, Duration::ZERO, oauth, way).await.unwrap()
}

#[tokio::test]
async fn a_device_code_is_shown_and_waited_for() {
    let answers = device(vec![
        Answer::error("authorization_pending"),
        Answer::error("authorization_pending"),
        Answer::tokens("canary-access-2", Some("canary-refresh-2"), 3600),
    ]);
    let (endpoint, oauth, _directory) = stale(answers).await;
    fs::remove_file(&oauth.grant).unwrap();
    let pending = begun(&oauth, None).await;
    let shown = pending.shown();
    assert_eq!((shown.url.as_str(), shown.code.as_deref()), ("https://login.example.org/d", Some("WDJB-MJHT")));
    assert!(!format!("{pending:?}").contains("canary"), "{pending:?}");
    pending.finish().await.unwrap();
    let asked = endpoint.asked();
    let paths: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths, ["device", "token", "token", "token"]);
    assert_eq!((asked[0].field("scope"), asked[0].field("client_id")), ("mail offline_access", "client-1"));
    assert_eq!(asked[3].field("device_code"), "canary-device");
    assert_eq!(access_token(&oauth).await.unwrap().expose(), "canary-access-2");
    assert_eq!(endpoint.asked().len(), 4);
}

#[tokio::test]
async fn a_device_flow_that_fails_says_why_and_changes_nothing() {
    for (answers, part) in [
        (device(vec![Answer::error("access_denied")]), "it was declined"),
        (device(vec![Answer::error("expired_token")]), "the code ran out"),
        (device(vec![Answer::error("authorization_declined")]), "authorization_declined"),
        (device(vec![Answer::tokens("canary-access-2", None, 3600)]), "offline_access"),
        (device(vec![Answer::Page(200, "<html>".to_owned())]), "not as one of OAuth"),
        (vec![Answer::error("invalid_client")], "[invalid_client]"),
        (vec![Answer::Page(404, "<html>".to_owned())], "not as one of OAuth"),
        (vec![Answer::Page(500, "<html>".to_owned())], "status 500"),
    ] {
        let (_endpoint, oauth, _directory) = stale(answers).await;
        let error = match begin_with(PATIENT, Duration::ZERO, &oauth, Some(Way::Device)).await {
            Ok(pending) => pending.finish().await.unwrap_err(),
            Err(error) => error,
        };
        let text = format!("{error} {error:?}");
        assert!(text.contains(part) && !text.contains("canary"), "{part}: {text}");
        assert_eq!(kept(&oauth)["refresh_token"], REFRESH);
    }
}

/// What a browser gets that opens `url`.
async fn visit(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    let request = format!("GET {}?{} HTTP/1.1\r\nHost: x\r\n\r\n", url.path(), url.query().unwrap_or_default());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn query(url: &str) -> BTreeMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_browser_comes_back_with_a_code_that_only_we_can_use() {
    let (endpoint, oauth, _directory) =
        stale(vec![Answer::tokens("canary-access-2", Some("canary-refresh-2"), 3600)]).await;
    keep(&oauth, 3600);
    let pending = begun(&oauth, Some(Way::Browser)).await;
    let shown = pending.shown().clone();
    let asked = query(&shown.url);
    assert!(shown.url.starts_with(&endpoint.url("auth")) && shown.code.is_none(), "{shown:?}");
    assert_eq!((asked["response_type"].as_str(), asked["code_challenge_method"].as_str()), ("code", "S256"));
    let back = asked["redirect_uri"].clone();
    assert!(back.starts_with("http://127.0.0.1:"), "{back}");
    let state = oauth2::url::form_urlencoded::byte_serialize(asked["state"].as_bytes()).collect::<String>();

    let finishing = tokio::spawn(pending.finish());
    assert!(visit(&format!("{back}favicon.ico")).await.starts_with("HTTP/1.1 404"));
    assert!(visit(&format!("{back}?code=stolen&state=guess")).await.starts_with("HTTP/1.1 404"));
    let page = visit(&format!("{back}?code=canary-code&state={state}")).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("You can close this window"), "{page}");
    finishing.await.unwrap().unwrap();

    let [exchange] = endpoint.asked().try_into().unwrap();
    assert_eq!(["grant_type", "code"].map(|name| exchange.field(name)), ["authorization_code", "canary-code"]);
    assert_eq!(exchange.field("redirect_uri"), back);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(exchange.field("code_verifier")));
    assert_eq!(challenge, asked["code_challenge"]);
    assert_eq!(access_token(&oauth).await.unwrap().expose(), "canary-access-2", "in place of what was granted before");
}

#[tokio::test]
async fn a_browser_that_brings_a_no_ends_it() {
    for (back, answer, part) in [
        ("error=access_denied", None, "access_denied"),
        ("code=canary-code", Some(Answer::error("invalid_grant")), "[invalid_grant]"),
        ("code=canary-code", Some(Answer::Page(502, String::new())), "status 502"),
    ] {
        let (_endpoint, oauth, _directory) = stale(answer.into_iter().chain([Answer::Stall]).collect()).await;
        let pending = begun(&oauth, Some(Way::Browser)).await;
        let asked = query(&pending.shown().url);
        let state = oauth2::url::form_urlencoded::byte_serialize(asked["state"].as_bytes()).collect::<String>();
        let finishing = tokio::spawn(pending.finish());
        visit(&format!("{}?{back}&state={state}", asked["redirect_uri"])).await;
        let text = finishing.await.unwrap().unwrap_err().to_string();
        assert!(text.contains(part) && !text.contains("canary"), "{text}");
        assert_eq!(kept(&oauth)["refresh_token"], REFRESH);
    }
}

#[tokio::test(start_paused = true)]
async fn a_browser_is_not_waited_for_for_ever() {
    let (_endpoint, oauth, _directory) = stale(vec![Answer::Stall]).await;
    let microsoft = OAuth { provider: Some(OAuthProvider::Microsoft), client_secret: None, ..oauth.clone() };
    let google = OAuth { provider: Some(OAuthProvider::Google), client_secret: None, ..oauth };
    let pending = begun(&google, Some(Way::Browser)).await;
    let asked = query(&pending.shown().url);
    assert_eq!((asked["access_type"].as_str(), asked["prompt"].as_str()), ("offline", "consent"));
    assert!(begun(&microsoft, Some(Way::Browser)).await.shown().url.contains("localhost"));
    let error = pending.finish().await.unwrap_err().to_string();
    assert!(error.contains("nobody said yes within 5 minutes"), "{error}");
}
