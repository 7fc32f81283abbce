//! The configuration, as people write it: what is taken, and what is said about everything that is wrong.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use expect_test::expect;
use jiff::{civil::Weekday, tz::TimeZone};
use onward::{
    config::{self, Access, Config, Deliver, Env, LogLevel, OAuthProvider, Report, Source, Tls, Unchecked},
    secret::SecretSource,
};

fn env() -> Env {
    Env {
        home: Some("/home/sam".into()),
        config_home: None,
        state_home: None,
        configuration_directory: None,
        state_directory: None,
        credentials_directory: Some("/run/credentials/onward.service".into()),
        uid: None,
        zone: TimeZone::UTC,
    }
}

fn parse(text: &str) -> Result<Config, Report> {
    config::parse(Path::new("/home/sam/.config/onward/config.toml"), text, &env(), &Unchecked)
}

/// A good configuration whose `[account.imap]` ends with these lines.
fn with_imap(lines: &str) -> String {
    format!(
        "[[identity]]\nname = \"Sam Doe\"\naddresses = [\"sam@example.org\"]\n[[account]]\nname = \"home\"\n\
         [account.imap]\nuser = \"sam\"\n{lines}\n"
    )
}

#[test]
fn the_example_is_a_good_configuration() {
    let config = parse(config::EXAMPLE).unwrap();
    let account = config.account("home").unwrap();
    assert_eq!(account.mailboxes, ["INBOX"]);
    assert_eq!(account.look_back, Duration::from_secs(30 * 86_400));
    assert_eq!(account.poll, Duration::from_secs(60));
    assert_eq!(account.identity.addresses.len(), 2);
    assert_eq!(account.smtp, None);
    let Source::Imap(imap) = &account.source else { panic!("{account:?}") };
    assert_eq!((imap.server.port, imap.server.tls), (993, Tls::Implicit));
    let command = SecretSource::Command(["pass", "show", "mail/example.org"].map(str::to_owned).to_vec());
    assert_eq!(imap.access, Access::Password(command));
    assert!(config.reply.enabled && config.notes.enabled);
    assert_eq!(config.reply.deliver, Deliver::Drafts);
    assert_eq!(config.telling.days.first(), Some(&Weekday::Monday));
    assert_eq!((config.telling.days.len(), config.telling.hold.after_final), (5, 48));
    assert_eq!(config.log_level, LogLevel::Info);
    assert_eq!(config.store, Path::new("/home/sam/.local/state/onward/onward.db"));
    assert_eq!(config.rules_dir(), Path::new("/home/sam/.config/onward/rules"));
}

/// The lines behind `# key = value` are the defaults, unless the example says that it gives another example.
#[test]
fn the_defaults_the_example_shows_are_the_defaults() {
    const NO_DEFAULTS: [&str; 22] = [
        "drafts",
        "sent",
        "authserv_id",
        "identity",
        "maildir",
        "ca_file",
        "password.file",
        "password.credential",
        "password.keyring",
        "token.command",
        "oauth.provider",
        "oauth.client_id",
        "oauth.client_secret.command",
        "oauth.token_url",
        "oauth.auth_url",
        "oauth.device_url",
        "oauth.scopes",
        "user",
        "host",
        "quiet",
        "notes.language",
        "path",
    ];
    let mut section = String::new();
    let mut shown = String::new();
    for line in config::EXAMPLE.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
        }
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let key = bare.split(" = ").next().unwrap_or_default();
        let optional = line.starts_with("# ") && bare.contains(" = ") && !key.contains(' ');
        let skipped = NO_DEFAULTS.contains(&key) || NO_DEFAULTS.contains(&format!("{section}.{key}").as_str());
        shown.push_str(if optional && !skipped { bare } else { line });
        shown.push('\n');
    }
    assert!(shown.contains("\npoll = \"60s\"") && shown.contains("\nlevel = \"info\""), "{shown}");
    assert_eq!(parse(&shown).unwrap(), parse(config::EXAMPLE).unwrap());
}

#[test]
fn all_that_is_set_is_taken() {
    let config = parse(
        r#"
        [[identity]]
        name = "Sam Doe"
        addresses = ["sam@example.org"]
        [[identity]]
        name = "S. Doe"
        addresses = ["doe@example.net"]
        language = "de"
        [[account]]
        name = "work"
        mailboxes = ["inbox", "Jobs/2026"]
        look_back = "2w"
        poll = "5m"
        drafts = "Entwürfe"
        sent = "Gesendet"
        identity = "DOE@example.net"
        imap = { host = "::1", port = 1143, tls = "none-loopback", user = "sam", password.credential = "imap-password" }
        [account.smtp]
        host = "smtp.example.org"
        tls = "starttls"
        ca_file = "ca.pem"
        [[account]]
        name = "old"
        maildir = "~/Mail"
        [account.smtp]
        host = "smtp.example.org"
        port = 587
        user = "old"
        password.file = "/etc/onward/smtp-password"
        [reply]
        deliver = "smtp"
        [telling]
        reading_hour = "18:30"
        days = ["sun", "sat"]
        time_zone = "Europe/Berlin"
        quiet = "21:00 - 08:00"
        [telling.hold]
        after_interview = "3d"
        [notes]
        enabled = false
        language = "en"
        [rules]
        disable = ["20-senders"]
        [log]
        level = "debug"
        [store]
        path = "/srv/onward.db"
        keep_mail = "12w"
        "#,
    )
    .unwrap();
    let work = config.account("work").unwrap();
    assert_eq!(work.mailboxes, ["INBOX", "Jobs/2026"]);
    assert_eq!((work.drafts.as_deref(), work.sent.as_deref()), (Some("Entwürfe"), Some("Gesendet")));
    assert_eq!(work.identity.language, "de");
    let smtp = work.smtp.as_ref().unwrap();
    assert_eq!((smtp.server.port, smtp.user.as_str()), (587, "sam"));
    assert_eq!(smtp.server.ca_file, Some(PathBuf::from("/home/sam/.config/onward/ca.pem")));
    let expected =
        SecretSource::Credential { name: "imap-password".to_owned(), directory: env().credentials_directory };
    assert_eq!(smtp.access, Access::Password(expected));
    let old = config.account("old").unwrap();
    assert_eq!(old.source, Source::Maildir("/home/sam/Mail".into()));
    assert_eq!(old.smtp.as_ref().unwrap().server.tls, Tls::StartTls);
    assert_eq!(config.telling.days, [Weekday::Saturday, Weekday::Sunday]);
    assert_eq!(config.telling.zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(config.telling.hold.after_interview, 72);
    assert!(config.telling.quiet.is_some() && !config.notes.enabled);
    assert_eq!(config.rules.disable, ["20-senders"]);
    assert_eq!(config.store, Path::new("/srv/onward.db"));
    assert_eq!(config.keep_mail.as_secs(), 12 * 7 * 24 * 3600);

    // What `config dump` writes is the same configuration.
    assert_eq!(parse(&config.dump()).unwrap(), config);
}

#[test]
fn a_login_by_oauth_is_taken_with_what_is_known_of_the_provider() {
    let text = |oauth: &str| with_imap(&format!("host = \"h.example\"\n{oauth}\n[account.smtp]\nhost = \"s.example\""));
    let of = |text: &str| {
        let config = parse(text).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(parse(&config.dump()).unwrap(), config, "what `config dump` writes is the same");
        let account = config.account("home").unwrap();
        let Source::Imap(imap) = &account.source else { panic!("{account:?}") };
        assert_eq!(account.smtp.as_ref().unwrap().access, imap.access, "SMTP is opened as IMAP is");
        (account.oauth().cloned(), imap.access.clone())
    };
    let (google, _) =
        of(&text("[account.imap.oauth]\nprovider = \"google\"\nclient_id = \"c\"\nclient_secret.command = [\"x\"]"));
    let google = google.unwrap();
    assert_eq!((google.provider, google.account.as_str()), (Some(OAuthProvider::Google), "home"));
    assert_eq!(google.token_url, "https://oauth2.googleapis.com/token");
    assert!(google.auth_url.is_some() && google.device_url.is_none() && google.client_secret.is_some());
    assert_eq!(google.scopes, ["https://mail.google.com/"]);
    assert_eq!(google.grant, Path::new("/home/sam/.local/state/onward/oauth-home.json"));

    let (microsoft, _) = of(&text("oauth = { provider = \"microsoft\", client_id = \"c\", scopes = [\"a\", \"b\"] }"));
    let microsoft = microsoft.unwrap();
    assert!(microsoft.device_url.is_some() && microsoft.scopes == ["a", "b"]);

    let own = "oauth.client_id = \"c\"\noauth.token_url = \"http://127.0.0.1:9/t\"\n\
               oauth.device_url = \"http://[::1]:9/d\"\noauth.scopes = [\"mail\"]";
    let (own, _) = of(&text(own));
    let own = own.unwrap();
    assert_eq!((own.provider, own.auth_url, own.device_url.as_deref()), (None, None, Some("http://[::1]:9/d")));

    let (none, access) = of(&text("token.command = [\"oama\"]"));
    assert!(none.is_none() && matches!(access, Access::Token(SecretSource::Command(_))), "{access:?}");
}

#[test]
fn everything_wrong_is_said_at_once_with_place_and_fix() {
    let report = parse(
        r#"colour = "blue"
[[identity]]
name = "Sam"
addresses = ["Sam <sam@example.org>"]
language = "english"

[[account]]
name = "home"
look_back = "a month"
poll = "5s"
identity = "other@example.org"
[account.imap]
hots = "imap.example.org"
port = 143
tls = "implicit"
user = "sam"
password = "hunter2-in-clear"
[account.smtp]
host = "smtp.example.org:587"
port = 70000
tls = "none-loopback"

[[account]]
name = "home"
maildir = 5

[reply]
deliver = "smpt"
[telling]
reading_hour = "25:00"
days = ["monday"]
time_zone = "Berlin"
hold.after_interveiw = "24h"
hold.after_final = "90m"
[log]
level = "verbose"
"#,
    )
    .unwrap_err();
    expect![[r#"
        /home/sam/.config/onward/config.toml:1:1: error: unknown key `colour`
            fix: remove it, or use one of: account, identity, reply, telling, notes, rules, log, store
        /home/sam/.config/onward/config.toml:4:14: error: this is not a mail address
            fix: write it bare, without name and brackets: sam@example.org
        /home/sam/.config/onward/config.toml:5:12: error: `english` is not a language code
            fix: use two lower-case letters, e.g. "en" or "de"
        /home/sam/.config/onward/config.toml:9:13: error: `a month` is not a duration of at most ten years
            fix: write a whole number and a unit: 90s, 10m, 24h, 30d, 2w
        /home/sam/.config/onward/config.toml:10:8: error: asking more often than every 30 seconds gets accounts throttled
            fix: poll = "30s" or more; new mail is told by IDLE at once anyway
        /home/sam/.config/onward/config.toml:11:12: error: no [[identity]] has this address
            fix: name one of the addresses of an identity, or add it there
        /home/sam/.config/onward/config.toml:13:1: error: unknown key `hots`
            fix: did you mean `host`?
        /home/sam/.config/onward/config.toml:15:7: error: tls = "implicit" does not fit port 143
            fix: tls = "starttls", or port = 993
        /home/sam/.config/onward/config.toml:17:12: error: a password stands here in clear
            fix: password.command = ["pass", "show", "mail"], or password.file, password.credential, password.keyring
        /home/sam/.config/onward/config.toml:19:8: error: this is not a host name
            fix: write the bare name, e.g. "imap.example.org"; the port has a key of its own
        /home/sam/.config/onward/config.toml:20:8: error: 70000 is not a port
            fix: ports go from 1 to 65535
        /home/sam/.config/onward/config.toml:24:8: error: a second account is called `home`
            fix: give each account a name of its own
        /home/sam/.config/onward/config.toml:25:11: error: a whole number stands where a text is expected
            fix: see config.example.toml for the form of this key
        /home/sam/.config/onward/config.toml:28:11: error: `smpt` is not possible here
            fix: did you mean "smtp"?
        /home/sam/.config/onward/config.toml:30:16: error: `25:00` is not a time of day
            fix: write hours and minutes: "10:00"
        /home/sam/.config/onward/config.toml:31:9: error: `monday` is no day
            fix: use some of: mon, tue, wed, thu, fri, sat, sun
        /home/sam/.config/onward/config.toml:32:13: error: the time zone `Berlin` is not known here
            fix: use "system" or a name such as "Europe/Berlin"
        /home/sam/.config/onward/config.toml:33:6: error: unknown key `after_interveiw`
            fix: did you mean `after_interview`?
        /home/sam/.config/onward/config.toml:34:20: error: a hold is a number of whole hours, at most 30 days
            fix: write 0h, 24h or 3d
        /home/sam/.config/onward/config.toml:36:9: error: `verbose` is not possible here
            fix: use one of: error, warn, info, debug
        20 problems in the configuration"#]].assert_eq(&report.to_string());
    assert!(!format!("{report:?}").contains("hunter2"));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["problems"][0]["line"], 1);
    assert!(json["problems"][0]["fix"].is_string());
}

#[test]
fn each_single_mistake_is_named() {
    let imap = |lines: &str| with_imap(&format!("password.command = [\"x\"]\n{lines}"));
    let password = |line: &str| with_imap(&format!("host = \"h.example\"\n{line}"));
    let host = "host = \"h.example\"\n";
    let oauth = |lines: &str| password(&format!("[account.imap.oauth]\nclient_id = \"x\"\n{lines}"));
    for (text, expected) in [
        (imap(""), "[account.imap] needs a host"),
        (imap(&format!("{host}port = 993\ntls = \"starttls\"")), "does not fit port 993"),
        (imap(&format!("{host}port = 587\ntls = \"implicit\"")), "does not fit port 587"),
        (imap(&format!("{host}port = 0")), "0 is not a port"),
        (imap(&format!("{host}port = \"993\"")), "a text stands where a whole number is expected"),
        (imap(&format!("{host}tls = \"none-loopback\"\nport = 143")), "unprotected over the network"),
        (imap("host = \"127.0.0.1\"\ntls = \"none-loopback\""), "needs its port"),
        (imap("host = \"imaps://h.example\""), "not a host name"),
        (imap(&format!("{host}tls = \"ssl\"")), "use one of: implicit, starttls, none-loopback"),
        (imap(&format!("{host}[reply]\ndeliver = \"smtp\"")), "has no [account.smtp]"),
        (imap(&format!("{host}[account.imap]\n")), "this is not TOML"),
        (imap(&format!("{host}[[account]]\nname = \"x y\"\nmaildir = \"/m\"")), "cannot be the name"),
        (imap(&format!("{host}[[account]]\nname = \"b\"")), "needs [account.imap] or maildir"),
        (imap(&format!("{host}[[account]]\nname = \"b\"\nmaildir = \"/m\"\nmailboxes = [\"A\"]")), "means nothing"),
        (imap(&format!("{host}[[identity]]\nname = \"b\"\naddresses = [\"SAM@example.org\"]")), "second time"),
        (imap(&format!("{host}[telling]\ndays = []")), "no day left"),
        (imap(&format!("{host}[telling]\nquiet = \"21:00\"")), "a beginning and an end"),
        (imap(&format!("{host}[rules]\ndisable = [\"../x\"]")), "not the name of a rule file"),
        (password(""), "needs a password source, a token or oauth"),
        (password("tokn.command = [\"x\"]"), "did you mean `token`?"),
        (password("token = \"hunter2\""), "a token stands here in clear"),
        (password("token.command = []"), "token.command names no program"),
        (password("token.file = \"/x\""), "comes from a command that renews it"),
        (password("password.command = [\"x\"]\ntoken.command = [\"x\"]"), "both `password` and `token` stand here"),
        (password("token.command = [\"x\"]\noauth.client_id = \"x\""), "both `token` and `oauth` stand here"),
        (password("password = \"hunter2\"\noauth.client_id = \"x\""), "keep one of password, token and oauth"),
        (password("oauth.provider = \"google\""), "oauth needs the client_id"),
        (password("oauth.client_id = \"x\""), "oauth needs a provider, or the token_url"),
        (oauth("provider = \"gogle\""), "did you mean \"google\"?"),
        (oauth("provider = \"google\"\nclient_secret = \"hunter2\""), "a client secret stands here in clear"),
        (oauth("provider = \"google\"\nclient_secret = {}"), "`client_secret` names no source"),
        (oauth("provider = \"google\"\nscopes = []"), "there is no scope"),
        (oauth("provider = \"google\"\nscopes = [\"a b\"]"), "this is not a scope"),
        (oauth("provider = \"google\"\ntokenurl = \"x\""), "did you mean `token_url`?"),
        (oauth("token_url = \"https://x.example/t\"\nscopes = [\"a\"]"), "auth_url, device_url, or both"),
        (
            oauth("token_url = \"https://x.example/t\"\nauth_url = \"https://x.example/a\""),
            "oauth needs the scopes to ask for",
        ),
        (oauth("provider = \"google\"\ntoken_url = \"login.example.org\""), "not the address of an endpoint"),
        (oauth("provider = \"google\"\nauth_url = \"http://x.example/\""), "unprotected over the network"),
        (oauth("provider = \"google\"\nauth_url = \"http://localhost.example/\""), "unprotected over the network"),
        (oauth("provider = \"google\"\ndevice_url = \"https://sam:hunter2@x.example/\""), "without user, password"),
        (
            oauth(
                "provider = \"google\"\n[account.smtp]\nhost = \"h\"\noauth.provider = \"google\"\noauth.client_id = \"x\"",
            ),
            "one authorisation serves IMAP and SMTP",
        ),
        (password("password = {}"), "names no source"),
        (password("password = \"hunter2\""), "stands here in clear"),
        (password("password = [\"hunter2\"]"), "a list stands where a source is expected"),
        (password("password.command = \"echo hunter2\""), "a text stands where a list is expected"),
        (imap(host).replace("[[identity]]", "[identity]"), "two brackets: [[account]], [[identity]]"),
        (imap(host).replace("[account.imap]", "imap = 5\n[x]"), "a whole number stands where a table is expected"),
        (password("password.command = []"), "names no program"),
        (password("password.credential = \"../x\""), "not the name of a systemd credential"),
        (password("password.fil = \"/x\""), "did you mean `file`?"),
        (password("password.file = \"/x\"\npassword.credential = \"x\""), "more than one source"),
        (String::new(), "there is no [[identity]]"),
        (String::new(), "there is no [[account]]"),
    ] {
        let report = parse(&text).expect_err(&text).to_string();
        assert!(report.contains(expected), "{expected}: {report}");
        assert!(!report.contains("hunter2"), "{report}");
    }
}

#[cfg(not(feature = "keyring"))]
#[test]
fn a_keyring_needs_a_build_that_has_one() {
    let text = with_imap("host = \"h.example\"\npassword.keyring = { service = \"onward\", user = \"sam\" }");
    let report = parse(&text).unwrap_err().to_string();
    assert!(report.contains("--features keyring"), "{report}");
}

#[test]
fn files_are_looked_at_and_must_be_the_persons_own() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.toml");
    let secret = home.path().join("secret");
    let ca_file = home.path().join("ca.pem");
    let write = |path: &Path, text: &str, mode| {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let text = with_imap("host = \"h.example\"\nca_file = \"ca.pem\"\npassword.file = \"secret\"");
    let env = Env { home: Some(home.path().into()), ..Env::of_process() };
    let problems = || config::load(&path, &env).map_or_else(|report| report.to_string(), |_| String::new());

    assert!(problems().contains("no configuration file"), "{}", problems());
    write(&path, &text, 0o600);
    let report = problems();
    assert_eq!(report.matches("does not exist").count(), 2, "{report}");
    write(&ca_file, "", 0o644);
    write(&secret, "x", 0o644);
    write(&path, &text, 0o644);
    let report = problems();
    assert!(report.contains("the configuration can be read or changed by others (mode 0644)"), "{report}");
    assert!(report.contains(&format!("chmod 600 '{}'", secret.display())), "{report}");
    write(&secret, "x", 0o600);
    write(&path, &text, 0o600);
    assert_eq!(problems(), "");
    fs::remove_file(&secret).unwrap();
    std::os::unix::fs::symlink(&ca_file, &secret).unwrap();
    assert!(problems().contains("symbolic link"), "{}", problems());
    write(&path, "\u{feff}[[account]]", 0o600);
    assert!(problems().contains("needs a name"), "{}", problems());
    fs::write(&path, b"name = \"\xff\"").unwrap();
    assert!(problems().contains("not UTF-8"), "{}", problems());
}

#[test]
fn a_dump_tells_where_a_password_comes_from_and_nothing_of_it() {
    let text = with_imap("host = \"h.example\"\npassword.command = [\"printf\", \"hunter2\"]");
    let config = parse(&text).unwrap();
    let dump = config.dump();
    assert!(dump.contains("printf") && !dump.contains("hunter2"), "{dump}");
    assert!(!format!("{config:?}").contains("hunter2"));
}
