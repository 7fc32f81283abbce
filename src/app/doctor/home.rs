//! The part of `onward doctor` that needs no server: the database with its directory, its disk and its backups, who
//! works on it, and the service. It changes nothing.

use std::path::Path;

use jiff::Timestamp;

use super::{Check, fine, wrong};
use crate::{
    app::fresh,
    config::{Config, Env},
    io::{
        host,
        store::{FREE_MIN, Lock, Store, daily_backups, free, room},
    },
};

/// Space below which the person is told in time, in bytes: four times that at which Onward pauses.
const FREE_LOW: u64 = 4 * FREE_MIN;
/// One mebibyte.
const MIB: u64 = 1 << 20;

/// Everything there is to say about this machine.
pub(super) fn examine(config: &Config, env: &Env, now: Timestamp) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(dir) = config.store.parent().filter(|dir| dir.exists()) {
        checks.extend(directory(dir));
        checks.push(disk(&config.store, dir));
    }
    checks.extend(log(config, now));
    checks.push(service(config, env));
    checks
}

/// Who may look into the directory.
fn directory(dir: &Path) -> Vec<Check> {
    let what = "state directory";
    let mut open: Vec<Check> = Vec::new();
    if let Some(mode) = host::mode(dir).filter(|mode| mode & 0o077 != 0) {
        let shown = dir.display();
        open.push(wrong(what, format!("{shown} is open to others (mode {mode:03o}): run `chmod 700 {shown}`")));
    }
    for (file, mode) in host::open_to_others(dir) {
        let shown = file.display();
        open.push(wrong(what, format!("{shown} can be read by others (mode {mode:03o}): run `chmod 600 {shown}`")));
    }
    if open.is_empty() { vec![fine(what, format!("{}, yours alone", dir.display()))] } else { open }
}

/// Whether there is room, and whether it can be written.
fn disk(database: &Path, dir: &Path) -> Check {
    if let Err(error) = room(database) {
        return wrong("disk", error.to_string());
    }
    match free(dir) {
        Some(free) if free < FREE_LOW => wrong(
            "disk",
            format!(
                "only {} MiB are free below {}; under {} MiB nothing is read or sent: free some space",
                free / MIB,
                dir.display(),
                FREE_MIN / MIB
            ),
        ),
        Some(free) => fine("disk", format!("{} MiB free", free / MIB)),
        None => fine("disk", "it can be written; how much is free it does not say"),
    }
}

/// The database and what lies in it that needs the person.
fn log(config: &Config, now: Timestamp) -> Vec<Check> {
    let path = config.store.display();
    if !config.store.exists() && daily_backups(&config.store).is_empty() {
        return vec![fine("log", format!("{path} is made at the first look"))];
    }
    let opened = Store::open_to_read(&config.store).and_then(|store| {
        store.check()?;
        Ok(store)
    });
    let store = match opened {
        Ok(store) => store,
        Err(error) => return vec![wrong("log", format!("{path}: {error}"))],
    };
    let mut checks = vec![fine("log", path.to_string()), backup(config)];
    match fresh::watched(config, &store, now) {
        Ok(mailboxes) => checks.extend(looks(config, &mailboxes)),
        Err(error) => checks.push(wrong("log", error.to_string())),
    }
    match store.quarantined() {
        Ok(rows) => {
            for row in rows.iter().filter(|row| row.quarantined_at.is_some()) {
                checks.push(wrong(
                    format!("mail {} in {} of {}", row.uid, row.mailbox, row.account),
                    format!("given up after {} attempts: {}; look at it in your mail client", row.attempts, row.reason),
                ));
            }
        }
        Err(error) => checks.push(wrong("log", error.to_string())),
    }
    checks
}

fn backup(config: &Config) -> Check {
    match daily_backups(&config.store).first() {
        Some(newest) => fine("backup", newest.display().to_string()),
        None => fine("backup", "there is none yet; the daemon makes one each day"),
    }
}

/// Whether a daemon runs, and whether it looks.
fn looks(config: &Config, mailboxes: &[fresh::Watched]) -> Vec<Check> {
    let running = config.store.parent().is_some_and(Lock::is_held);
    let mut checks = vec![if running {
        fine("daemon", "running; it holds the lock of the state directory")
    } else {
        fine("daemon", "not running: `systemctl --user start onward`, or `onward run`")
    }];
    for stale in mailboxes.iter().filter(|mailbox| mailbox.is_trouble(running)) {
        let since = stale.last_look.map_or("it was never looked at".to_owned(), |at| format!("last looked at {at}"));
        let fix = if running {
            "the lines below try its server; the daemon's own words: `journalctl --user -u onward -n 50`"
        } else {
            "no daemon is running: `systemctl --user start onward`, or `onward run`"
        };
        let polls = fresh::STALE_POLLS;
        let said = format!("{since}, longer ago than {polls} polls: {fix}");
        checks.push(wrong(format!("{} of {}", stale.mailbox, stale.account), said));
    }
    checks
}

/// Whether the service is set up. No fault where it is not: not everybody wants one.
fn service(config: &Config, env: &Env) -> Check {
    let config_home = env.config_home.clone().or_else(|| env.home.as_ref().map(|home| home.join(".config")));
    let Some(unit) = host::unit(config_home.as_deref()) else {
        return fine("service", "no unit is installed: `make install`, then `systemctl --user enable --now onward`");
    };
    let home = env.home.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    let own = config_home.is_some_and(|home| unit.starts_with(home));
    match home.filter(|_| own).and_then(host::lingers) {
        Some(false) => fine(
            "service",
            format!("{}; it stops when you log out, unless you run `loginctl enable-linger`", unit.display()),
        ),
        _ => fine("service", format!("{} for {}", unit.display(), config.file.display())),
    }
}
