//! One daemon for one state directory: a kernel lock on a file, gone with the process however it ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::open::make_private_dir;
use crate::clean;

/// The file in the state directory that is locked. Its content means nothing.
pub const LOCK_FILE: &str = "onward.lock";

/// The file that is locked while drafts are delivered, by the daemon or by a verb.
const OUTBOX_LOCK_FILE: &str = "outbox.lock";

/// Held by the process that watches mailboxes and sends. Dropping it lets another one in.
#[derive(Debug)]
pub struct Lock {
    /// Open for as long as the lock is held.
    file: File,
}

impl Drop for Lock {
    /// Closing the file is not enough at once: a program that this process is just starting has it open too, until it runs.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Why the lock could not be had. `onward run` ends with 75 (EX_TEMPFAIL) where it is held, with 74 (EX_IOERR) where it
/// cannot be had at all.
#[derive(Debug, thiserror::Error)]
pub enum AlreadyRunning {
    /// Another process holds it.
    #[error("another onward is already running on {}: stop it first, or let it do the work", clean::line(&.dir.display().to_string()))]
    Held {
        /// The state directory.
        dir: PathBuf,
    },
    /// The file could not be opened or locked.
    #[error("cannot lock {}: {reason}", clean::line(&.path.display().to_string()))]
    Unavailable {
        /// The lock file.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
}

impl Lock {
    /// Takes the lock of a state directory, which is made when missing. Does not wait.
    pub fn acquire(dir: &Path) -> Result<Lock, AlreadyRunning> {
        acquire(dir, LOCK_FILE)
    }

    /// Takes the lock under which drafts are delivered: whoever holds it is the only one that sends. Does not wait.
    pub fn acquire_outbox(dir: &Path) -> Result<Lock, AlreadyRunning> {
        acquire(dir, OUTBOX_LOCK_FILE)
    }

    /// Whether a daemon holds the lock of this state directory now.
    pub fn is_held(dir: &Path) -> bool {
        is_held(dir, LOCK_FILE)
    }

    /// Whether somebody delivers drafts of this state directory now.
    pub fn is_outbox_held(dir: &Path) -> bool {
        is_held(dir, OUTBOX_LOCK_FILE)
    }
}

fn is_held(dir: &Path, name: &str) -> bool {
    let Ok(file) = File::open(dir.join(name)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn acquire(dir: &Path, name: &str) -> Result<Lock, AlreadyRunning> {
    let path = dir.join(name);
    let unavailable = |reason: String| AlreadyRunning::Unavailable { path: path.clone(), reason };
    make_private_dir(dir).map_err(|e| unavailable(e.to_string()))?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|e| unavailable(e.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { file }),
        Err(TryLockError::WouldBlock) => Err(AlreadyRunning::Held { dir: dir.to_owned() }),
        Err(TryLockError::Error(e)) => Err(unavailable(e.to_string())),
    }
}
