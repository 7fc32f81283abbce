//! Tells systemd how the daemon is: READY, STATUS, WATCHDOG, RELOADING, STOPPING.
