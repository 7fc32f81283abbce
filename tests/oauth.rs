//! OAuth as a person meets it: the verb, what the others say before and after it, and a reply that is sent with it.

use std::{fs, sync::Arc};

use crate::support::{
    cli::{Home, Said},
    smtp_sink::{Mode, Sink},
    token_endpoint::{Answer, TokenEndpoint},
};

const CONFIG: &str = ".config/onward/config.toml";
const GRANT: &str = ".local/state/onward/oauth-home.json";

/// The keys of an account's OAuth with this endpoint.
fn oauth(endpoint: &TokenEndpoint) -> String {
    format!(
        "oauth.client_id = \"client-1\"\noauth.client_secret.command = [\"echo\", \"canary-client\"]\n\
         oauth.token_url = \"{}\"\noauth.device_url = \"{}\"\noauth.scopes = [\"mail\"]\n",
        endpoint.url("token"),
        endpoint.url("device")
    )
}

/// Runs the program while the endpoint answers.
async fn run(home: &Arc<Home>, line: &str) -> Said {
    let (home, line) = (Arc::clone(home), line.to_owned());
    tokio::task::spawn_blocking(move || home.line(&line)).await.unwrap()
}

/// The words after `onward`, the status, what is said, how often the endpoint has been asked by then.
type Case = (&'static str, i32, &'static str, usize);

/// What only the person can do.
const AUTHORISE: &str = "run `onward auth home`";

async fn check(home: &Arc<Home>, endpoint: &TokenEndpoint, cases: &[Case]) {
    // Text is wrapped to the terminal.
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (line, status, says, asked) in cases {
        let said = run(home, line).await;
        let all = said.all();
        assert_eq!(said.code, Some(*status), "onward {line}: {said:?}");
        for part in says.split('|') {
            assert!(flat(&all).contains(&flat(part)), "onward {line} lacks {part:?}:\n{all}");
        }
        assert!(!all.contains("canary"), "onward {line}:\n{all}");
        assert_eq!(all.contains("Left to do"), says.contains("Left to do"), "onward {line}:\n{all}");
        assert_eq!(endpoint.asked().len(), *asked, "onward {line}");
    }
}

#[tokio::test]
async fn an_account_is_authorised_used_and_ended_by_the_provider() {
    let code = r#"{"device_code":"canary-device","user_code":"WDJB-MJHT","verification_uri":"https://login.example.org/d",
                   "expires_in":900,"interval":1}"#;
    let endpoint = TokenEndpoint::start(vec![
        Answer::Json(200, code.to_owned()),
        // Good for no time at all: the next login needs another one.
        Answer::tokens("canary-access-1", Some("canary-refresh-1"), 0),
        Answer::tokens("canary-access-2", Some("canary-refresh-2"), 3600),
        Answer::error("invalid_grant"),
        Answer::Json(200, code.to_owned()),
        Answer::tokens("canary-access-3", Some("canary-refresh-3"), 3600),
    ])
    .await;
    let home = Home::set_up();
    let config = fs::read_to_string(home.path(CONFIG)).unwrap();
    let imap = "[account.imap]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none-loopback\"\nuser = \"robin\"\n";
    home.write(CONFIG, config.replace("maildir = \"~/Maildir\"\n", &format!("{imap}{}", oauth(&endpoint))));
    let home = Arc::new(home);

    check(
        &home,
        &endpoint,
        &[
            ("config check", 0, "is fine.|Left to do: nobody authorised onward to open `home` yet", 0),
            ("once", 1, AUTHORISE, 0),
            ("doctor", 1, "WRONG  home: OAuth|onward auth home", 0),
            ("auth nobody", 1, "there is no account `nobody`: name one of home", 0),
            ("auth home --browser", 1, "there is no auth_url", 0),
            ("auth", 0, "https://login.example.org/d|WDJB-MJHT|`home` is authorised", 2),
            ("config check", 0, "is fine.", 2),
            ("config dump", 0, "client_id = \"client-1\"", 2),
            ("doctor", 1, "ok     home: OAuth|WRONG  home: 127.0.0.1:9", 3),
        ],
    )
    .await;
    let mut grant: serde_json::Value = serde_json::from_slice(&fs::read(home.path(GRANT)).unwrap()).unwrap();
    assert_eq!(grant["refresh_token"], "canary-refresh-2");
    grant["fresh_until"] = "2026-01-01T00:00:00Z".into();
    home.write(GRANT, grant.to_string());
    check(
        &home,
        &endpoint,
        &[
            ("once", 1, "the provider takes the authorisation of `home` no more|7 days|onward auth home", 4),
            ("once", 1, AUTHORISE, 4),
            ("doctor", 1, AUTHORISE, 4),
            ("config check", 0, "Left to do", 4),
            ("auth home --json", 0, "\"code\":\"WDJB-MJHT\"|\"authorized\":true", 6),
            ("doctor", 1, "ok     home: OAuth", 6),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_reply_is_sent_once_although_its_token_was_too_old() {
    let endpoint = TokenEndpoint::start(vec![Answer::tokens("good-2", None, 3600)]).await;
    let sink = Sink::start(Mode::Plain, &[]).await;
    let home = Home::with_mail();
    let config = fs::read_to_string(home.path(CONFIG)).unwrap();
    let smtp = format!(
        "[account.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none-loopback\"\nuser = \"robin\"\n{}\n[reply]\n\
         deliver = \"smtp\"\n\n[telling]",
        sink.port,
        oauth(&endpoint)
    );
    home.write(CONFIG, config.replace("[telling]", &smtp));
    let grant = format!(
        r#"{{"client_id":"client-1","token_url":"{}","refresh_token":"canary-refresh-1","access_token":"canary-old",
            "fresh_until":"9999-01-01T00:00:00Z"}}"#,
        endpoint.url("token")
    );
    home.write(GRANT, grant);
    home.prove_smtp();
    let digest = home.digest("2");
    let home = Arc::new(home);
    let approved = run(&home, &format!("draft approve 2 --digest {digest} --later")).await;
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let sent = run(&home, "send").await;
    assert_eq!((sent.code, sink.accepted().len(), endpoint.asked().len()), (Some(0), 1, 1), "{sent:?}");
    assert_eq!(home.state("2"), "sent");
    let logins = sink.commands().iter().filter(|command| *command == "AUTH").count();
    assert_eq!(logins, 2, "{:?}", sink.commands());
    assert!(!sent.all().contains("canary"), "{sent:?}");
}
