//! How the tasks of the daemon are: what each account's task did last, when it moved last, and whether to stop.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};

use super::watch::Looked;
use crate::io::clock;

/// The pulse of one account's task. Cloned into it; the supervisor keeps another.
#[derive(Clone)]
pub struct Pulse {
    health: Arc<Mutex<Health>>,
    stop: watch::Receiver<bool>,
    wake: Arc<watch::Sender<()>>,
}

/// How an account's task is.
#[derive(Debug, Clone)]
pub struct Health {
    /// When the task moved last: a step taken, a wait begun or ended. Says nothing about success.
    pub moved: Instant,
    /// Whether the last attempt completed a look.
    pub fresh: bool,
    /// When a look was last completed, by both clocks.
    pub looked: Option<(Instant, Timestamp)>,
    /// How far the look that is under way has come: messages read, and how many there are.
    pub progress: Option<(usize, usize)>,
    /// What went wrong last, cleaned; empty when nothing did.
    pub trouble: String,
    /// Whether it waits for the disk: nothing can be logged, so nothing is fetched.
    pub no_room: bool,
    /// Until when nothing is fetched, because the provider's day is used up.
    pub paused: Option<Timestamp>,
    /// Mails logged since the start.
    pub stored: u64,
}

impl Pulse {
    /// A task that has just begun; `stop` becomes true when it is to end.
    pub fn new(stop: watch::Receiver<bool>) -> Pulse {
        let health = Health {
            moved: Instant::now(),
            fresh: false,
            looked: None,
            progress: None,
            trouble: String::new(),
            no_room: false,
            paused: None,
            stored: 0,
        };
        Pulse { health: Arc::new(Mutex::new(health)), stop, wake: Arc::new(watch::Sender::new(())) }
    }

    /// How the task is now.
    pub fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Health)) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.moved = Instant::now();
        change(&mut health);
    }

    /// The task moved.
    pub fn beat(&self) {
        self.change(|_| {});
    }

    /// The task has read so many messages of a look.
    pub fn progress(&self, read: usize, of: usize) {
        self.change(|health| health.progress = Some((read, of)));
    }

    /// A look was completed.
    pub fn looked(&self, looked: Looked) {
        self.change(|health| {
            health.fresh = true;
            health.looked = Some((Instant::now(), clock::now()));
            health.progress = None;
            health.trouble.clear();
            health.no_room = false;
            health.paused = None;
            health.stored += u64::from(looked.stored);
        });
    }

    /// Something failed; `text` is for the person.
    pub fn failed(&self, text: &str) {
        self.change(|health| {
            health.fresh = false;
            health.progress = None;
            health.trouble = crate::clean::line(text);
        });
    }

    /// Nothing is fetched until then.
    pub fn paused(&self, until: Timestamp) {
        self.change(|health| health.paused = Some(until));
    }

    /// Whether the log can be written now, as far as is known.
    pub fn no_room(&self, no_room: bool) {
        self.change(|health| health.no_room = no_room);
    }

    /// Whether the task is to end.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Completes when the task is to end.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // The sender lives as long as the daemon; if it is gone, the daemon is too.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Everything the task believes about its connection is void: it connects again.
    pub fn wake(&self) {
        self.wake.send_replace(());
    }

    /// Completes when [`Pulse::wake`] is called.
    pub async fn woken(&self) {
        let mut wake = self.wake.subscribe();
        // The sender lives in this very value.
        let _ = wake.changed().await;
    }

    /// Rests for a while; true when the task is to end instead.
    pub async fn rest(&self, how_long: Duration) -> bool {
        self.beat();
        tokio::select! {
            () = self.stopped() => true,
            () = tokio::time::sleep(how_long) => { self.beat(); false }
        }
    }
}
