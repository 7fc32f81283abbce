//! Bringing a database to the schema of this program: numbered files, each in one transaction with its number.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{
    backup::copy_to,
    durably,
    error::{Result, StoreError},
};

/// Every migration, in order; the first one brings `user_version` to 1. Released ones are never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_lessons.sql"),
    include_str!("migrations/0003_answers.sql"),
];

/// `PRAGMA application_id` of an Onward database: `Onwd` in ASCII.
const APPLICATION_ID: i32 = 0x4f6e_7764;

/// The schema this program knows.
fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Applies what is missing. `path` is where a backup goes beside; `None` for a database in memory or a new one.
pub(super) fn run(db: &mut Connection, path: Option<&Path>) -> Result<()> {
    apply(db, path, MIGRATIONS)
}

fn apply(db: &mut Connection, path: Option<&Path>, migrations: &[&str]) -> Result<()> {
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    let found = version(db)?;
    refuse_newer(found, known)?;
    if found == known {
        return Ok(());
    }
    if let Some(path) = path {
        back_up(db, path, found)?;
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again under the lock: another process may have migrated meanwhile.
    let found = version(&tx)?;
    refuse_newer(found, known)?;
    for (migration, number) in migrations.iter().zip(1u32..).filter(|(_, number)| *number > found) {
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "user_version", number)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    durably(|| Ok(tx.commit()?))
}

/// Refuses a file that is empty or belongs to another program.
pub(super) fn require_ours(db: &Connection) -> Result<()> {
    let id: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if id == APPLICATION_ID && version(db)? > 0 { Ok(()) } else { Err(StoreError::Damaged) }
}

/// Refuses every schema but this program's.
pub(super) fn require_current(db: &Connection) -> Result<()> {
    let found = version(db)?;
    refuse_newer(found, known())?;
    if found < known() {
        return Err(StoreError::OlderSchema { found, known: known() });
    }
    Ok(())
}

fn version(db: &Connection) -> Result<u32> {
    Ok(db.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn refuse_newer(found: u32, known: u32) -> Result<()> {
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    Ok(())
}

/// Copies the database as it is to `<name>.before-<first number applied>`: the state just before the step is the one worth
/// going back to.
fn back_up(db: &Connection, path: &Path, found: u32) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-{}", found + 1));
    copy_to(db, Path::new(&name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const FIRST: &str = "CREATE TABLE t (x INTEGER NOT NULL) STRICT; INSERT INTO t VALUES (7);";
    const SECOND: &str = "ALTER TABLE t ADD COLUMN y INTEGER NOT NULL DEFAULT 0;";

    fn x(path: &Path) -> i64 {
        Connection::open(path).unwrap().query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_step_is_taken_once_after_a_private_and_complete_backup() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("onward.db"), dir.path().join("onward.db.before-2"));
        let mut db = Connection::open(&path).unwrap();
        apply(&mut db, None, &[FIRST]).unwrap();
        assert_eq!(version(&db).unwrap(), 1);
        for _ in 0..2 {
            apply(&mut db, Some(&path), &[FIRST, SECOND]).unwrap();
            assert_eq!(version(&db).unwrap(), 2);
            require_ours(&db).unwrap();
        }
        assert_eq!(version(&Connection::open(&copy).unwrap()).unwrap(), 1);
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        db.execute_batch("UPDATE t SET x = 8").unwrap();
        assert_eq!((x(&copy), x(&path)), (7, 8));
        back_up(&db, &path, 1).unwrap();
        assert_eq!(x(&copy), 8);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no half copy is left");
        assert!(matches!(apply(&mut db, None, &[FIRST]), Err(StoreError::NewerSchema { found: 2, known: 1 })));
    }

    #[test]
    fn a_step_that_fails_half_way_leaves_the_old_schema() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("onward.db");
        let mut db = Connection::open(&path).unwrap();
        apply(&mut db, None, &[FIRST]).unwrap();
        let broken = format!("{SECOND} INSERT INTO nowhere VALUES (1);");
        assert!(apply(&mut db, Some(&path), &[FIRST, &broken]).is_err());
        assert_eq!(version(&db).unwrap(), 1);
        assert!(db.prepare("SELECT y FROM t").is_err());
        apply(&mut db, Some(&path), &[FIRST, SECOND]).unwrap();
        assert!(db.prepare("SELECT y FROM t").is_ok());
    }
}
