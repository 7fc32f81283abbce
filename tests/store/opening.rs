//! Opening: modes, locks, schemas, damage.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use onward::io::store::{AlreadyRunning, Db, Lock, Store, StoreError};

use super::fixture::{Home, mail, plain, verdict};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn error(result: Result<Store, StoreError>) -> StoreError {
    result.err().expect("opening must fail")
}

#[test]
fn a_new_database_is_private_and_durable() {
    let home = Home::new();
    let mut store = home.open();
    let (message, verdict) = (mail(Some("a@b"), &[], ""), verdict(onward::outcome::Category::Unrelated));
    store.commit(&plain(&message, &verdict, 1), None).unwrap();
    assert_eq!(mode(home.path().parent().unwrap()), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(home.path().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 3, "the database, its log and its index");
    assert_eq!(home.number("PRAGMA user_version"), 3);
    let journal: String = home.sql().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(journal, "wal");
}

#[test]
fn every_table_is_strict() {
    let home = Home::new();
    drop(home.open());
    let loose = home.number(
        "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
    );
    assert_eq!(loose, 0);
    assert!(home.number("SELECT count(*) FROM pragma_table_list WHERE strict = 1") >= 12);
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_fix() {
    let home = Home::new();
    drop(home.open());
    for bits in [0o640, 0o604, 0o660] {
        fs::set_permissions(home.path(), Permissions::from_mode(bits)).unwrap();
        for result in [Store::open(&home.path()), Store::open_to_read(&home.path())] {
            let error = error(result);
            assert!(matches!(error, StoreError::Permission { mode, .. } if mode == bits));
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }
    fs::set_permissions(home.path(), Permissions::from_mode(0o600)).unwrap();
    home.open();
}

#[test]
fn damage_is_named_and_left_untouched() {
    let home = Home::new();
    let mut store = home.open();
    let verdict = verdict(onward::outcome::Category::Unrelated);
    for uid in 1..200 {
        let message = mail(Some(&format!("{uid}@b")), &[], "x");
        store.commit(&plain(&message, &verdict, uid), None).unwrap();
    }
    drop(store);
    let sound = fs::read(home.path()).unwrap();
    let garbled: Vec<u8> = sound.iter().enumerate().map(|(i, byte)| if i >= 4096 { !*byte } else { *byte }).collect();
    let cases: [(&str, Vec<u8>); 5] = [
        ("garbled pages", garbled),
        ("cut short", sound[..sound.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("no database", b"not a database, but long enough to have a header of its own".repeat(20)),
        ("another program's database", foreign(&home)),
    ];
    for (name, bytes) in cases {
        fs::write(home.path(), &bytes).unwrap();
        let error = error(Store::open(&home.path()));
        assert!(matches!(error, StoreError::Corrupt { .. }), "{name}: {error}");
        assert!(fs::read(home.path()).unwrap() == bytes, "{name}: the file was changed");
    }
    fs::write(home.path(), &sound).unwrap();
    assert_eq!(home.open().counts().unwrap().messages, 199);
}

/// A sound SQLite file that is not ours.
fn foreign(home: &Home) -> Vec<u8> {
    let path = home.dir().join("foreign.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1").unwrap();
    drop(db);
    fs::read(path).unwrap()
}

#[test]
fn another_schema_is_refused_and_not_touched() {
    let home = Home::new();
    drop(home.open());
    home.sql().pragma_update(None, "user_version", 99).unwrap();
    for result in [Store::open(&home.path()), Store::open_to_read(&home.path())] {
        let error = error(result);
        assert!(matches!(error, StoreError::NewerSchema { found: 99, .. }), "{error}");
    }
    assert_eq!(home.number("PRAGMA user_version"), 99);
}

#[test]
fn a_reader_reads_beside_the_daemon_and_cannot_write() {
    let home = Home::new();
    assert!(matches!(error(Store::open_to_read(&home.path())), StoreError::Missing { .. }));
    assert!(!home.path().exists());
    let mut daemon = home.open();
    let mut reader = Store::open_to_read(&home.path()).unwrap();
    let (message, verdict) = (mail(Some("a@b"), &[], ""), verdict(onward::outcome::Category::Unrelated));
    daemon.commit(&plain(&message, &verdict, 1), None).unwrap();
    assert_eq!(reader.counts().unwrap().messages, 1);
    let refused = reader.commit(&plain(&message, &verdict, 2), None).unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly), "{refused:?}");
}

#[test]
fn many_processes_may_start_at_once() {
    let home = Home::new();
    let path = home.path();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Store::open(&path).map(drop).unwrap());
        }
    });
    // Two connections that close at the same moment may leave `-wal` and `-shm` behind; that is SQLite's business.
    let names = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().contains(".new-")), "a half-made file is left");
    assert_eq!(home.open().counts().unwrap().messages, 0);
}

#[test]
fn a_second_daemon_is_refused_until_the_first_is_gone() {
    let home = Home::new();
    let first = Lock::acquire(home.dir()).unwrap();
    let refused = Lock::acquire(home.dir()).unwrap_err();
    assert!(matches!(refused, AlreadyRunning::Held { .. }));
    assert!(refused.to_string().contains("already running"));
    drop(first);
    Lock::acquire(home.dir()).unwrap();
    assert_eq!(mode(&home.dir().join(onward::io::store::LOCK_FILE)), 0o600);
}

#[test]
fn a_busy_database_is_waited_for_and_then_said_to_be_busy() {
    let home = Home::new();
    let mut store = home.open();
    let verdict = verdict(onward::outcome::Category::Rejection);
    let other = home.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = std::time::Instant::now();
    let message = mail(Some("a@b"), &[], "");
    let refused = store.commit(&plain(&message, &verdict, 1), None).unwrap_err();
    assert!(matches!(refused, StoreError::Busy), "{refused:?}");
    assert!(started.elapsed() >= onward::io::store::BUSY_TIMEOUT - std::time::Duration::from_millis(500));
    other.execute_batch("ROLLBACK").unwrap();
    store.commit(&plain(&message, &verdict, 1), None).unwrap();
}

#[test]
fn async_callers_share_one_store_and_a_panic_does_not_lock_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let db = Db::new(Store::in_memory().unwrap());
        let panicked = db.call(|_| -> Result<(), StoreError> { panic!("on purpose") }).await;
        assert!(matches!(panicked, Err(StoreError::Panicked)));
        let tasks: Vec<_> = (1..=20)
            .map(|uid| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.call(move |store| {
                        let message = mail(Some(&format!("{uid}@b")), &[], "");
                        let verdict = verdict(onward::outcome::Category::Unrelated);
                        store.commit(&plain(&message, &verdict, uid), None)
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(db.call(|store| store.counts()).await.unwrap().messages, 20);
    });
}
