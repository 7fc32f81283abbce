//! What can go wrong with the database, in words for the person. Nothing here may carry SQL or text of a mail.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::{clean, draft::NotAllowed};

/// Why the store did not do what it was asked. Nothing was changed when one of these is returned, except for
/// [`StoreError::Lapsed`], which says what it did.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database for longer than the wait.
    #[error("the database is busy: another onward process holds it; try again")]
    Busy,
    /// No space left.
    #[error("the disk is full: nothing was stored; free some space, onward goes on by itself")]
    Full,
    /// The directory of the database cannot be written.
    #[error("{} cannot be written ({reason}): nothing is read or sent until it can", shown(.path))]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// The file system or the file refuses writing.
    #[error("the database cannot be written: the file or its file system is read-only")]
    ReadOnly,
    /// The operating system reported an error.
    #[error("the database could not be read or written: input/output error (SQLite code {code})")]
    Io {
        /// SQLite's extended result code.
        code: i32,
    },
    /// The file is damaged, or no database.
    #[error("{} is damaged or is no onward database; it was left as it is. {}", shown(.path), way_back(.backup.as_deref()))]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// The newest sound copy beside it.
        backup: Option<PathBuf>,
    },
    /// There are copies of the database, but it is not there itself.
    #[error(
        "{} is gone, and no empty one was made in its place, because copies of it are there. {} \
         To begin anew, move them away",
        shown(.path), way_back(Some(.backup))
    )]
    Gone {
        /// The database.
        path: PathBuf,
        /// The newest sound copy beside it.
        backup: PathBuf,
    },
    /// Another SQLite was linked in the place of the bundled one.
    #[error(
        "SQLite {} can damage a database (fixed in 3.51.3): build onward with the SQLite that comes with it",
        dotted(*.found)
    )]
    OldSqlite {
        /// `sqlite3_libversion_number`.
        found: i32,
    },
    /// Damage met while working.
    #[error("the database is damaged: stop onward, then `onward restore` puts the last good backup back")]
    Damaged,
    /// A newer onward wrote it.
    #[error(
        "the database has schema {found}, this onward knows {known}: use the newer onward, or put back the backup it made"
    )]
    NewerSchema {
        /// `user_version` of the file.
        found: u32,
        /// The last schema this program knows.
        known: u32,
    },
    /// An older onward wrote it, and it was opened for reading.
    #[error("the database has the older schema {found}: start `onward run` or `onward once` to bring it to {known}")]
    OlderSchema {
        /// `user_version` of the file.
        found: u32,
        /// The last schema this program knows.
        known: u32,
    },
    /// Others may read the file.
    #[error("{} can be read by others (mode {mode:03o}): run `chmod 600 {}`", shown(.path), shown(.path))]
    Permission {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file or its directory could not be opened or made.
    #[error("cannot open {}: {reason}", shown(.path))]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// There is no database yet.
    #[error("there is no database at {} yet: run `onward once` or start the daemon", shown(.path))]
    Missing {
        /// Where it was expected.
        path: PathBuf,
    },
    /// No such row.
    #[error("there is no {what} {id}{}", list_of(what))]
    NotFound {
        /// `item` (an outcome, as the person calls it), `draft`, `message`.
        what: &'static str,
        /// The number asked for.
        id: i64,
    },
    /// What was approved is not what the draft is now.
    #[error("the draft has changed since it was shown: look at it again and approve that")]
    StaleDigest,
    /// The states of a draft do not allow the step.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The event has a method of its own that checks more.
    #[error("`{event}` cannot be recorded by itself")]
    NotByItself {
        /// The event's name.
        event: &'static str,
    },
    /// There is no address to send to.
    #[error("the draft has no reachable address: name a recipient first")]
    NoRecipient,
    /// A caution forbids approval.
    #[error("the draft cannot be approved while `{code}` holds: change it first")]
    Stopped {
        /// The caution's code.
        code: String,
    },
    /// Another draft for the same outcome is on its way or out.
    #[error("draft {other} already answers this mail: there is one reply to a mail, never two")]
    OtherDraft {
        /// The other draft.
        other: i64,
    },
    /// The approval was too old or a mail came in after it; the draft is pending again.
    #[error("{why}: the approval no longer counts, look at the draft again")]
    Lapsed {
        /// What made it lapse.
        why: Lapse,
    },
    /// There is nothing before this outcome.
    #[error("item {id} was never corrected: there is nothing to take back")]
    NothingToUndo {
        /// The outcome.
        id: i64,
    },
    /// A value in the database that this program does not know.
    #[error("the database holds a value this onward does not know: another program or a newer onward changed it")]
    UnknownValue,
    /// A mistake in this program, which ended the work with a panic; its transaction was rolled back.
    #[error("a mistake in onward stopped this step; please report it with the lines before this one")]
    Panicked,
    /// A mistake in this program.
    #[error("internal database error (SQLite code {code}); please report it")]
    Internal {
        /// SQLite's extended result code; 0 where it has none.
        code: i32,
    },
}

/// Why an approval no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lapse {
    /// Older than [`super::APPROVAL_AGE_MAX`].
    #[error("the approval is older than 48 hours")]
    TooOld,
    /// A mail of the same thread was stored after the approval.
    #[error("another mail of this thread came in after the approval")]
    NewMail,
}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    /// Whether a message that could not be stored is without fault: the disk was, or another process held the log.
    pub fn spares_the_message(&self) -> bool {
        self.is_of_disk() || matches!(self, StoreError::Busy)
    }

    /// Whether the disk or the file system is at fault: trying the same again is no use before that has changed, and
    /// what cannot be logged is not fetched.
    pub fn is_of_disk(&self) -> bool {
        matches!(self, StoreError::Full | StoreError::ReadOnly | StoreError::Io { .. } | StoreError::Unwritable { .. })
    }
}

impl From<rusqlite::Error> for StoreError {
    /// Keeps the code and drops the text: SQLite's messages quote SQL.
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::Error as E;
        if matches!(error, E::FromSqlConversionFailure(..) | E::InvalidColumnType(..) | E::IntegralValueOutOfRange(..))
        {
            return StoreError::UnknownValue;
        }
        let code = error.sqlite_error().map_or(0, |e| e.extended_code);
        match error.sqlite_error_code() {
            // SQLITE_PROTOCOL: the WAL lock was lost in a race for many seconds on end.
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                StoreError::Busy
            }
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => StoreError::Io { code },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged,
            _ => StoreError::Internal { code },
        }
    }
}

/// How to go on from the last good copy.
fn way_back(backup: Option<&Path>) -> String {
    match backup {
        Some(backup) => format!("Put the last good backup back: `onward restore {}`.", shown(backup)),
        None => "No backup lies beside it; put back one of your own: `onward restore FILE`.".to_owned(),
    }
}

/// A SQLite version as people write it.
fn dotted(number: i32) -> String {
    format!("{}.{}.{}", number / 1_000_000, number / 1000 % 1000, number % 1000)
}

/// Where the numbers of such things are found.
fn list_of(what: &str) -> &'static str {
    match what {
        "item" => ": `onward list --all` shows the numbers",
        "draft" => ": `onward draft list --all` shows the numbers",
        _ => "",
    }
}

/// A path for the person: one clean line.
fn shown(path: &Path) -> String {
    clean::line(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_the_disk_refuses_is_told_from_what_is_damaged_or_busy() {
        for (code, of_disk, says) in [
            (ffi::SQLITE_FULL, true, "free some space"),
            (ffi::SQLITE_READONLY, true, "read-only"),
            (ffi::SQLITE_READONLY_DBMOVED, true, "read-only"),
            (ffi::SQLITE_IOERR_WRITE, true, "input/output error"),
            (ffi::SQLITE_IOERR_FSYNC, true, "input/output error"),
            (ffi::SQLITE_IOERR_READ, true, "input/output error"),
            (ffi::SQLITE_CANTOPEN, true, "input/output error"),
            (ffi::SQLITE_BUSY, false, "try again"),
            (ffi::SQLITE_BUSY_SNAPSHOT, false, "try again"),
            (ffi::SQLITE_CORRUPT, false, "onward restore"),
            (ffi::SQLITE_NOTADB, false, "onward restore"),
            (ffi::SQLITE_CONSTRAINT, false, "report"),
        ] {
            let text = Some("UPDATE message SET subject = 'canary'".to_owned());
            let error = StoreError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), text));
            assert_eq!(error.is_of_disk(), of_disk, "{error:?}");
            assert!(error.to_string().contains(says) && !error.to_string().contains("canary"), "{error}");
        }
    }
}
