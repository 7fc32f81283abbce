//! A full disk at every point where something is written: nothing is half done, nothing is damaged, and all of it goes on
//! as soon as there is room.

use std::process::Command;

use onward::{
    draft::DraftEvent,
    io::store::{Attempt, Place, Rewrite, Store, StoreError},
    outcome::{Category, Origin},
    sync::Cursor,
};
use rusqlite::types::Value;

use super::fixture::{
    ACCOUNT, Home, at, commit_rejection, envelope, mail, new_outcome, note, outcome, plain, proposed, verdict,
};
use crate::support::skipped;

/// One thing the store is asked to do.
type Step = fn(&mut Store) -> Result<(), StoreError>;

/// The steps of a life with everything the store can be asked to write. Each is one transaction, and can be asked again
/// when it was refused.
const STEPS: &[(&str, Step)] = &[
    ("first look", |store| store.advance_cursor(ACCOUNT, "INBOX", end(0), at(0)).map(drop)),
    ("attempt", |store| store.begin_attempt(place(1), at(1)).map(drop)),
    ("failed attempt", |store| store.fail_attempt(place(1), "no body", at(1)).map(drop)),
    ("no", |store| commit(store, 1)),
    ("second no", |store| commit(store, 2)),
    ("third no", |store| commit(store, 3)),
    ("other mail", |store| {
        store.commit(&plain(&mail(Some("bill@x"), &["a@x"], "bill"), &verdict(Category::Unrelated), 4), None).map(drop)
    }),
    ("approval", |store| {
        let digest = store.draft(1)?.digest;
        store.approve(1, digest, at(10))
    }),
    ("take", |store| store.take(1, at(11)).map(drop)),
    ("sent", |store| store.record(1, DraftEvent::Accepted, "250 ok", at(12)).map(drop)),
    ("edit", |store| {
        let letter = vec![b'x'; 20_000];
        let rewrite =
            Rewrite { envelope: &envelope(Some("ada@example.org")), message_id: "b@x", bytes: &letter, cautions: &[] };
        store.edit(2, rewrite, at(13)).map(drop)
    }),
    ("discard", |store| store.discard(3, at(14)).map(drop)),
    ("restore", |store| store.restore(3, at(15)).map(drop)),
    ("correction", |store| {
        let new = outcome(Category::Interview, "Example Bakery Ltd");
        store.supersede(3, new_outcome(&new, Origin::Person), None, None, at(16)).map(drop)
    }),
    ("undo", |store| store.undo(3, at(17)).map(drop)),
    ("told", |store| store.mark_told(&[1], "person", at(18))),
    ("note", |store| store.add_note(2, &note("other"), at(19))),
    ("verdict", |store| store.add_classification(2, &verdict(Category::Offer), at(20))),
    ("entry by hand", |store| {
        store.add_outcome(new_outcome(&outcome(Category::Offer, "Northgate Mills"), Origin::Person), at(21)).map(drop)
    }),
    ("renumbering", |store| store.reset_cursor(ACCOUNT, "INBOX", Cursor { uid_validity: 2, last_uid: 1 }, at(22))),
    ("gone", |store| store.vanished(Place { uid_validity: 2, ..place(9) }, at(23))),
    ("purge", |store| store.purge_raw(at(2), at(24)).map(drop)),
];

fn end(last_uid: u32) -> Cursor {
    Cursor { uid_validity: 1, last_uid }
}

fn place(uid: u32) -> Place<'static> {
    Place { account: ACCOUNT, mailbox: "INBOX", uid_validity: 1, uid }
}

fn commit(store: &mut Store, uid: u32) -> Result<(), StoreError> {
    let (message, draft) = (mail(Some(&format!("no{uid}@x.org")), &["a@x"], "one"), proposed(&format!("re{uid}@x")));
    let (verdict, outcome) = (verdict(Category::Rejection), outcome(Category::Rejection, "Example Bakery Ltd"));
    let ingest = onward::io::store::Ingest {
        raw: &[b'm'; 30_000],
        outcome: Some(new_outcome(&outcome, Origin::Rules)),
        draft: Some(&draft),
        note: Some(&note("n")),
        ..plain(&message, &verdict, uid)
    };
    store.commit(&ingest, Some(end(uid))).map(drop)
}

/// Every row of every table.
fn rows(home: &Home) -> Vec<String> {
    let db = home.sql();
    let tables: Vec<String> = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<Value> = (0..columns).map(|column| row.get(column).unwrap()).collect();
            found.push(format!("{table} {values:?}"));
        }
    }
    found.sort();
    found
}

fn assert_sound(home: &Home, when: &str) {
    let said: String = home.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok", "{when}");
}

/// No page more for the database: at each step of the life, and at each page that the step asks for.
#[test]
fn a_full_database_rolls_every_step_back_and_goes_on_with_room() {
    let mut refused = 0;
    let home = Home::new();
    let mut store = home.open();
    for (name, step) in STEPS {
        for pages in 0.. {
            assert!(pages < 200, "{name} never fits");
            let before = rows(&home);
            store.limit_growth(Some(pages)).unwrap();
            let done = step(&mut store);
            store.limit_growth(None).unwrap();
            match done {
                Ok(()) => break,
                Err(StoreError::Full) => refused += 1,
                Err(other) => panic!("{name} with {pages} pages: {other:?}"),
            }
            assert_eq!(rows(&home), before, "{name} with {pages} pages left something");
            assert_sound(&home, name);
        }
    }
    assert!(refused > 20, "only {refused} steps met the end of the disk");
    assert_eq!(rows(&home), undisturbed());
}

/// The end of a life in which the disk was never full.
fn undisturbed() -> Vec<String> {
    let home = Home::new();
    let mut store = home.open();
    for (name, step) in STEPS {
        step(&mut store).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    drop(store);
    rows(&home)
}

/// Set in the process that lives the life on a short disk.
const PLAY: &str = "ONWARD_TEST_LIFE_ON_A_SHORT_DISK";

/// Not a test by itself: how long a file may be is the whole process's, so the life is lived in one of its own.
#[test]
fn live_on_a_short_disk() {
    let Some(path) = std::env::var_os(PLAY) else { return };
    let done = Store::open(path.as_ref()).map(|mut store| {
        let taken = STEPS.iter().position(|(_, step)| step(&mut store).is_err());
        let error = taken.and_then(|n| STEPS[n].1(&mut store).err());
        (taken.unwrap_or(STEPS.len()), error)
    });
    // On a line of its own, whatever the harness has begun.
    match done {
        Ok((steps, error)) => println!("\nsteps {steps} {}", error.is_none_or(|e| e.is_of_disk())),
        Err(error) => println!("\nsteps 0 {} {error}", error.is_of_disk() || matches!(error, StoreError::Open { .. })),
    }
}

/// No byte more for any file, the write-ahead log among them, from the first to the last that is written.
#[test]
fn a_disk_that_is_full_at_any_byte_leaves_whole_steps_and_a_sound_database() {
    /// One frame of the write-ahead log is a little more.
    const STEP_BYTES: u64 = 4096;
    let expected = undisturbed();
    let (mut limit, mut ends) = (0, std::collections::BTreeSet::new());
    loop {
        let home = Home::new();
        drop(home.open());
        // The signal for a file that is too long would end the process; SQLite is to get the error.
        let script = r#"trap '' XFSZ; exec prlimit --fsize="$0": "$@""#;
        let output = Command::new("sh")
            .args(["-c", script, &limit.to_string()])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "store::full::live_on_a_short_disk", "--nocapture", "--test-threads=1"])
            .env(PLAY, home.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some(line) = said.lines().find_map(|line| line.strip_prefix("steps ")) else {
            if output.status.code() == Some(127) {
                skipped("prlimit not found: apt-get install util-linux");
                return;
            }
            panic!("{limit} bytes: {said}{}", String::from_utf8_lossy(&output.stderr));
        };
        let (steps, of_disk) = line.split_once(' ').unwrap();
        let steps: usize = steps.parse().unwrap();
        assert!(of_disk.starts_with("true"), "{limit} bytes: {line}");

        let mut store = home.open();
        assert_sound(&home, &format!("{limit} bytes"));
        for (name, step) in &STEPS[steps..] {
            step(&mut store).unwrap_or_else(|error| panic!("{limit} bytes, then {name}: {error}"));
        }
        drop(store);
        assert_eq!(rows(&home), expected, "{limit} bytes");
        ends.insert(steps);
        if steps == STEPS.len() {
            break;
        }
        limit += STEP_BYTES;
        assert!(limit < 8 << 20, "it never fits");
    }
    assert!(ends.len() > STEPS.len() / 2, "the disk was full at few different steps: {ends:?}");
}

/// A message is given up when it is at fault, and not when the disk is.
#[test]
fn a_full_disk_is_no_attempt_at_a_message() {
    let home = Home::new();
    let mut store = home.open();
    for _ in 0..10 {
        assert_eq!(store.begin_attempt(place(1), at(1)).unwrap(), Attempt::Try { number: 1 });
        store.limit_growth(Some(0)).unwrap();
        assert!(matches!(commit(&mut store, 1), Err(StoreError::Full)));
        store.limit_growth(None).unwrap();
    }
    for number in 1..=3 {
        assert_eq!(store.begin_attempt(place(1), at(2)).unwrap(), Attempt::Try { number }, "then it counts again");
    }
    assert_eq!(store.begin_attempt(place(1), at(3)).unwrap(), Attempt::Quarantined);
}

#[test]
fn a_rehearsal_fails_while_there_is_no_room_and_leaves_nothing() {
    let home = Home::new();
    let mut store = home.open();
    commit_rejection(&mut store, &mail(Some("no@x.org"), &[], "one"), 1, &proposed("re@x"));
    let before = rows(&home);
    store.limit_growth(Some(3)).unwrap();
    for _ in 0..3 {
        assert!(matches!(store.rehearse(at(2)), Err(StoreError::Full)));
    }
    store.limit_growth(None).unwrap();
    store.rehearse(at(3)).unwrap();
    store.rehearse(at(4)).unwrap();
    assert_eq!(rows(&home), before);
}
