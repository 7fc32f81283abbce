//! What has to be so before anything leaves: delivery is not paused, and sending by SMTP was proven by a mail to oneself.
//!
//! Two small files in the state directory, replaced whole and the person's alone (0600). They are read anew each time, so
//! that what a verb writes holds for a running daemon at once. It must not decide what follows from them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{clean, config::Login};

/// The file that pauses delivery. Its presence alone does: one made by hand counts as well.
const PAUSE_FILE: &str = "delivery-paused";
/// The file that says for which servers sending was proven.
const PROOF_FILE: &str = "smtp-proven";
/// Largest file taken, in bytes: a line for each of a few accounts.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Longest reason kept, in characters.
const WHY_CHARS_MAX: usize = 200;

/// Delivery is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when; `None` where the file does not say.
    pub since: Option<Timestamp>,
    /// Why, in the person's words; may be empty.
    pub why: String,
}

/// One server that took a mail of the person's to themself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Proof {
    account: String,
    host: String,
    port: u16,
    user: String,
    at: Timestamp,
}

impl Proof {
    fn is_of(&self, account: &str, login: &Login) -> bool {
        let Login { server, user, .. } = login;
        self.account == account && self.host == server.host && self.port == server.port && self.user == *user
    }
}

/// Whether delivery is paused in this state directory. What cannot be read pauses: nobody can tell that it does not.
pub fn paused(dir: &Path) -> Option<Pause> {
    let path = dir.join(PAUSE_FILE);
    match read::<Pause>(&path) {
        Ok(pause) => pause.map(|pause| Pause { why: clean::line_within(&pause.why, WHY_CHARS_MAX), ..pause }),
        Err(_) => {
            let since = fs::metadata(&path).and_then(|found| found.modified()).ok();
            Some(Pause { since: since.and_then(|at| Timestamp::try_from(at).ok()), why: String::new() })
        }
    }
}

/// Pauses delivery; a pause that is there gets the new reason and keeps its beginning.
pub fn pause(dir: &Path, why: &str, now: Timestamp) -> io::Result<Pause> {
    let since = paused(dir).and_then(|pause| pause.since).or(Some(now));
    let pause = Pause { since, why: clean::line_within(why, WHY_CHARS_MAX) };
    write(dir, PAUSE_FILE, &pause)?;
    Ok(pause)
}

/// Ends the pause. Whether there was one.
pub fn resume(dir: &Path) -> io::Result<bool> {
    match fs::remove_file(dir.join(PAUSE_FILE)) {
        Ok(()) => sync(dir).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// When sending from this account by this server and user was proven. Another server is another matter.
pub fn proven(dir: &Path, account: &str, login: &Login) -> Option<Timestamp> {
    let proofs: Vec<Proof> = read(&dir.join(PROOF_FILE)).ok().flatten().unwrap_or_default();
    proofs.iter().find(|proof| proof.is_of(account, login)).map(|proof| proof.at)
}

/// Writes down that it is proven.
pub fn prove(dir: &Path, account: &str, login: &Login, now: Timestamp) -> io::Result<()> {
    let mut proofs: Vec<Proof> = read(&dir.join(PROOF_FILE)).ok().flatten().unwrap_or_default();
    proofs.retain(|proof| proof.account != account);
    let Login { server, user, .. } = login;
    let (account, host, user) = (account.to_owned(), server.host.clone(), user.clone());
    proofs.push(Proof { account, host, port: server.port, user, at: now });
    write(dir, PROOF_FILE, &proofs)
}

/// What stands in a file; `None` where there is none.
fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(Some(serde_json::from_str(&text)?))
}

/// Replaces a file whole: after a crash the old one is there or the new one.
fn write(dir: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let part = part(dir, name);
    let written = write_and_rename(&part, &dir.join(name), &serde_json::to_vec(value)?);
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.and_then(|()| sync(dir))
}

fn part(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.new-{}", uuid::Uuid::new_v4().simple()))
}

fn write_and_rename(part: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(part, path)
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{
        config::{Access, Server, Tls},
        secret::SecretSource,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(second)
    }

    #[test]
    fn a_pause_holds_until_it_is_ended_and_whatever_stands_there_pauses() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        assert_eq!(paused(&state), None);
        assert!(!resume(&state).unwrap());
        pause(&state, "on\nholiday", at(5)).unwrap();
        assert_eq!(paused(&state), Some(Pause { since: Some(at(5)), why: "on holiday".to_owned() }));
        assert_eq!(pause(&state, "still away", at(9)).unwrap().since, Some(at(5)), "it began when it began");
        let mode = fs::metadata(state.join(PAUSE_FILE)).unwrap().permissions().mode();
        assert_eq!((mode & 0o777, fs::read_dir(&state).unwrap().count()), (0o600, 1));
        assert!(resume(&state).unwrap());
        assert_eq!(paused(&state), None);
        for by_hand in ["", "{", "[1]"] {
            fs::write(state.join(PAUSE_FILE), by_hand).unwrap();
            assert!(paused(&state).is_some_and(|pause| pause.since.is_some() && pause.why.is_empty()), "{by_hand:?}");
        }
    }

    #[test]
    fn a_proof_is_of_one_account_with_one_server_and_user() {
        let dir = tempfile::tempdir().unwrap();
        let login = |host: &str, port, user: &str| Login {
            server: Server { host: host.to_owned(), port, tls: Tls::Implicit, ca_file: None },
            user: user.to_owned(),
            provider: None,
            access: Access::Password(SecretSource::Command(vec!["true".to_owned()])),
        };
        let mine = login("smtp.example.org", 465, "sam");
        assert_eq!(proven(dir.path(), "home", &mine), None);
        prove(dir.path(), "home", &mine, at(1)).unwrap();
        prove(dir.path(), "work", &mine, at(2)).unwrap();
        prove(dir.path(), "home", &mine, at(3)).unwrap();
        assert_eq!(proven(dir.path(), "home", &mine), Some(at(3)));
        assert_eq!(proven(dir.path(), "work", &mine), Some(at(2)));
        for other in [
            login("smtp.example.com", 465, "sam"),
            login("smtp.example.org", 587, "sam"),
            login("smtp.example.org", 465, "x"),
        ] {
            assert_eq!(proven(dir.path(), "home", &other), None);
        }
        fs::write(dir.path().join(PROOF_FILE), "no json").unwrap();
        assert_eq!(proven(dir.path(), "home", &mine), None, "what cannot be read proves nothing");
    }
}
