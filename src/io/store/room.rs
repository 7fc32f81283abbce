//! Whether there is room to write: asked before mail is fetched and before a reply leaves, because what cannot be logged
//! must not happen. It must not wait: whoever asks decides when to ask again.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::params;
use rustix::fs::{Access, access, statvfs};

use super::{
    Store,
    error::{Result, StoreError},
    value::At,
};

/// Space below which nothing is fetched or sent, in bytes: a batch of mail with its write-ahead log, and the backup of a
/// day for most people. Other programs need some too.
pub const FREE_MIN: u64 = 32 << 20;
/// What a rehearsal writes, in bytes: a few pages more than an ordinary mail needs.
const REHEARSAL_BYTES: u32 = 64 << 10;

/// Whether the directory of a database can be written and has room, as far as that can be told without writing.
pub fn room(database: &Path) -> Result<()> {
    let Some(dir) = database.parent().filter(|dir| dir.exists()) else { return Ok(()) };
    access(dir, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|e| StoreError::Unwritable { path: dir.to_owned(), reason: e.to_string() })?;
    match free(dir) {
        Some(free) if free < FREE_MIN => Err(StoreError::Full),
        _ => Ok(()),
    }
}

/// Free space for this user on the file system of a directory, in bytes; `None` where it does not say.
pub fn free(dir: &Path) -> Option<u64> {
    let stat = statvfs(dir).ok().filter(|stat| stat.f_blocks > 0)?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

impl Store {
    /// Whether there is room for more; a database in memory always has some.
    pub fn require_room(&self) -> Result<()> {
        self.path().map_or(Ok(()), |path| room(&path))
    }

    /// Lets the database grow by so many pages and no further, as a full disk does; `None` gives it all room again. For
    /// tests: nothing in the program calls it.
    #[doc(hidden)]
    pub fn limit_growth(&self, pages: Option<u32>) -> Result<()> {
        let now: u32 = self.db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let most = pages.map_or(u32::MAX >> 1, |pages| now + pages);
        Ok(self.db.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()))?)
    }

    /// Writes as much as a mail needs and takes it away again: after an error of the disk, the proof that it is over.
    pub fn rehearse(&mut self, now: Timestamp) -> Result<()> {
        self.require_room()?;
        let tx = self.begin()?;
        // No account has an empty name, and the row never leaves this transaction.
        tx.execute(
            "INSERT INTO quarantine (account, mailbox, uid_validity, uid, reason, tried_at)
             VALUES ('', '', 0, 1, hex(zeroblob(?1)), ?2)",
            params![REHEARSAL_BYTES / 2, At(now)],
        )?;
        tx.execute("DELETE FROM quarantine WHERE account = ''", [])?;
        tx.commit()?;
        Ok(())
    }
}
