//! `onward doctor` and the status find what is wrong on this machine, and print the way out.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::support::home::{Home, Said};

/// What is done to a home that was fine, and what the doctor says then.
type Case = (&'static str, fn(&Home), &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "a mailbox nobody looks at",
        |home| sql(home, "UPDATE cursor SET polled_at = polled_at - 86400"),
        &["WRONG INBOX of home", "longer ago than 3 polls", "systemctl --user start onward"],
    ),
    ("a directory others can enter", |home| chmod(home, "", 0o755), &["WRONG state directory", "chmod 700 "]),
    ("a log others can read", |home| chmod(home, "onward.db", 0o644), &["WRONG log", "chmod 600 "]),
    ("a backup others can read", |home| backup(home), &["WRONG state directory", "chmod 600 "]),
    (
        "a log that is damaged inside",
        |home| {
            let mut bytes = fs::read(home.database()).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle..].fill(0xa5);
            fs::write(home.database(), bytes).unwrap();
        },
        &["WRONG log", "damaged", "onward restore"],
    ),
    ("a log that is empty", |home| fs::write(home.database(), "").unwrap(), &["WRONG log", "onward restore FILE"]),
    (
        "a Maildir that is gone",
        |home| fs::remove_dir_all(home.maildir().join("new")).unwrap(),
        &["WRONG home: Maildir"],
    ),
];

fn sql(home: &Home, sql: &str) {
    rusqlite::Connection::open(home.database()).unwrap().execute_batch(sql).unwrap();
}

fn chmod(home: &Home, name: &str, mode: u32) {
    fs::set_permissions(home.state_dir().join(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn backup(home: &Home) {
    let name = "onward.db.backup-2026-11-20";
    fs::copy(home.database(), home.state_dir().join(name)).unwrap();
    chmod(home, name, 0o640);
}

/// A home that was looked at, with nothing wrong.
fn fine() -> Home {
    let home = Home::with_maildir("[reply]\nenabled = false\n");
    assert_eq!(home.verb(&["once"]).code, 0);
    home
}

/// What was said, with single spaces.
fn flat(said: &Said) -> String {
    said.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_doctor_finds_each_fault_and_prints_the_way_out() {
    let home = fine();
    let healthy = home.verb(&["doctor"]);
    assert!(healthy.code == 0 && !healthy.out.contains("WRONG"), "{healthy:?}");
    for says in ["ok disk", "MiB free", "ok daemon not running", "ok service no unit is installed: `make install`"] {
        assert!(flat(&healthy).contains(says), "{says}: {healthy:?}");
    }
    let daemon = home.start();
    daemon.wait_for("The backup of the day was made.");
    let running = home.verb(&["doctor"]);
    assert!(running.code == 0 && flat(&running).contains("ok daemon running; it holds the lock"), "{running:?}");
    assert!(flat(&running).contains("onward.db.backup-"), "{running:?}");
    daemon.stop();
    for (what, make, says) in CASES {
        let home = fine();
        make(&home);
        let said = home.verb(&["doctor"]);
        assert_eq!(said.code, 1, "{what}: {said:?}");
        for text in *says {
            assert!(flat(&said).contains(text), "{what}: {text}: {said:?}");
        }
    }
}

#[test]
fn the_unit_of_the_person_is_found() {
    let home = fine();
    let units = home.config_dir().parent().unwrap().join("systemd/user");
    fs::create_dir_all(&units).unwrap();
    fs::write(units.join("onward.service"), "").unwrap();
    let said = home.verb(&["doctor"]);
    assert!(said.code == 0 && flat(&said).contains("systemd/user/onward.service"), "{said:?}");
}

/// A daemon that died without a word, or watches and sees nothing: whoever asks hears it by the exit code.
#[test]
fn a_look_that_is_too_long_ago_is_told_by_the_exit_code() {
    // The default poll is a minute, so that three of them are three.
    for (ago, stale) in [(0, false), (170, false), (200, true), (86_400 * 30, true)] {
        let home = fine();
        sql(&home, &format!("UPDATE cursor SET polled_at = polled_at - {ago}"));
        assert_eq!(home.verb(&["--json"]).code, if stale { 4 } else { 0 }, "{ago} s");
        assert_eq!(home.verb(&["doctor"]).code, i32::from(stale), "{ago} s");
        let said = home.verb(&[]);
        assert_eq!(said.out.contains("stale"), stale, "{said:?}");
    }
    // What was imported and is not watched yet is not stale.
    let home = Home::with_maildir("");
    home.deliver("no", &crate::support::mail::sample(0).bytes);
    let maildir = home.maildir().display().to_string();
    assert!([0, 1].contains(&home.verb(&["import", &maildir]).code));
    assert_ne!(home.verb(&[]).code, 1);
}
