//! The copy of each day, and the way back from one.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use jiff::{SignedDuration, Timestamp};
use onward::{
    draft::{DraftEvent, DraftState},
    io::store::{BACKUPS_KEPT, Lock, Store, StoreError, daily_backups, last_good_backup, restore},
};

use super::fixture::{Home, at, commit_rejection, mail, proposed, with_draft};

fn days(n: i64) -> Timestamp {
    at(0) + SignedDuration::from_hours(24 * n)
}

fn restored(home: &Home, copy: &std::path::Path) -> Result<onward::io::store::Restored, StoreError> {
    let dir = home.path().parent().unwrap().to_owned();
    let (running, outbox) = (Lock::acquire(&dir).unwrap(), Lock::acquire_outbox(&dir).unwrap());
    restore(&home.path(), copy, &running, &outbox, at(100))
}

#[test]
fn each_day_has_one_private_copy_and_a_week_of_them_is_kept() {
    let home = Home::new();
    let mut store = home.open();
    with_draft(&mut store);
    for day in 0..10 {
        let made = store.back_up(days(day)).unwrap().expect("a copy of this day");
        assert_eq!(store.back_up(days(day)).unwrap(), None, "one a day");
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
        let copy = Store::open_to_read(&made).unwrap();
        assert_eq!(copy.counts().unwrap(), store.counts().unwrap());
    }
    let names: Vec<String> =
        daily_backups(&home.path()).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), BACKUPS_KEPT);
    let day = |n: i64| days(n).strftime("onward.db.backup-%Y-%m-%d").to_string();
    assert_eq!((names.first(), names.last()), (Some(&day(9)), Some(&day(3))), "the oldest went");
    assert_eq!(Store::in_memory().unwrap().back_up(days(0)).unwrap(), None);
}

/// The day of a copy is that of UTC: where clocks change, none is left out and none is made twice.
#[test]
fn a_change_of_the_clock_neither_skips_a_day_nor_makes_two() {
    for (from, hours) in [("2026-03-28T12:00:00Z", 48), ("2026-10-24T12:00:00Z", 48)] {
        let home = Home::new();
        let store = home.open();
        let from: Timestamp = from.parse().unwrap();
        let made = (0..hours).filter(|hour| store.back_up(from + SignedDuration::from_hours(*hour)).unwrap().is_some());
        assert_eq!(made.count(), 3, "three days of UTC are touched");
    }
}

/// A backup reads: a process that writes does not hold it up, and it does not hold up a process that writes.
#[test]
fn a_backup_is_made_while_another_process_is_writing() {
    let home = Home::new();
    let mut store = home.open();
    with_draft(&mut store);
    let other = home.sql();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM cursor").unwrap();
    let started = std::time::Instant::now();
    let copy = store.back_up(days(0)).unwrap().unwrap();
    assert!(started.elapsed() < onward::io::store::BUSY_TIMEOUT, "it waited for the writer");
    assert_eq!(Store::open_to_read(&copy).unwrap().cursors().unwrap().len(), 1, "what is not committed is not in it");
    other.execute_batch("COMMIT").unwrap();
}

#[test]
fn what_is_put_back_is_the_state_of_that_day_and_no_approval_in_it_counts() {
    let home = Home::new();
    let mut store = home.open();
    let (_, first, digest) = with_draft(&mut store);
    commit_rejection(&mut store, &mail(Some("b@x.org"), &[], "two"), 2, &proposed("two@example.net"));
    store.approve(first, digest, at(3)).unwrap();
    let second = store.draft(2).unwrap();
    store.approve(second.id, second.digest, at(3)).unwrap();
    store.take(second.id, at(3)).unwrap();
    let copy = store.back_up(days(0)).unwrap().unwrap();
    // After the copy was made both leave, and a mail comes.
    store.take(first, at(4)).unwrap();
    store.record(first, DraftEvent::Accepted, "250 ok", at(4)).unwrap();
    store.record(second.id, DraftEvent::Accepted, "250 ok", at(4)).unwrap();
    commit_rejection(&mut store, &mail(Some("c@x.org"), &[], "three"), 3, &proposed("three@example.net"));
    drop(store);
    let sound = fs::read(home.path()).unwrap();
    fs::write(home.path(), &sound[..sound.len() / 2]).unwrap();

    let Some(StoreError::Corrupt { backup: Some(named), .. }) = Store::open(&home.path()).err() else {
        panic!("damage is found, and the way back named");
    };
    assert_eq!(named, copy);
    let said = Store::open(&home.path()).err().unwrap().to_string();
    assert!(said.contains(&format!("onward restore {}", copy.display())), "{said}");

    let done = restored(&home, &copy).unwrap();
    assert_eq!((done.asked_again.as_slice(), done.unconfirmed.as_slice()), (&[first][..], &[second.id][..]));
    let aside = done.aside.unwrap();
    assert_eq!(fs::read(&aside).unwrap().len(), sound.len() / 2, "what was there is not lost");
    let mut store = home.open();
    assert_eq!(store.counts().unwrap().messages, 2, "the mail that came since comes again");
    assert_eq!(store.cursor("home", "INBOX").unwrap().unwrap().last_uid, 2);
    assert_eq!(store.draft(first).unwrap().state, DraftState::Pending);
    assert_eq!(store.draft(second.id).unwrap().state, DraftState::Unconfirmed);
    assert!(store.take(first, at(101)).is_err() && store.take(second.id, at(101)).is_err(), "nothing leaves by itself");
    assert_eq!(fs::metadata(home.path()).unwrap().permissions().mode() & 0o777, 0o600);
    let said: String = home.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
}

#[test]
fn a_copy_that_is_damaged_is_passed_over_and_not_put_back() {
    let home = Home::new();
    let mut store = home.open();
    with_draft(&mut store);
    let older = store.back_up(days(0)).unwrap().unwrap();
    let newer = store.back_up(days(1)).unwrap().unwrap();
    drop(store);
    assert_eq!(last_good_backup(&home.path()), Some(newer.clone()));
    fs::write(&newer, b"").unwrap();
    assert_eq!(last_good_backup(&home.path()), Some(older));
    let before = fs::read(home.path()).unwrap();
    assert!(matches!(restored(&home, &newer), Err(StoreError::Corrupt { .. })));
    let nowhere = PathBuf::from("nowhere.db");
    assert!(matches!(restored(&home, &nowhere), Err(StoreError::Open { .. })));
    assert!(fs::read(home.path()).unwrap() == before, "nothing was put aside");
}

#[test]
fn a_database_that_got_lost_is_not_begun_anew_while_copies_are_there() {
    let home = Home::new();
    let store = home.open();
    let copy = store.back_up(days(0)).unwrap().unwrap();
    drop(store);
    fs::remove_file(home.path()).unwrap();
    for result in [Store::open(&home.path()), Store::open_to_read(&home.path())] {
        let error = result.err().expect("no empty database takes its place");
        assert!(matches!(&error, StoreError::Gone { backup, .. } if *backup == copy), "{error:?}");
        assert!(error.to_string().contains("onward restore "), "{error}");
    }
    assert!(!home.path().exists());
    restored(&home, &copy).unwrap();
    home.open();
    // Whoever means it moves the copies away.
    fs::remove_file(home.path()).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
    fs::rename(&copy, home.dir().join("elsewhere")).unwrap();
    home.open();
}
