//! Opening the database: file modes before the first byte, checks before the first statement.
//!
//! It must not repair: a file it cannot trust is reported and left as it is, because an empty one in its place would
//! draft a second reply to everything.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{
    Store,
    backup::last_good_backup,
    durably,
    error::{Result, StoreError},
    migrate,
};

/// How long a statement waits for another process. Writers here hold the lock for milliseconds; 5 s is a slow disk.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// First SQLite without the WAL-reset corruption (3.7.0 to 3.51.2), as `sqlite3_libversion_number` counts.
const SQLITE_MIN: i32 = 3_051_003;

/// Pages of the database kept in memory, in KiB: what one batch of mail touches, and no more.
const CACHE_KIB: i64 = 1024;

/// Statements kept prepared; there are about this many different ones.
const STATEMENTS_KEPT: usize = 64;

impl Store {
    /// Opens the database for the daemon and every verb that writes. Makes it, and its directory, when missing;
    /// brings an older schema up to date after a backup; refuses a damaged or newer one.
    pub fn open(path: &Path) -> Result<Store> {
        if !path.exists() {
            refuse_gone(path)?;
            create(path)?;
        }
        Store::open_existing(path)
    }

    /// [`Store::open`] for a file that is there.
    pub(super) fn open_existing(path: &Path) -> Result<Store> {
        refuse_public(path)?;
        let mut db = Connection::open_with_flags(path, flags()).map_err(|e| open_error(path, e))?;
        // Settings come last: setting WAL mode writes to the file.
        let sound = migrate::require_ours(&db).and_then(|()| check(&db)).and_then(|()| prepare(&db));
        sound.map_err(|e| corrupt(path, e))?;
        migrate::run(&mut db, Some(path))?;
        Ok(Store::new(db))
    }

    /// Opens the database for a verb that only looks: nothing is made, migrated or checked, and every write fails.
    pub fn open_to_read(path: &Path) -> Result<Store> {
        if !path.exists() {
            refuse_gone(path)?;
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        refuse_public(path)?;
        // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL database has to write its shared-memory file.
        let db = Connection::open_with_flags(path, flags()).map_err(|e| open_error(path, e))?;
        migrate::require_ours(&db).and_then(|()| prepare(&db)).map_err(|e| corrupt(path, e))?;
        db.execute_batch("PRAGMA query_only = ON")?;
        migrate::require_current(&db)?;
        Ok(Store::new(db))
    }

    /// Reads every page of the database once; changes nothing.
    pub fn check(&self) -> Result<()> {
        check(&self.db).map_err(|e| self.path().map_or(StoreError::Damaged, |path| corrupt(&path, e)))
    }

    /// A database that lives as long as the value: for dry runs.
    pub fn in_memory() -> Result<Store> {
        let mut db = Connection::open_in_memory()?;
        prepare(&db)?;
        migrate::run(&mut db, None)?;
        Ok(Store::new(db))
    }
}

/// No URI file names: a path is a path.
fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Makes a new database: directory 0700, file 0600 whatever the umask, before SQLite writes to it (`-wal` and `-shm`
/// take the mode of the database). It gets its name only when complete, so that an empty file of that name is damage
/// and never taken for a fresh start.
fn create(path: &Path) -> Result<()> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        make_private_dir(dir)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", uuid::Uuid::new_v4().simple()));
    let fresh = PathBuf::from(name);
    let made = create_private_file(&fresh)
        .map_err(|e| StoreError::Open { path: fresh.clone(), reason: e.to_string() })
        .and_then(|_| {
            let mut db = Connection::open_with_flags(&fresh, flags()).map_err(|e| open_error(&fresh, e))?;
            // Before the first table, or it says nothing: freed pages can be given back without rewriting the file.
            db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
            prepare(&db)?;
            migrate::run(&mut db, None)?;
            db.close().map_err(|(_, e)| StoreError::from(e))
        })
        // A link, not a rename: of two processes that start at once, the second must not replace the first one's file.
        .and_then(|()| {
            durably(|| match fs::hard_link(&fresh, path) {
                Err(e) if e.kind() != ErrorKind::AlreadyExists => {
                    Err(StoreError::Open { path: path.to_owned(), reason: e.to_string() })
                }
                _ => sync_dir(path),
            })
        });
    let _ = fs::remove_file(&fresh);
    made
}

/// Makes a new name durable: what is committed to a file whose name a power cut takes away is lost.
pub(super) fn sync_dir(path: &Path) -> Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|e| StoreError::Open { path: dir.to_owned(), reason: e.to_string() })
}

/// Makes a directory and its parents 0700; one that exists stays as it is.
pub(super) fn make_private_dir(dir: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|e| StoreError::Open { path: dir.to_owned(), reason: e.to_string() })
}

/// A new, empty file of mode 0600.
pub(super) fn create_private_file(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Refuses to go on without a database that has copies: an empty one in the place of one that got lost would draft a
/// second reply to everything.
fn refuse_gone(path: &Path) -> Result<()> {
    match last_good_backup(path) {
        Some(backup) => Err(StoreError::Gone { path: path.to_owned(), backup }),
        None => Ok(()),
    }
}

/// Refuses a file that group or others may read or write.
fn refuse_public(path: &Path) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|e| StoreError::Open { path: path.to_owned(), reason: e.to_string() })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StoreError::Permission { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Refuses a SQLite that may lose a write-ahead log: one that was linked in the place of the bundled one.
fn require_sqlite(number: i32) -> Result<()> {
    if number < SQLITE_MIN { Err(StoreError::OldSqlite { found: number }) } else { Ok(()) }
}

/// Settings of a connection.
fn prepare(db: &Connection) -> Result<()> {
    require_sqlite(rusqlite::version_number())?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // FULL, not NORMAL: an approval or `sending` that a power cut takes back could send a letter twice.
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA mmap_size = 0;",
    )?;
    // Negative: KiB, not pages.
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(())
}

/// Reads every page once.
pub(super) fn check(db: &Connection) -> Result<()> {
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Damaged) }
}

/// Names the file where opening found damage.
fn corrupt(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged => StoreError::Corrupt { path: path.to_owned(), backup: last_good_backup(path) },
        other => other,
    }
}

/// Names the file where opening failed.
fn open_error(path: &Path, error: rusqlite::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Io { .. } => {
            StoreError::Open { path: path.to_owned(), reason: "SQLite cannot open the file".into() }
        }
        other => corrupt(path, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sqlite_that_runs_is_one_that_keeps_its_log() {
        assert!(require_sqlite(rusqlite::version_number()).is_ok(), "{}", rusqlite::version());
        for (number, fine) in [(3_040_001, false), (3_051_002, false), (3_051_003, true), (3_054_001, true)] {
            assert_eq!(require_sqlite(number).is_ok(), fine, "{number}");
        }
        let said = require_sqlite(3_040_001).unwrap_err().to_string();
        assert!(said.contains("3.40.1") && said.contains("3.51.3"), "{said}");
        let store = Store::in_memory().unwrap();
        let linked: String = store.db.query_row("SELECT sqlite_version()", [], |row| row.get(0)).unwrap();
        assert_eq!(linked, rusqlite::version(), "the one that was asked is the one that works");
    }

    #[test]
    fn a_connection_is_durable_wipes_what_it_frees_and_maps_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("onward.db")).unwrap();
        let number = |name: &str| -> i64 {
            store.db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap_or_default()
        };
        for (name, value) in
            [("synchronous", 2), ("secure_delete", 1), ("mmap_size", 0), ("foreign_keys", 1), ("auto_vacuum", 2)]
        {
            assert_eq!(number(name), value, "{name}");
        }
    }
}
