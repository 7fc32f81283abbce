//! What the person granted, in a file of mode 0600 beside the database: the refresh token, and the access token that is
//! good now, so that every process of this user shares it. Written whole or not at all, under a lock.
//!
//! It must not ask an endpoint anything.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::config::{Env, Files as _, OnDisk};
use crate::io::crash;
use crate::secret::Secret;

/// Largest file taken, in bytes: two tokens and a few words.
const GRANT_BYTES_MAX: u64 = 128 * 1024;
/// How long another process may hold the lock: it asks the endpoint meanwhile (`http::ANSWER_WITHIN`), and is then done.
const LOCK_WITHIN: Duration = Duration::from_secs(45);
/// How often a held lock is looked at.
const LOCK_EVERY: Duration = Duration::from_millis(50);

/// What was granted.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Grant {
    /// The client it was granted to: it is of no use to another.
    pub client_id: String,
    /// The endpoint it came from.
    pub token_url: String,
    refresh_token: String,
    access_token: String,
    /// Until when the access token is shown.
    pub fresh_until: Timestamp,
    /// Why the provider takes the refresh token no more; it is not asked again then.
    #[serde(default)]
    pub revoked: Option<String>,
}

/// No field of it is shown: most are secret.
impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grant(…)")
    }
}

impl Grant {
    /// A new one.
    pub fn new(client_id: &str, token_url: &str, refresh: &Secret, access: &Secret, fresh_until: Timestamp) -> Grant {
        Grant {
            client_id: client_id.to_owned(),
            token_url: token_url.to_owned(),
            refresh_token: refresh.expose().to_owned(),
            access_token: access.expose().to_owned(),
            fresh_until,
            revoked: None,
        }
    }

    /// The refresh token.
    pub fn refresh(&self) -> Secret {
        Secret::new(self.refresh_token.clone())
    }

    /// The access token, if it is still to be shown at `now` and is not the one that was refused.
    pub fn access(&self, now: Timestamp, refused: Option<&Secret>) -> Option<Secret> {
        let usable = now < self.fresh_until && refused.is_none_or(|refused| refused.expose() != self.access_token);
        usable.then(|| Secret::new(self.access_token.clone()))
    }

    /// Reads the file; `None` where there is none. Its owner and mode are checked at every reading.
    pub fn read(path: &Path) -> Result<Option<Grant>, String> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            _ => OnDisk { uid: Env::of_process().uid }.private(path).map_err(|(what, fix)| format!("{what}; {fix}"))?,
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| error.kind().to_string())?;
        file.take(GRANT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.kind().to_string())?;
        // The library's error would quote what stands there.
        let unreadable = "it is not what onward wrote there; remove it";
        if bytes.len() as u64 > GRANT_BYTES_MAX {
            return Err(unreadable.to_owned());
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|_| unreadable.to_owned())
    }
}

/// The place of a grant, made ready before the endpoint is asked: when there is no room, nothing has been given away
/// yet. What was not kept is removed.
pub(super) struct Place {
    path: PathBuf,
    fresh: PathBuf,
    file: File,
    kept: bool,
}

impl Place {
    /// Makes a file beside the grant's own.
    pub fn prepare(path: &Path) -> Result<Place, String> {
        make_directory(path)?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".new-{}", uuid::Uuid::new_v4().simple()));
        let fresh = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
        let file = file.map_err(|error| error.to_string())?;
        Ok(Place { path: path.to_owned(), fresh, file, kept: false })
    }

    /// Writes the grant to disk, in place of the one before.
    pub fn keep(mut self, grant: &Grant) -> Result<(), String> {
        let bytes = Secret::new(serde_json::to_string(grant).map_err(|error| error.to_string())?);
        let mut write = || -> io::Result<()> {
            self.file.write_all(bytes.expose().as_bytes())?;
            self.file.sync_all()?;
            crash::point("before a grant is kept");
            fs::rename(&self.fresh, &self.path)?;
            crash::point("after a grant is kept");
            self.kept = true;
            File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|error| error.to_string())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.fresh);
        }
    }
}

fn make_directory(path: &Path) -> Result<(), String> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let made = directory.map_or(Ok(()), |at| DirBuilder::new().recursive(true).mode(0o700).create(at));
    made.map_err(|error| error.to_string())
}

/// Held by the one that asks the endpoint, in whatever process.
#[derive(Debug)]
pub(super) struct GrantLock {
    /// Open for as long as the lock is held.
    _file: File,
}

impl GrantLock {
    /// Waits for the lock of a grant.
    pub async fn acquire(path: &Path) -> Result<GrantLock, String> {
        make_directory(path)?;
        let lock = path.with_extension("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock);
        let file = file.map_err(|error| error.to_string())?;
        let until = Instant::now() + LOCK_WITHIN;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(GrantLock { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(LOCK_EVERY).await,
                Err(TryLockError::WouldBlock) => {
                    return Err(format!("another onward holds it for more than {} s", LOCK_WITHIN.as_secs()));
                }
                Err(TryLockError::Error(error)) => return Err(error.to_string()),
            }
        }
    }
}
