//! A disk that is full or read-only: nothing is fetched that cannot be logged, nothing is lost, and all goes on by itself.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::{
    e2e::{items, wait_for_messages},
    support::{home::Home, mail::sample, wait_until_or},
};

const EX_IOERR: i32 = 74;

/// How many mails lie in the Maildir.
const MAILS: u64 = 30;

fn deliver_all(home: &Home) {
    for n in 0..MAILS {
        let mut bytes = sample(usize::try_from(n).unwrap()).bytes;
        // Long ones, so that the disk is full before the last.
        bytes.extend_from_slice("One more line of no meaning.\r\n".repeat(400).as_bytes());
        home.deliver(&format!("{n:02}"), &bytes);
    }
}

fn sound(home: &Home) -> bool {
    let db = rusqlite::Connection::open(home.database()).unwrap();
    db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap() == "ok"
}

#[test]
fn a_disk_that_fills_up_pauses_the_daemon_and_room_lets_it_go_on() {
    if std::process::Command::new("prlimit").arg("--version").output().is_err() {
        crate::support::skipped("prlimit not found: apt-get install util-linux");
        return;
    }
    let home = Home::with_maildir("");
    assert_eq!(home.verb(&["once"]).code, 0, "the log is there");
    deliver_all(&home);
    let mut daemon = home.start_short_of_disk(256 << 10);
    daemon.wait_for("The account cannot be watched.");
    let stored = home.one(&[])["messages"].as_u64().unwrap();
    assert!(stored < MAILS, "the disk was large enough");
    assert!(sound(&home));
    daemon.give_room();
    daemon.wait_for("The log can be written again");
    wait_for_messages(&home, MAILS);
    assert!(daemon.is_running());
    daemon.stop();
    assert!(sound(&home));
    let events = home.json(&["log", "--limit", "1000"]);
    assert_eq!(events.iter().filter(|event| event["kind"] == "message").count() as u64, MAILS, "each once");
    assert_eq!(items(&home).len() as u64, MAILS * 4 / 5, "every fifth is a newsletter");
}

/// A file system of eight mebibytes is too full for Onward to begin, and says so; with room it begins.
#[test]
fn a_small_disk_is_named_and_nothing_is_read() {
    let home = Home::with_maildir("");
    deliver_all(&home);
    fs::create_dir_all(home.state_dir()).unwrap();
    let state = home.state_dir().display().to_string();
    let script = format!(
        "mount -t tmpfs -o size=100m,mode=0700 none '{state}' && $onward once --json && echo first $? && \
         mount -o remount,size=8m '{state}'; \
         $onward once; echo full $?; $onward; echo status $?; $onward doctor; echo doctor $?; \
         mount -o remount,size=100m '{state}'; $onward; echo roomy $?"
    );
    let Some(said) = home.apart(&script) else { return };
    assert!(said.out.contains("first 0"), "{said:?}");
    let (_, full) = said.out.split_once("first 0").unwrap();
    assert!(full.contains("the disk is full") && full.contains("full 1"), "{said:?}");
    assert!(full.contains("Paused: the disk is full") && full.contains("status 4"), "{said:?}");
    assert!(full.contains("WRONG  disk") && full.contains("free some") && full.contains("doctor 1"), "{said:?}");
    assert!(full.contains("roomy 0"), "{said:?}");
}

#[test]
fn a_read_only_disk_is_74_and_named() {
    let home = Home::with_maildir("");
    assert_eq!(home.verb(&["once"]).code, 0);
    let state = home.state_dir();
    let before = fs::read(home.database()).unwrap();
    let script = format!(
        "mount --bind '{0}' '{0}' && mount -o remount,bind,ro '{0}'; \
         $onward run; echo run $?; $onward send; echo send $?; $onward; echo status $?; $onward doctor; echo doctor $?",
        state.display()
    );
    let Some(said) = home.apart(&script) else { return };
    assert!(said.out.contains(&format!("run {EX_IOERR}")), "{said:?}");
    assert!(!said.out.contains("status 0") && !said.out.contains("doctor 0"), "{said:?}");
    assert!(said.out.contains("WRONG  disk") && said.out.to_lowercase().contains("read-only"), "{said:?}");
    assert!(fs::read(home.database()).unwrap() == before, "nothing was written");
}

#[test]
fn a_directory_that_cannot_be_made_or_entered_is_74() {
    let home = Home::with_maildir("");
    fs::create_dir_all(home.state_dir().parent().unwrap()).unwrap();
    fs::write(home.state_dir(), "a file").unwrap();
    let run = home.verb(&["run"]);
    assert!(run.code == EX_IOERR && run.err.contains("cannot"), "{run:?}");
}

#[test]
fn whatever_the_daemon_writes_is_the_persons_alone() {
    let home = Home::with_maildir("");
    deliver_all(&home);
    let daemon = home.start();
    wait_for_messages(&home, MAILS);
    daemon.wait_for("The backup of the day was made.");
    let mut names = Vec::new();
    for entry in fs::read_dir(home.state_dir()).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    assert_eq!(fs::metadata(home.state_dir()).unwrap().permissions().mode() & 0o777, 0o700);
    for kind in ["onward.db", "onward.db-wal", "onward.db-shm", "onward.lock", "outbox.lock"] {
        wait_until_or(kind, || format!("{names:?}"), || home.state_dir().join(kind).exists() || kind == "outbox.lock");
    }
    assert!(names.iter().any(|name| name.starts_with("onward.db.backup-")), "{names:?}");
    daemon.stop();
    for private in [crate::support::home::ADDRESS, "edith.marlow", "Your application", "no meaning"] {
        assert!(!home.logs().contains(private), "{private:?} stands in the log:\n{}", home.logs());
    }
}
