//! The exit codes of `onward run`, which systemd acts on (`sysexits.h`), and what the units make of them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use onward::io::store::Lock;

use crate::support::home::Home;

/// What is wrong, what is done for it, the arguments, the code, and what is said.
type Case = (&'static str, fn(&Home), &'static [&'static str], i32, &'static str);

const CASES: &[Case] = &[
    ("an option that is none", |_| {}, &["run", "--bogus"], 64, "--bogus"),
    ("a word too many", |_| {}, &["run", "now"], 64, "now"),
    ("options before the verb", |_| {}, &["--config", "x", "run", "--dry-run"], 64, "--dry-run"),
    ("another verb's usage", |_| {}, &["once", "run", "--bogus"], 2, "run"),
    ("a state directory that is a file", |home| fs::write(home.state_dir(), "").unwrap(), &["run"], 74, "cannot"),
    ("a log cut to nothing", |home| log(home, b"", 0o600), &["run"], 74, "damaged"),
    ("a log that is none", |home| log(home, &[b'x'; 9000], 0o600), &["run"], 74, "damaged"),
    ("a log that others can read", |home| log(home, b"", 0o644), &["run"], 77, "chmod 600"),
    ("an unknown key", |home| home.write_config("nonsense = 1\n"), &["run"], 78, "config.toml:1:1: error"),
    ("a port that is none", |home| home.write_config("[[account]]\nimap = { port = 70000 }\n"), &["run"], 78, "70000"),
    ("no configuration", |home| fs::remove_file(home.config_dir().join("config.toml")).unwrap(), &["run"], 78, "fix:"),
    ("a broken rule", |home| home.write("rules/mine.toml", "[[rul]]\n"), &["run"], 78, "mine.toml:1"),
    (
        "a configuration that others can read",
        |home| chmod(&home.config_dir().join("config.toml"), 0o644),
        &["run"],
        78,
        "chmod",
    ),
];

fn log(home: &Home, bytes: &[u8], mode: u32) {
    fs::create_dir_all(home.state_dir()).unwrap();
    fs::write(home.database(), bytes).unwrap();
    chmod(&home.database(), mode);
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn each_way_to_fail_has_the_code_that_systemd_knows() {
    for (what, make, arguments, code, says) in CASES {
        let home = Home::with_maildir("");
        fs::create_dir_all(home.state_dir().parent().unwrap()).unwrap();
        make(&home);
        let said = home.verb(arguments);
        assert_eq!(said.code, *code, "{what}: {said:?}");
        assert!(said.err.contains(says), "{what}: {said:?}");
    }
    let home = Home::with_maildir("");
    let _held = Lock::acquire(&home.state_dir()).unwrap();
    let said = home.verb(&["run"]);
    assert!(said.code == 75 && said.err.contains("already running"), "{said:?}");
}

/// What cannot work does not run in circles: five starts are over before the window of the limit is, and then the unit
/// stands as failed. What a person has to mend is not started again at all.
#[test]
fn a_unit_that_cannot_work_fails_visibly() {
    for name in ["onward.service", "onward@.service"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)).unwrap();
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key}=")));
            line.unwrap_or_else(|| panic!("{name} lacks {key}")).to_owned()
        };
        let number = |key: &str| value(key).trim_end_matches('s').parse::<u64>().unwrap();
        let (burst, window, pause) = (number("StartLimitBurst"), number("StartLimitIntervalSec"), number("RestartSec"));
        assert_eq!((burst, window), (5, 600), "{name}");
        assert!(pause > 0 && burst * (pause + 5) < window, "{name}: the limit is never met");
        assert_eq!(value("RestartPreventExitStatus"), "64 77 78", "{name}: 74 and 75 are tried again");
        assert!(text.contains("OnFailure="), "{name} says where the person is told");
        let watchdog = number("WatchdogSec");
        assert!((60..=300).contains(&watchdog), "{name}: {watchdog}");
    }
}

/// Each start of a crash loop leaves the log as it was.
#[test]
fn starts_that_fail_change_nothing() {
    let home = Home::with_maildir("");
    assert_eq!(home.verb(&["once"]).code, 0);
    let mut bytes = fs::read(home.database()).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(home.database(), &bytes).unwrap();
    for _ in 0..5 {
        assert_eq!(home.verb(&["run"]).code, 74);
    }
    assert_eq!(fs::read(home.database()).unwrap(), bytes);
}
