//! What is known of providers has its effect: in what is said of a configuration, and on the wire.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use onward::{
    app::{
        budget::UsedUp,
        kit::Kit,
        login,
        pulse::Pulse,
        watch::{self, Desk, Memory},
    },
    config::{Config, Login, Source, Tls, providers::Provider},
    io::store::{Db, Store},
};
use tempfile::TempDir;

use crate::support::{
    fake_imap::FakeImap,
    watching::{Watching, config_in, configured, load_in, no, until},
};

fn login(config: &mut Config) -> &mut Login {
    match &mut config.accounts[0].source {
        Source::Imap(login) => login,
        Source::Maildir(_) => panic!("an IMAP account"),
    }
}

/// The account's server becomes one of which this is known.
fn known(config: &mut Config, change: impl FnOnce(&mut Provider)) {
    let mut provider = Provider::default();
    change(&mut provider);
    login(config).provider = Some(Arc::new(provider));
}

fn desk(config: &Config) -> Desk {
    Desk { db: Db::new(Store::in_memory().unwrap()), kit: Arc::new(Kit::load(config).unwrap()) }
}

const HEAD: &str =
    "[[identity]]\nname = \"Ada Stein\"\naddresses = [\"ada@home.example\"]\n[[account]]\nname = \"home\"\n";

/// Loads a configuration beside a file of providers.
fn loaded(account: &str, providers: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/providers.toml"), providers).unwrap();
    let text = format!("{HEAD}{account}");
    load_in(dir.path(), &text).map_err(|said| said.to_string().replace(&dir.path().display().to_string(), "~"))
}

fn imap(lines: &str) -> String {
    format!("[account.imap]\nuser = \"ada@home.example\"\npassword.command = [\"x\"]\n{lines}\n")
}

#[test]
fn every_shipped_row_is_good_and_is_found_by_its_host() {
    for (host, id) in [
        ("imap.gmail.com", Some("gmail")),
        ("IMAP.GMAIL.COM", Some("gmail")),
        ("notimap.gmail.com.example", None),
        ("evilposteo.de", None),
        ("posteo.de", Some("posteo")),
        ("imap.yeah.net", Some("netease")),
        ("imap.example.org", None),
    ] {
        let config = loaded(&imap(&format!("host = \"{host}\"")), "").unwrap();
        let found = config.accounts[0].provider().map(|row| row.id.as_str());
        assert_eq!(found, id, "{host}");
    }
    let config = loaded(&imap("host = \"imap.gmail.com\""), "").unwrap();
    let gmail = config.accounts[0].provider().unwrap();
    assert_eq!((gmail.files_sent(), gmail.rewrites_message_id()), (Some(true), false));
    assert!(gmail.login_help().unwrap().contains("https://myaccount.google.com/apppasswords"));
}

#[test]
fn what_cannot_work_is_said_before_anybody_connects() {
    let outlook = "host = \"outlook.office365.com\"";
    let smtp = "[account.smtp]\nhost = \"smtp.office365.com\"";
    let token = |lines: &str| imap(lines).replacen("password", "token", 1);
    for (account, expected) in [
        (imap(outlook), "takes no passwords any more"),
        (token(&format!("{outlook}\n{smtp}\ntls = \"implicit\"")), "takes mail by STARTTLS only"),
        (token(&format!("{outlook}\n{smtp}\nport = 465")), "takes mail by STARTTLS only"),
        (token(&format!("{outlook}\n{smtp}\npassword.command = [\"x\"]")), "takes no passwords any more"),
        (token(&format!("{outlook}\n[account.smtp]\nuser = \"x\"")), "fix: host = \"smtp.office365.com\""),
        (imap("host = \"imap.hey.com\""), "HEY cannot be watched"),
        (imap("host = \"mail.example.org\"").replace("home.example", "tuta.com"), "Tuta cannot be watched"),
    ] {
        let said = loaded(&account, "").expect_err(&account);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let config = loaded(&token(&format!("{outlook}\n{smtp}")), "").unwrap();
    let submission = config.accounts[0].smtp.as_ref().unwrap();
    assert_eq!((submission.server.port, submission.server.tls), (587, Tls::StartTls));
}

#[test]
fn what_is_only_worth_knowing_is_a_hint() {
    let config = loaded(&imap("host = \"imap.mail.me.com\""), "").unwrap();
    assert!(config.hints[0].as_hint().contains("the IMAP user is the part before the @"), "{:?}", config.hints);
    let config = loaded(&imap("host = \"imap.mail.me.com\"").replace("@home", "-home"), "").unwrap();
    assert_eq!(config.hints, []);
    let slow = format!("poll = \"60s\"\n{}", imap("host = \"imap.aol.com\""));
    let config = loaded(&slow, "").unwrap();
    assert_eq!(config.accounts[0].poll, Duration::from_secs(120));
    assert!(config.hints[0].as_hint().contains("slows down who asks so often"), "{:?}", config.hints);
    let config = loaded(&imap("host = \"imap.aol.com\""), "").unwrap();
    assert_eq!((config.accounts[0].poll, config.hints.len()), (Duration::from_secs(120), 0));
}

#[test]
fn rows_of_the_persons_add_and_replace_and_are_judged_whole() {
    let own = "[[provider]]\nid = \"gmail\"\nname = \"Mine\"\nhosts = [\"imap.gmail.com\"]\nbasis = \"tried\"\n\
               [[provider]]\nid = \"work\"\nname = \"Work\"\nhosts = [\"mail.work.example\"]\nmax_connections = 1\n\
               basis = \"tried\"\n";
    let config = loaded(&imap("host = \"imap.gmail.com\""), own).unwrap();
    let row = config.accounts[0].provider().unwrap();
    assert_eq!((row.name.as_str(), row.files_sent(), row.daily_bytes), ("Mine", None, None));
    let config = loaded(&imap("host = \"mail.work.example\""), own).unwrap();
    assert!(config.accounts[0].provider().unwrap().takes_one_connection());
    // The rules do not take the file for one of theirs.
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/providers.toml"), own).unwrap();
    Kit::load(&config_in(dir.path(), &format!("{HEAD}{}", imap("host = \"h.example\"")))).unwrap();

    let broken = "[[provider]]\nid = \"a b\"\nhosts = [\"com\", \"https://x.example\"]\nneeds_Id = true\n\
                  poll_min_s = 5\nidle_max_s = 1200\ndaily_bytes = 1\nmax_connections = 0\n\
                  app_password_url = \"javascript:x\"\nlogin_hint = \" \"\nsmtp_host = 5\n\
                  [[provider]]\nid = \"c\"\nname = \"C\"\nhosts = [\"c.example\"]\nbasis = \"x\"\n\
                  [[provider]]\nid = \"c\"\nname = \"C\"\nhosts = []\nbasis = \"x\"\n";
    let said = loaded(&imap("host = \"h.example\"\nport = 0"), broken).unwrap_err();
    for expected in [
        "~/config.toml:10:8: error: 0 is not a port",
        "~/rules/providers.toml:2:6: error: this cannot be an id",
        "~/rules/providers.toml:1:1: error: a provider needs `name`",
        "~/rules/providers.toml:1:1: error: a provider needs `basis`",
        "~/rules/providers.toml:3:10: error: this is not a host name",
        "~/rules/providers.toml:3:17: error: this is not a host name",
        "did you mean `needs_id`?",
        "poll_min_s goes from 30 to 3600",
        "idle_max_s goes from 30 to 300",
        "daily_bytes = 6553600 or more",
        "max_connections goes from 1 to 1000",
        "this is not an address to open",
        "`login_hint` must be one line",
        "a whole number stands where a text is expected",
        "a provider needs `hosts` to be known by",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let said = loaded(&imap("host = \"h.example\""), "[[provider]\n").unwrap_err();
    assert!(said.contains("~/rules/providers.toml:1:") && said.contains("not TOML"), "{said}");
}

/// A server that opens no mailbox to the nameless gets the name, although it does not say that it knows names.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_needs_a_name_gets_it() {
    for needs_id in [true, false] {
        let server = FakeImap::start().await;
        let dir = tempfile::tempdir().unwrap();
        let mut config = configured(&dir, &[&server]);
        known(&mut config, |row| row.needs_id = needs_id);
        watch::look_once(&desk(&config), &config.accounts[0]).await.unwrap();
        let commands = server.with(|state| state.commands.clone());
        let at = |begin: &str| commands.iter().position(|(_, said)| said.starts_with(begin));
        assert_eq!(at("ID (\"name\" \"onward\"").is_some_and(|id| Some(id) < at("EXAMINE")), needs_id, "{commands:?}");
    }
}

/// Where one connection is allowed there is never a second one, and the reader does not keep it while it waits.
#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_shared() {
    let server = FakeImap::start().await;
    let watching = Watching::start_with(&[&server], |config| known(config, |row| row.max_connections = Some(1)));
    until("the reader hangs up after its look", async || server.heard("LOGOUT") > 0).await;
    assert_eq!(server.heard("IDLE"), 0);
    watching.stop().await;

    let dir = tempfile::tempdir().unwrap();
    let mut config = configured(&dir, &[&server]);
    known(&mut config, |row| row.max_connections = Some(1));
    let first = login::open(login(&mut config)).await.unwrap();
    let mut other = config.clone();
    let second = tokio::spawn(async move { login::open(login(&mut other)).await.map(|_| ()) });
    // It has come as far as it can without the first one's place.
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    first.logout().await;
    second.await.unwrap().unwrap();
    assert_eq!(server.with(|state| state.most_open), 1);
}

/// A first look that uses up the day's bytes stores what it has, says until when it rests, and fetches no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_look_stops_when_the_day_is_used_up() {
    let server = FakeImap::start().await;
    for n in 0..120 {
        server.deliver(&no(&format!("Employer{n}")));
    }
    let dir: TempDir = tempfile::tempdir().unwrap();
    let mut config = configured(&dir, &[&server]);
    known(&mut config, |row| row.daily_bytes = Some(10_000));
    let desk = desk(&config);
    let (_running, stopped) = tokio::sync::watch::channel(false);
    let (mut memory, pulse) = (Memory::default(), Pulse::new(stopped));
    for _ in 0..2 {
        let error = watch::watch(&desk, &config.accounts[0], &mut memory, &pulse).await.unwrap_err();
        let used_up = error.downcast_ref::<UsedUp>().unwrap();
        assert!(used_up.rest <= Duration::from_secs(86_400));
        assert_eq!(pulse.health().paused, Some(used_up.until));
        assert_eq!(desk.db.call(|store| Ok(store.counts()?.messages)).await.unwrap(), 50, "one batch");
        assert_eq!(server.heard("UID FETCH"), 1);
    }
}

/// A server that forgets a connection soon is not left waiting for longer.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_ends_when_the_provider_forgets() {
    let server = FakeImap::start().await;
    server.with(|state| state.announces = false);
    let watching = Watching::start_with(&[&server], |config| {
        config.accounts[0].poll = Duration::from_secs(600);
        known(config, |row| row.idle_max = Some(Duration::from_millis(100)));
    });
    until("it idles", async || server.heard("IDLE") > 0).await;
    let begun = Instant::now();
    server.deliver(&no("Larkfield"));
    watching.wait_for("a0", 1).await;
    assert!(begun.elapsed() < Duration::from_secs(300));
    watching.stop().await;
}

/// The file that people read says of every row where it was read.
#[test]
fn the_shipped_file_tells_where_it_knows_from() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/providers.toml")).unwrap();
    let rows = text.matches("\n[[provider]]").count();
    assert!(rows >= 15 && text.matches("\nbasis = ").count() == rows);
}
