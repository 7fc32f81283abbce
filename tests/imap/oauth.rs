//! Logins with an access token, against servers that take it, refuse it with a reason, or take it and stay shut.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use onward::{
    app::login::{self, Matter},
    config::{Access, Login, OAuth, Server, Tls},
    io::imap::{Kind, Session},
    secret::{Secret, SecretSource},
};
use tokio::sync::Semaphore;

use crate::support::{
    dovecot::Dovecot,
    imap_script::{Script, Step, expect, send},
    token_endpoint::{Answer, Asked, TokenEndpoint},
};

const USER: &str = "ann@example.org";

fn xoauth2(token: &str) -> String {
    BASE64.encode(format!("user={USER}\x01auth=Bearer {token}\x01\x01"))
}

fn capability(names: &str) -> Step {
    send(&format!("* CAPABILITY IMAP4rev1 {names}\r\n$tag OK done\r\n"))
}

fn greeted(names: &str) -> Vec<Step> {
    vec![send("* OK hello\r\n"), expect("CAPABILITY"), capability(names)]
}

/// The reason of a refusal, its acknowledgement, and the refusal.
fn refused(reason: &str, acknowledgement: &str) -> Vec<Step> {
    vec![
        send(&format!("+ {}\r\n", BASE64.encode(reason))),
        Step::ExpectLine(acknowledgement.to_owned()),
        send("$tag NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n"),
    ]
}

/// A whole login that is taken.
fn taken(token: &str) -> Vec<Step> {
    let rest = vec![
        expect(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(token))),
        send("$tag OK welcome\r\n"),
        expect("CAPABILITY"),
        capability("IDLE"),
    ];
    [greeted("AUTH=XOAUTH2 SASL-IR"), rest].concat()
}

/// A whole login that is not.
fn not_taken(token: &str, reason: &str) -> Vec<Step> {
    let shown = vec![expect(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(token)))];
    [greeted("AUTH=XOAUTH2 SASL-IR"), shown, refused(reason, "")].concat()
}

#[tokio::test]
async fn a_token_is_shown_in_the_way_the_server_offers() {
    let port = |script: &Script| script.server(Tls::NoneLoopback).port;
    for (offered, shows) in [
        ("AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR", true),
        ("AUTH=XOAUTH2", true),
        ("AUTH=PLAIN AUTH=OAUTHBEARER", true),
        ("AUTH=PLAIN SASL-IR", false),
    ] {
        let bearer_only = !offered.contains("XOAUTH2");
        let name = if bearer_only { "OAUTHBEARER" } else { "XOAUTH2" };
        let mut steps = greeted(offered);
        if shows {
            steps.push(expect(&format!("AUTHENTICATE {name}")));
            if !offered.contains("SASL-IR") {
                steps.extend([send("+ \r\n"), Step::Expect(String::new())]);
            }
            // The tag of an answer to a challenge is not one: the command's own is the second one.
            steps.extend([send("O2 OK welcome\r\n"), expect("CAPABILITY"), capability("IDLE")]);
        }
        let script = Script::start(steps).await;
        let server = script.server(Tls::NoneLoopback);
        let port = port(&script);
        let connected = Session::connect(&server).await.unwrap();
        let done = connected.login_with_token(USER, &Secret::new("canary-1".to_owned())).await;
        assert_eq!(done.is_ok(), shows, "{offered}: {done:?}");
        let lines = script.lines().await;
        if let Err(error) = done {
            assert!(matches!(&error.kind, Kind::NotSupported(why) if why.contains("XOAUTH2")), "{error}");
            continue;
        }
        let plain = if bearer_only {
            format!("n,a={USER},\x01host=127.0.0.1\x01port={port}\x01auth=Bearer canary-1\x01\x01")
        } else {
            format!("user={USER}\x01auth=Bearer canary-1\x01\x01")
        };
        assert!(lines.iter().any(|line| line.ends_with(&BASE64.encode(&plain))), "{offered}: {lines:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_heard_out_and_says_whether_a_fresh_token_may_help() {
    let with = |rest: Vec<Step>| [greeted("AUTH=XOAUTH2 SASL-IR"), vec![expect("AUTHENTICATE XOAUTH2")], rest].concat();
    let bearer = [greeted("AUTH=OAUTHBEARER SASL-IR"), vec![expect("AUTHENTICATE OAUTHBEARER")]].concat();
    for (steps, stale) in [
        (with(refused(r#"{"status":"400","schemes":"Bearer"}"#, "")), Some(true)),
        (with(refused(r#"{"status":"401"}"#, "")), Some(true)),
        (with(refused(r#"{"status":"403"}"#, "")), Some(false)),
        (with(refused("no json", "")), Some(true)),
        ([bearer, refused(r#"{"status":"invalid_token"}"#, "AQ==")].concat(), Some(true)),
        (with(vec![send("$tag NO AUTHENTICATE failed. canary-1\r\n")]), Some(true)),
        // Not the token's fault.
        (with(vec![send("$tag NO [UNAVAILABLE] later\r\n")]), None),
        (with(vec![send("* BYE later\r\n")]), None),
        (with(vec![send("+ e30=\r\n"), Step::Close]), None),
    ] {
        let script = Script::start(steps.clone()).await;
        let connected = Session::connect(&script.server(Tls::NoneLoopback)).await.unwrap();
        let error = connected.login_with_token(USER, &Secret::new("canary-1".to_owned())).await.unwrap_err();
        let found = match &error.kind {
            Kind::TokenRefused { stale, .. } => Some(*stale),
            _ => None,
        };
        assert_eq!(found, stale, "{error:?} after {steps:?}");
        assert_eq!((error.is_authentication(), error.wants_fresh_token()), (stale.is_some(), stale == Some(true)));
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary-1") && !text.contains(&xoauth2("canary-1")), "{text}");
        script.lines().await;
    }
}

/// An account whose grant holds the token `old`.
fn login(script: &Script, endpoint: &TokenEndpoint, directory: &Path) -> Login {
    login_at(script.server(Tls::NoneLoopback), USER, endpoint, directory)
}

fn login_at(server: Server, user: &str, endpoint: &TokenEndpoint, directory: &Path) -> Login {
    let grant = directory.join("oauth-home.json");
    let text = format!(
        r#"{{"client_id":"c","token_url":"{}","refresh_token":"r","access_token":"old","fresh_until":"9999-01-01T00:00:00Z"}}"#,
        endpoint.url("token")
    );
    fs::write(&grant, text).unwrap();
    fs::set_permissions(&grant, fs::Permissions::from_mode(0o600)).unwrap();
    let oauth = OAuth {
        account: "home".to_owned(),
        provider: None,
        client_id: "c".to_owned(),
        client_secret: None,
        token_url: endpoint.url("token"),
        auth_url: None,
        device_url: Some(endpoint.url("device")),
        scopes: vec!["mail".to_owned()],
        grant,
    };
    Login { server, user: user.to_owned(), access: Access::OAuth(Box::new(oauth)), provider: None }
}

/// The connections, the endpoint's answer, what comes of it, and how often the endpoint is asked.
#[tokio::test]
async fn a_refused_token_is_renewed_once_and_shown_once_more() {
    const STALE: &str = r#"{"status":"401"}"#;
    let fresh = || Answer::tokens("new", Some("r2"), 3600);
    for (connections, answer, expected, asked) in [
        (vec![taken("old")], fresh(), Ok(()), 0),
        (vec![not_taken("old", STALE), taken("new")], fresh(), Ok(()), 1),
        (vec![not_taken("old", STALE), not_taken("new", STALE)], fresh(), Err(Matter::Refused), 1),
        (vec![not_taken("old", r#"{"status":"403"}"#)], fresh(), Err(Matter::Refused), 0),
        (vec![not_taken("old", STALE)], Answer::tokens("old", None, 3600), Err(Matter::Refused), 1),
        (vec![not_taken("old", STALE)], Answer::error("invalid_grant"), Err(Matter::Person), 1),
        (vec![not_taken("old", STALE)], Answer::error("invalid_client"), Err(Matter::Refused), 1),
        (vec![not_taken("old", STALE)], Answer::Page(503, String::new()), Err(Matter::Passing(None)), 1),
    ] {
        let endpoint = TokenEndpoint::start(vec![answer]).await;
        let script = Script::start_all(connections).await;
        let directory = tempfile::tempdir().unwrap();
        let login = login(&script, &endpoint, directory.path());
        let done = login::open(&login).await;
        assert_eq!(done.as_ref().map(|_| ()).map_err(Matter::of), expected, "{done:?}");
        assert_eq!(endpoint.asked().len(), asked, "{done:?}");
        script.lines().await;
        if expected == Err(Matter::Person) {
            // Nobody is asked again: neither the endpoint nor the mail server, whose port is closed now.
            let again = login::open(&login).await.unwrap_err();
            assert!(Matter::of(&again) == Matter::Person && again.to_string().contains("onward auth home"), "{again}");
            assert_eq!(endpoint.asked().len(), asked);
        }
    }
}

/// G1: providers count tries and lock accounts. The first login shows two tokens, those after it one each, so that three
/// logins are at most three tries with the pauses between them, until a token is taken or the configuration is read again.
#[tokio::test]
async fn a_fresh_token_that_was_refused_too_is_not_asked_for_again() {
    const STALE: &str = r#"{"status":"401"}"#;
    let answers = vec![Answer::tokens("new", Some("r2"), 3600), Answer::tokens("newer", Some("r3"), 3600)];
    let endpoint = TokenEndpoint::start(answers).await;
    let connections = vec![
        not_taken("old", STALE),
        not_taken("new", STALE),
        not_taken("new", STALE),
        not_taken("new", STALE),
        taken("newer"),
    ];
    let script = Script::start_all(connections).await;
    let directory = tempfile::tempdir().unwrap();
    let login = login(&script, &endpoint, directory.path());
    for tries in [2, 1] {
        let error = login::open(&login).await.unwrap_err();
        assert_eq!((Matter::of(&error), login::tries(&error)), (Matter::Refused, tries), "{error:#}");
        assert_eq!(endpoint.asked().len(), 1);
    }
    login::forget_refusals();
    login::open(&login).await.unwrap();
    assert_eq!(endpoint.asked().len(), 2);
    script.lines().await;
}

#[tokio::test]
async fn a_program_is_asked_for_its_token_and_once_more_where_that_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let count = directory.path().join("count");
    let script = format!("echo x >> '{0}'; echo token-$(wc -l < '{0}')", count.display());
    let program = |script: &str| Access::Token(SecretSource::Command(["sh", "-c", script].map(str::to_owned).to_vec()));
    const STALE: &str = r#"{"status":"400"}"#;
    let server = Script::start_all(vec![not_taken("token-1", STALE), taken("token-2")]).await;
    let login = |server: &Script, access| Login {
        server: server.server(Tls::NoneLoopback),
        user: USER.to_owned(),
        access,
        provider: None,
    };
    login::open(&login(&server, program(&script))).await.unwrap();
    server.lines().await;

    // The same token again would only be refused again.
    let server = Script::start_all(vec![not_taken("same", STALE)]).await;
    let error = login::open(&login(&server, program("echo same"))).await.unwrap_err();
    assert_eq!(Matter::of(&error), Matter::Refused);
    assert!(error.to_string().contains("token.command"), "{error}");
    server.lines().await;
}

#[tokio::test]
async fn a_login_that_opens_nothing_is_told_as_such_and_not_tried_again_soon() {
    let shut = "$tag BAD User is authenticated but not connected.\r\n";
    let mut steps = greeted("AUTH=XOAUTH2 SASL-IR");
    steps.extend([
        expect("AUTHENTICATE XOAUTH2"),
        send("$tag OK AUTHENTICATE completed.\r\n"),
        expect("CAPABILITY"),
        send(shut),
    ]);
    let endpoint = TokenEndpoint::start(vec![Answer::tokens("new", None, 3600)]).await;
    let script = Script::start(steps).await;
    let directory = tempfile::tempdir().unwrap();
    let error = login::open(&login(&script, &endpoint, directory.path())).await.unwrap_err();
    for part in ["authenticated but not connected", "switch IMAP on", "licence", "IMAP.AccessAsUser.All"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(Matter::of(&error), Matter::Refused, "the pauses of a refused login");
    assert_eq!(endpoint.asked(), [], "another token would not help");
    script.lines().await;
}

/// A real server asks the issuer about each token (RFC 7662): an old one is renewed and shown once more over TLS, in
/// either mechanism, and one of somebody else opens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn dovecot_opens_for_a_fresh_token_of_the_same_person() {
    for (mechanism, issued, expected, asked) in [
        ("xoauth2", "of-ann", Ok(()), 2),
        ("oauthbearer", "of-ann", Ok(()), 2),
        ("xoauth2", "of-bob", Err(Matter::Refused), 2),
    ] {
        let about = |_: usize, asked: &Asked| match asked.field("token").strip_prefix("of-") {
            Some(user) => Answer::Json(200, format!(r#"{{"active":true,"username":"{user}"}}"#)),
            None => Answer::Json(200, r#"{"active":false}"#.to_owned()),
        };
        let issuer = TokenEndpoint::start_with(about, Arc::new(Semaphore::new(Semaphore::MAX_PERMITS))).await;
        let endpoint = TokenEndpoint::start(vec![Answer::tokens(issued, None, 3600)]).await;
        let directory = tempfile::tempdir().unwrap();
        // Read by the server's own user.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let args = directory.path().join("oauth2.conf.ext");
        let about_tokens = format!(
            "introspection_mode = post\nintrospection_url = {}\nusername_attribute = username\n\
             active_attribute = active\nactive_value = true\ntimeout_msecs = 5000\n",
            issuer.url("introspect")
        );
        fs::write(&args, about_tokens).unwrap();
        let settings = format!(
            "auth_mechanisms = {mechanism}\npassdb {{\n  driver = oauth2\n  mechanisms = {mechanism}\n  args = {}\n}}\n",
            args.display()
        );
        let Some(dovecot) = Dovecot::with(&settings, true) else { return };
        let login = login_at(dovecot.server(Tls::Implicit), "ann", &endpoint, directory.path());
        let done = login::open(&login).await;
        assert_eq!(done.as_ref().map(|_| ()).map_err(Matter::of), expected, "{mechanism} {issued}: {done:?}");
        assert_eq!((issuer.asked().len(), endpoint.asked().len()), (asked, 1), "{mechanism} {issued}");
        if let Ok(mut session) = done {
            assert_eq!(session.examine("INBOX").await.unwrap().exists, 0);
        }
    }
}
