//! `onward run`: one task per account, one for the outbox, one for the log, reload, watchdog, graceful end.
//!
//! An account that fails, or panics, is tried again after a pause of its own and troubles no other. A configuration or
//! a rule file that is broken at a reload changes nothing: what ran goes on, and the log says why.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch as signal_of,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};

use super::{
    kit::{Kit, KitProblems},
    login::{self, Matter, PERSON_EVERY},
    pulse::{Health, Pulse},
    submit::{self, LOGIN_PAUSES, Outbox, Pace, When, jitter},
    upkeep,
    watch::{self, Desk, Memory},
};
use crate::{
    config::{Account, Config},
    io::{
        clock,
        store::{Db, Lock, StoreError},
        systemd::Supervisor,
    },
    pace::{Backoff, Clocks},
};

/// How often the outbox looks for approved drafts: an approval in another process takes at most this long to move.
const OUTBOX_EVERY: Duration = Duration::from_secs(2);
/// How often the status line is renewed, and the clocks are compared.
const STATUS_EVERY: Duration = Duration::from_secs(10);
/// How long tasks may take to end, all together: a submission that waits for the server's last word gets this long
/// (TimeoutStopSec of the unit is longer).
const GRACE: Duration = Duration::from_secs(30);
/// A task that has not moved for this long beyond its account's poll interval is stuck, and the watchdog is not fed.
/// Above the longest wait for a server, the transfer of one batch over a slow line (`io::imap::Deadlines`).
const STUCK_AFTER: Duration = Duration::from_secs(20 * 60);
/// How often it is tried whether the log can be written again, once the disk has refused.
const DISK_EVERY: Duration = Duration::from_secs(10);

/// So many poll intervals after its last look an account is stale, whatever its task believes: what was not asked for is
/// not known. A look after each IDLE, and the time it takes itself, need two of them at most.
const STALE_POLLS: u32 = 3;

/// Reads configuration and rules again, for a reload.
pub type Load = Box<dyn Fn() -> Result<(Config, Kit)> + Send + Sync>;

/// A running daemon.
struct Daemon {
    config: Arc<Config>,
    desk: Desk,
    tasks: BTreeMap<String, Task>,
    supervisor: Supervisor,
    outbox: Helper,
    upkeep: Helper,
}

/// A task beside those of the accounts: the one that delivers, the one that looks after the log. It is told of a new
/// configuration and never stopped for it: a delivery is not cut short.
struct Helper {
    name: &'static str,
    config: signal_of::Sender<Arc<Config>>,
    pulse: Pulse,
    stop: signal_of::Sender<bool>,
    handle: JoinHandle<()>,
}

/// The task of one account.
struct Task {
    account: Account,
    pulse: Pulse,
    stop: signal_of::Sender<bool>,
    handle: JoinHandle<()>,
}

/// Completes when the process is asked to end (SIGTERM, SIGINT).
pub async fn asked_to_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Runs until `until` completes. The lock shows that no other daemon works on this state directory.
pub async fn run(
    config: Config,
    kit: Kit,
    db: Db,
    load: Load,
    _lock: Lock,
    until: impl Future<Output = ()>,
) -> Result<()> {
    let mut until = std::pin::pin!(until);
    let mut hangup = signal(SignalKind::hangup())?;
    let config = Arc::new(config);
    let mut daemon = Daemon {
        desk: Desk { db: db.clone(), kit: Arc::new(kit) },
        outbox: start_outbox(db.clone(), Arc::clone(&config)),
        upkeep: start_upkeep(db, Arc::clone(&config)),
        config,
        tasks: BTreeMap::new(),
        supervisor: Supervisor,
    };
    daemon.start_accounts();
    let mut status = interval(STATUS_EVERY);
    status.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watchdog = interval(daemon.supervisor.watchdog_interval().unwrap_or(STATUS_EVERY));
    watchdog.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut clocks = read_clocks();
    tracing::info!(accounts = daemon.tasks.len(), "Onward watches.");
    daemon.supervisor.ready(&daemon.status());
    loop {
        tokio::select! {
            () = &mut until => break,
            _ = hangup.recv() => {
                daemon.supervisor.reloading();
                daemon.reload(&load).await;
                daemon.supervisor.ready(&daemon.status());
            }
            _ = status.tick() => {
                let before = std::mem::replace(&mut clocks, read_clocks());
                wake_after_leap(daemon.tasks.values().map(|task| &task.pulse), before, clocks);
                daemon.supervisor.status(&daemon.status());
            }
            _ = watchdog.tick() => if daemon.moves() { daemon.supervisor.alive() },
        }
        daemon.revive();
    }
    tracing::info!("Onward was asked to stop.");
    daemon.supervisor.stopping("finishing what is under way");
    daemon.end().await;
    tracing::info!("Onward has stopped.");
    Ok(())
}

impl Daemon {
    fn start_accounts(&mut self) {
        for account in self.config.accounts.clone() {
            if !self.tasks.contains_key(&account.name) {
                let task = start(self.desk.clone(), account.clone());
                self.tasks.insert(account.name.clone(), task);
            }
        }
    }

    /// Starts a task again that ended by itself: it panicked.
    fn revive(&mut self) {
        for task in self.tasks.values_mut().filter(|task| task.handle.is_finished()) {
            tracing::error!(account = task.account.name, "The account's task ended unexpectedly; it is started again.");
            *task = start(self.desk.clone(), task.account.clone());
        }
        if self.outbox.handle.is_finished() {
            tracing::error!("The outbox ended unexpectedly; it is started again.");
            self.outbox = start_outbox(self.desk.db.clone(), Arc::clone(&self.config));
        }
        if self.upkeep.handle.is_finished() {
            tracing::error!("The upkeep of the log ended unexpectedly; it is started again.");
            self.upkeep = start_upkeep(self.desk.db.clone(), Arc::clone(&self.config));
        }
    }

    /// Takes over a new configuration, rules and texts, if all of them are good. Every account connects again: it may
    /// be the password that was put right.
    async fn reload(&mut self, load: &Load) {
        let (mut config, kit) = match load() {
            Ok(loaded) => loaded,
            Err(error) => {
                // One line a problem: a line of the log has its limit, and all of them are to be read.
                let one = [format!("{error:#}")];
                for problem in error.downcast_ref::<KitProblems>().map_or(one.as_slice(), KitProblems::each) {
                    tracing::error!(%problem, "This is wrong.");
                }
                tracing::error!("The reload was refused; what ran before goes on.");
                return;
            }
        };
        if config.store != self.config.store {
            tracing::warn!("The place of the database changed; that takes a restart. The old one stays in use.");
            config.store = self.config.store.clone();
        }
        self.config = Arc::new(config);
        self.desk.kit = Arc::new(kit);
        stop_all(std::mem::take(&mut self.tasks), Instant::now() + GRACE).await;
        login::forget_refusals();
        self.start_accounts();
        for helper in [&self.outbox, &self.upkeep] {
            let _ = helper.config.send(Arc::clone(&self.config));
        }
        tracing::info!(accounts = self.tasks.len(), "Configuration and rules were read again.");
    }

    /// Ends every task, all within [`GRACE`].
    async fn end(mut self) {
        let deadline = Instant::now() + GRACE;
        let helpers = [self.outbox, self.upkeep];
        for helper in &helpers {
            let _ = helper.stop.send(true);
        }
        stop_all(std::mem::take(&mut self.tasks), deadline).await;
        for helper in helpers {
            end(helper.handle, deadline).await;
        }
        // A delivery that was cut short just now is doubt, and doubt is on disk before the process is gone.
        let dir = self.config.store.parent().unwrap_or(Path::new("."));
        if let Ok(lock) = Lock::acquire_outbox(dir)
            && let Err(error) = submit::recover(&self.desk.db, Arc::new(lock)).await
        {
            tracing::error!(reason = %format!("{error:#}"), "What was being sent could not be written down.");
        }
    }

    /// Whether every task has moved lately. Offline tasks move too: they rest and try.
    fn moves(&self) -> bool {
        let now = Instant::now();
        let stuck = |pulse: &Pulse, within: Duration| now.duration_since(pulse.health().moved) >= within;
        let accounts = self.tasks.values().map(|task| (&*task.account.name, &task.pulse, task.account.poll));
        let helpers = [&self.outbox, &self.upkeep].map(|helper| (helper.name, &helper.pulse, Duration::ZERO));
        match accounts.chain(helpers).find(|(_, pulse, pause)| stuck(pulse, *pause + STUCK_AFTER)) {
            Some((task, ..)) => {
                tracing::error!(
                    task,
                    "A task has not moved for too long; the service manager is not told that all is well."
                );
                false
            }
            None => true,
        }
    }

    /// One line for `systemctl status`: names, times and counts only.
    fn status(&self) -> String {
        let parts = self.tasks.values().map(|task| {
            let health = task.pulse.health();
            format!("{}: {}, {} logged", task.account.name, state(&health, task.account.poll), health.stored)
        });
        parts.collect::<Vec<_>>().join("; ")
    }
}

/// How an account is, in a few words. It is fresh only where a look says so.
fn state(health: &Health, poll: Duration) -> String {
    let within = |(looked, _): &(Instant, _)| looked.elapsed() <= poll * STALE_POLLS;
    match (health.looked, health.progress) {
        _ if health.no_room => "paused, the log cannot be written".to_owned(),
        _ if health.paused.is_some_and(|until| clock::now() < until) => {
            "paused until midnight UTC, the provider's bytes of the day are used".to_owned()
        }
        (_, Some((read, of))) => format!("reading, {read} of {of}"),
        (Some(looked), None) if health.fresh && within(&looked) => "watched".to_owned(),
        (Some((_, at)), None) => format!("stale since {}", at.strftime("%Y-%m-%d %H:%M UTC")),
        (None, None) if health.trouble.is_empty() => "connecting".to_owned(),
        (None, None) => "stale since the start".to_owned(),
    }
}

/// Has every account connect again when the machine slept or its clock was set.
fn wake_after_leap<'p>(accounts: impl IntoIterator<Item = &'p Pulse>, before: Clocks, now: Clocks) {
    if let Some(leap) = now.leap(before) {
        tracing::info!(seconds = leap.as_secs(), "The machine slept or its clock was set; every account looks anew.");
        accounts.into_iter().for_each(Pulse::wake);
    }
}

fn read_clocks() -> Clocks {
    Clocks { running: Instant::now().into_std(), wall: clock::now() }
}

fn start(desk: Desk, account: Account) -> Task {
    let (stop, stopped) = signal_of::channel(false);
    let pulse = Pulse::new(stopped);
    let handle = tokio::spawn(keep_watching(desk, account.clone(), pulse.clone()));
    Task { account, pulse, stop, handle }
}

fn start_outbox(db: Db, config: Arc<Config>) -> Helper {
    helper("outbox", config, |configured, pulse| tokio::spawn(outbox(db, configured, pulse)))
}

fn start_upkeep(db: Db, config: Arc<Config>) -> Helper {
    helper("upkeep", config, |configured, pulse| tokio::spawn(upkeep::keep_up(db, configured, pulse)))
}

fn helper(
    name: &'static str,
    config: Arc<Config>,
    spawn: impl FnOnce(signal_of::Receiver<Arc<Config>>, Pulse) -> JoinHandle<()>,
) -> Helper {
    let (stop, stopped) = signal_of::channel(false);
    let (config, configured) = signal_of::channel(config);
    let pulse = Pulse::new(stopped);
    Helper { name, config, handle: spawn(configured, pulse.clone()), pulse, stop }
}

/// Ends the tasks of accounts.
async fn stop_all(tasks: BTreeMap<String, Task>, deadline: Instant) {
    for task in tasks.values() {
        let _ = task.stop.send(true);
    }
    for task in tasks.into_values() {
        end(task.handle, deadline).await;
    }
}

/// Watches an account, and after every failure rests and connects again, until told to stop.
async fn keep_watching(desk: Desk, account: Account, pulse: Pulse) {
    let mut backoff = Backoff::default();
    let mut memory = Memory::default();
    let mut refused = 0;
    while !pulse.is_stopped() {
        let stored = pulse.health().stored;
        let ended = tokio::select! {
            ended = watch::watch(&desk, &account, &mut memory, &pulse) => ended,
            // What is being read is dropped with the connection; what is stored is stored.
            () = pulse.woken() => continue,
        };
        let Err(error) = ended else { return };
        let health = pulse.health();
        if health.fresh || health.stored > stored {
            backoff.completed();
            refused = 0;
        }
        let said = format!("{error:#}");
        if said != health.trouble {
            tracing::warn!(account = account.name, reason = said, "The account cannot be watched.");
        }
        pulse.failed(&said);
        if error.chain().filter_map(|e| e.downcast_ref()).any(StoreError::is_of_disk) {
            if wait_for_disk(&desk.db, &pulse).await {
                return;
            }
            tracing::info!(account = account.name, "The log can be written again; the account is watched again.");
            continue;
        }
        let matter = Matter::of(&error);
        // The network may be another one when the machine wakes; a refused password, and a server that wants to be left
        // alone, are the same.
        let may_wake = matches!(matter, Matter::Person | Matter::Passing(None));
        let pause = match matter {
            Matter::Person => PERSON_EVERY,
            Matter::Refused => {
                refused += login::tries(&error);
                let pause = LOGIN_PAUSES.get(refused - 1).copied();
                match pause {
                    Some(pause) => pause,
                    None => {
                        tracing::error!(
                            account = account.name,
                            "The login was refused three times; it is not tried again before a reload."
                        );
                        pulse_until_stopped(&pulse).await;
                        return;
                    }
                }
            }
            Matter::Passing(hint) => hint.unwrap_or_else(|| backoff.failed(jitter())),
        };
        tokio::select! {
            stopped = rest(&pulse, pause) => if stopped { return },
            () = pulse.woken(), if may_wake => {}
        }
    }
}

/// Waits until the log can be written; true when told to stop. No server is asked meanwhile: what it gave could not be
/// logged.
async fn wait_for_disk(db: &Db, pulse: &Pulse) -> bool {
    pulse.no_room(true);
    loop {
        if rest(pulse, DISK_EVERY).await {
            return true;
        }
        if db.call(|store| store.rehearse(clock::now())).await.is_ok() {
            pulse.no_room(false);
            return false;
        }
    }
}

/// Rests in steps, so that the watchdog sees the task move; true when told to stop.
pub(super) async fn rest(pulse: &Pulse, mut pause: Duration) -> bool {
    const STEP: Duration = Duration::from_secs(30);
    while !pause.is_zero() {
        let step = pause.min(STEP);
        if pulse.rest(step).await {
            return true;
        }
        pause -= step;
    }
    false
}

async fn pulse_until_stopped(pulse: &Pulse) {
    while !rest(pulse, STATUS_EVERY).await {}
}

/// Delivers what is approved, again and again, until told to stop. The delivery under way is finished first.
async fn outbox(db: Db, mut configured: signal_of::Receiver<Arc<Config>>, pulse: Pulse) {
    let mut said = BTreeMap::new();
    let mut pace = Pace::default();
    let mut limits = submit::limits(&configured.borrow());
    loop {
        if configured.has_changed().unwrap_or(false) {
            // What kept an account from being reached may have been put right.
            pace = Pace::default();
            limits = submit::limits(&configured.borrow());
        }
        let config = Arc::clone(&configured.borrow_and_update());
        let outbox = Outbox { db: db.clone(), config: &config, limits };
        match submit::to_deliver(&outbox, &pace).await {
            Ok(None) => said.clear(),
            Ok(Some(drafts)) => {
                for (draft, delivered) in submit::deliver_paced(&outbox, &drafts, When::Due, &mut pace, &pulse).await {
                    // Not why: that quotes servers, and the person finds it with the draft.
                    let state = delivered.as_str();
                    if said.insert(draft, state) != Some(state) {
                        tracing::info!(draft, state, "A draft was taken up.");
                    }
                }
            }
            Err(error) => tracing::error!(reason = %format!("{error:#}"), "The outbox cannot be read."),
        }
        if pulse.rest(OUTBOX_EVERY).await {
            return;
        }
    }
}

/// Waits for a task to end, and ends it when it does not.
async fn end(mut handle: JoinHandle<()>, deadline: Instant) {
    if timeout_at(deadline, &mut handle).await.is_err() {
        handle.abort();
        // Awaited, so that what it holds is dropped before the process goes on.
        let _ = handle.await;
    }
}

#[cfg(test)]
mod tests;
