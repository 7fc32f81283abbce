//! Copies of the database beside it: one for each day, and the way back from one.
//!
//! A copy gets its name only when it is complete and was read through once. It must not be made by copying the file:
//! what is not yet moved out of the write-ahead log would be missing.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::{Timestamp, tz::TimeZone};
use rusqlite::{Connection, OpenFlags};

use super::{
    Store,
    drafts::{Step, step},
    durably,
    error::{Result, StoreError},
    lock::Lock,
    migrate,
    open::{check, create_private_file, sync_dir},
    value::Word,
};
use crate::draft::{DraftEvent, DraftState};

/// Daily copies that are kept: a week is long enough to notice that something is wrong.
pub const BACKUPS_KEPT: usize = 7;

/// Between the database's name and the day of a daily copy.
const DAILY: &str = ".backup-";
/// Between the database's name and the number of the schema step that a copy was made before.
const BEFORE: &str = ".before-";
/// Between the database's name and the moment at which a database was put aside.
const ASIDE: &str = ".damaged-";
/// Between the database's name and what a copy is called while it is put back.
const RESTORED: &str = ".restored";
/// How the name of a copy ends until it is complete.
const PART: &str = "part";

/// What [`restore`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Where the database lies now that was there before; `None` where there was none.
    pub aside: Option<PathBuf>,
    /// Drafts whose approval was taken back: they may have left after the copy was made.
    pub asked_again: Vec<i64>,
    /// Drafts that were on their way when the copy was made.
    pub unconfirmed: Vec<i64>,
}

impl Store {
    /// Makes the copy of this day (UTC), mode 0600, and removes daily copies beyond [`BACKUPS_KEPT`]. `None` when it was
    /// made before, or for a database in memory. Older copies go only when the new one is good.
    pub fn back_up(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        let Some(path) = self.path() else { return Ok(None) };
        // The day is that of UTC: a change to summer time neither skips a copy nor makes two.
        let day = now.to_zoned(TimeZone::UTC).date();
        let copy = with_ending(&path, &format!("{DAILY}{day}"));
        if copy.exists() {
            return Ok(None);
        }
        copy_to(&self.db, &copy)?;
        let half_made = beside(&path, DAILY).into_iter().filter(|path| is_part(path));
        for old in named(&path, DAILY).into_iter().skip(BACKUPS_KEPT).chain(half_made) {
            fs::remove_file(&old).map_err(|e| unusable(&old, &e))?;
        }
        Ok(Some(copy))
    }

    /// The file of this database; `None` for one in memory.
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.db.path().filter(|path| !path.is_empty()).map(PathBuf::from)
    }
}

/// Copies a database as it is to a file that gets its name only when it is complete, durable and sound. It takes the
/// place of an older copy of that name.
pub(super) fn copy_to(db: &Connection, copy: &Path) -> Result<()> {
    let part = with_ending(copy, &format!(".{PART}"));
    let failed = |e: &io::Error| unusable(copy, e);
    let into = part.to_str().ok_or_else(|| StoreError::Open {
        path: copy.to_owned(),
        reason: "the path is not UTF-8, no backup can be made".into(),
    })?;
    remove(&part).map_err(|e| failed(&e))?;
    // VACUUM INTO takes an empty file that exists, so that the mode is right from the first byte.
    let file = create_private_file(&part).map_err(|e| failed(&e))?;
    let made = db.execute("VACUUM INTO ?1", [into]).map_err(StoreError::from).and_then(|_| sound(&part));
    let named =
        made.and_then(|()| durably(|| file.sync_all().and_then(|()| fs::rename(&part, copy)).map_err(|e| failed(&e))));
    if named.is_err() {
        let _ = fs::remove_file(&part);
    }
    named
}

/// The newest copy beside a database that is sound; what is found while looking is not reported.
pub fn last_good_backup(database: &Path) -> Option<PathBuf> {
    let mut copies: Vec<PathBuf> = [DAILY, BEFORE].iter().flat_map(|kind| named(database, kind)).collect();
    let modified = |path: &PathBuf| fs::metadata(path).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    copies.sort_by_key(|path| std::cmp::Reverse((modified(path), path.clone())));
    copies.into_iter().find(|copy| sound(copy).is_ok())
}

/// The daily copies beside a database, newest first.
pub fn daily_backups(database: &Path) -> Vec<PathBuf> {
    named(database, DAILY)
}

/// Every file that holds what a database held: copies, databases that were put aside, and what a power cut left half made.
pub(super) fn all_copies(database: &Path) -> Vec<PathBuf> {
    [DAILY, BEFORE, ASIDE, RESTORED].iter().flat_map(|kind| beside(database, kind)).collect()
}

/// Puts a copy in the place of the database; that one is put aside, never deleted. The locks prove that no daemon runs
/// and nobody delivers.
///
/// What happened after the copy was made is not in it. Mail comes again, because the cursors went back with it; a reply
/// may have left meanwhile, so that no approval in the copy counts any more.
pub fn restore(database: &Path, copy: &Path, _running: &Lock, _outbox: &Lock, now: Timestamp) -> Result<Restored> {
    sound(copy)?;
    let part = with_ending(database, &format!("{RESTORED}.{PART}"));
    for leftover in [part.clone(), with_ending(&part, "-wal"), with_ending(&part, "-shm")] {
        remove(&leftover).map_err(|e| unusable(&leftover, &e))?;
    }
    let copied = File::open(copy).and_then(|mut from| {
        let mut file = create_private_file(&part)?;
        io::copy(&mut from, &mut file)?;
        file.sync_all()
    });
    copied.map_err(|e| unusable(&part, &e))?;
    let mut store = Store::open_existing(&part)?;
    let asked_again = step_all(&mut store, DraftState::Approved, DraftEvent::Lapse, now)?;
    let unconfirmed = step_all(&mut store, DraftState::Sending, DraftEvent::Lost, now)?;
    // Closing the only connection empties the write-ahead log into the file.
    store.db.close().map_err(|(_, e)| StoreError::from(e))?;
    let aside = put_aside(database, now)?;
    durably(|| fs::rename(&part, database).map_err(|e| unusable(database, &e)))?;
    sync_dir(database)?;
    Ok(Restored { aside, asked_again, unconfirmed })
}

/// Moves every draft in a state by one event.
fn step_all(store: &mut Store, state: DraftState, event: DraftEvent, now: Timestamp) -> Result<Vec<i64>> {
    let tx = store.begin()?;
    let drafts: Vec<i64> = tx
        .prepare_cached("SELECT draft FROM draft_now WHERE state = ?1 ORDER BY draft")?
        .query_map([Word(state)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let remark = "the log was put back from a backup; it may have left after that was made";
    for draft in &drafts {
        step(&tx, &Step { remark, ..Step::new(*draft, event, now) })?;
    }
    tx.commit()?;
    Ok(drafts)
}

/// Renames a database and its companions. The log goes first: beside another database it would be taken for its own.
fn put_aside(database: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    let aside = with_ending(database, &format!("{ASIDE}{}", now.strftime("%Y%m%dT%H%M%SZ")));
    for companion in ["-wal", "-shm"] {
        durably(|| rename(&with_ending(database, companion), &with_ending(&aside, companion)))?;
    }
    Ok(durably(|| rename(database, &aside))?.then_some(aside))
}

/// Renames a file; whether there was one.
fn rename(from: &Path, to: &Path) -> Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(unusable(from, &e)),
    }
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Reads a copy through without changing it.
fn sound(copy: &Path) -> Result<()> {
    let corrupt = |_| StoreError::Corrupt { path: copy.to_owned(), backup: None };
    fs::metadata(copy).map_err(|e| unusable(copy, &e))?;
    let db = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| corrupt(e.into()))?;
    migrate::require_ours(&db).and_then(|()| check(&db)).map_err(corrupt)
}

/// Complete files beside a database whose name is its name with `kind` and more, in falling order of their names.
fn named(database: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found = beside(database, kind);
    found.retain(|path| !is_part(path));
    found
}

/// Whether a copy never came to its end.
fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == PART)
}

/// [`named`], what is half made included.
fn beside(database: &Path, kind: &str) -> Vec<PathBuf> {
    let (Some(dir), Some(name)) = (database.parent(), database.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let prefix = format!("{name}{kind}");
    let mut found: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.starts_with(&prefix))
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found.reverse();
    found
}

/// The path with more at the end of its name.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn unusable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Open { path: path.to_owned(), reason: error.to_string() }
}
