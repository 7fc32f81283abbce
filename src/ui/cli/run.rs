//! `onward run` and `onward once`.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{EX_IOERR, EX_NOPERM, EX_TEMPFAIL, Exit, home::Home};
use crate::{
    app::{
        daemon,
        kit::Kit,
        submit,
        watch::{self, Desk},
    },
    config::{self, LogLevel},
    io::{
        host, log,
        store::{AlreadyRunning, Db, Lock, Store, StoreError},
    },
    ui::{
        term::{Screen, fit},
        words,
    },
};

/// Stack of each thread, in bytes: mail is nested by others, and room is cheaper than an abort.
const STACK_BYTES: usize = 8 << 20;
/// Threads that run tasks. Watching is waiting: two are enough, and blocking work has its own.
const WORKERS: usize = 2;
/// Threads for blocking work at most: the log takes one writer at a time anyway.
const BLOCKING_MAX: usize = 8;
/// How long a task that is told to end may hold up the process, after its own grace is over.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// The runtime that verbs and the daemon share.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING_MAX)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .context("the system gives no threads")
}

/// The daemon. Ends with a code of `sysexits.h`.
pub fn daemon(home: &Home) -> Result<Exit> {
    host::keep_memory_private();
    let path = home.config_path()?;
    let config = home.config()?;
    log::start(config.log_level);
    let kit = match Kit::load(&config) {
        Ok(kit) => kit,
        Err(error) => {
            // A log line has a limit; every problem gets its own.
            for line in error.to_string().lines() {
                tracing::error!("{line}");
            }
            return Ok(Exit::System(super::EX_CONFIG));
        }
    };
    let dir = config.store.parent().context("the database has no directory")?.to_path_buf();
    let lock = match Lock::acquire(&dir) {
        Ok(lock) => lock,
        Err(error) => {
            tracing::error!("{error}");
            return Ok(Exit::System(match error {
                AlreadyRunning::Held { .. } => EX_TEMPFAIL,
                AlreadyRunning::Unavailable { .. } => EX_IOERR,
            }));
        }
    };
    let store = match Store::open(&config.store) {
        Ok(store) => store,
        Err(error) => {
            tracing::error!("The log cannot be opened: {error}");
            return Ok(Exit::System(code_of(&error)));
        }
    };
    let db = Db::new(store);
    let env = home.env.clone();
    let load: daemon::Load = Box::new(move || {
        let config = config::load(&path, &env)?;
        let kit = Kit::load(&config)?;
        Ok((config, kit))
    });
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        // On a full disk it fails; then nothing is delivered before it was done, and watching need not wait for it.
        if let Ok(outbox) = Lock::acquire_outbox(&dir)
            && let Err(error) = submit::recover(&db, Arc::new(outbox)).await
        {
            tracing::error!(reason = %format!("{error:#}"), "What was being sent could not be written down yet.");
        }
        let until = async {
            if let Err(error) = daemon::asked_to_end().await {
                tracing::error!("Signals cannot be heard: {error:#}");
            }
        };
        daemon::run(config, kit, db, load, lock, until).await
    });
    runtime.shutdown_timeout(SHUTDOWN);
    match ended {
        Ok(()) => Ok(Exit::Fine),
        Err(error) => {
            tracing::error!("{error:#}");
            Ok(Exit::System(EX_IOERR))
        }
    }
}

/// What systemd is to make of a log that cannot be opened.
fn code_of(error: &StoreError) -> u8 {
    match error {
        StoreError::Permission { .. } => EX_NOPERM,
        StoreError::Busy | StoreError::Full => EX_TEMPFAIL,
        _ => EX_IOERR,
    }
}

/// One look at every account, then exit.
pub fn once(home: &Home, dry_run: bool, screen: &mut Screen<'_>) -> Result<Exit> {
    let config = home.config()?;
    let kit = Arc::new(home.kit()?);
    log::start(LogLevel::Warn);
    let (store, _lock) = if dry_run {
        let store = Store::in_memory()?;
        // The trial log holds no label, and the trial is to judge as the daemon would.
        kit.memory.presume(&store, home.learned(&kit.rules)?)?;
        (store, None)
    } else {
        let dir = config.store.parent().context("the database has no directory")?;
        (Store::open(&config.store)?, Some(Lock::acquire(dir)?))
    };
    let desk = Desk { db: Db::new(store), kit };
    let runtime = runtime()?;
    let mut exit = Exit::Fine;
    for account in &config.accounts {
        let looked = runtime.block_on(watch::look_once(&desk, account));
        if looked.as_ref().is_ok_and(|looked| looked.unopened > 0) {
            exit = Exit::Findings;
        }
        match looked {
            Ok(looked) if home.json() => {
                let value = json!({
                    "account": account.name, "stored": looked.stored, "known": looked.known, "failed": looked.failed, "noes": looked.noes,
                    "unopened": looked.unopened,
                });
                writeln!(screen.raw(), "{value}")?;
            }
            Ok(looked) => {
                let what = if dry_run { "would be logged" } else { "logged" };
                let mails = words::counted(looked.stored, "mail");
                let known = if looked.known > 0 { format!(", {} known before", looked.known) } else { String::new() };
                screen.line(format!("{}: {mails} {what}{known}.", account.name))?;
                if looked.failed > 0 {
                    screen.line(format!("  {} could not be read; they are tried again.", looked.failed))?;
                }
            }
            Err(error) => {
                exit = Exit::Findings;
                let said = crate::clean::line_within(&format!("{error:#}"), 600);
                if home.json() {
                    writeln!(screen.raw(), "{}", json!({ "account": account.name, "error": said }))?;
                } else {
                    screen.wrapped("", &format!("{}: {said}", account.name))?;
                }
            }
        }
    }
    if dry_run {
        let rows = runtime.block_on(desk.db.call(|store| store.list(&crate::io::store::Filter::default())))?;
        for row in rows.iter().rev() {
            if home.json() {
                writeln!(screen.raw(), "{}", serde_json::to_string(row)?)?;
            } else {
                screen.line(format!(
                    "  {}  {}",
                    fit(&words::outcome(&row.outcome), 28),
                    words::subject_of(&row.outcome)
                ))?;
            }
        }
    } else if exit == Exit::Fine && !home.json() {
        screen.aside("`onward list` shows what was found, `onward review` goes through what waits.")?;
    }
    runtime.shutdown_timeout(SHUTDOWN);
    Ok(exit)
}
