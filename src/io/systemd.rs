//! Tells systemd how the daemon is: READY, STATUS, WATCHDOG, RELOADING, STOPPING (`sd_notify(3)`).
//!
//! Outside systemd every call does nothing. It must not decide when the daemon is well: whoever calls
//! [`Supervisor::alive`] has looked first. A lost notification is not an error of ours: systemd acts on its own clock.

use std::time::Duration;

use sd_notify::NotifyState;

/// Longest status text, in characters: `systemctl status` shows one line.
const STATUS_CHARS_MAX: usize = 200;

/// The service manager, if there is one.
///
/// Statuses are shown to whoever may read the unit: they hold counts and account names, never an address.
#[derive(Debug, Clone, Copy, Default)]
pub struct Supervisor;

impl Supervisor {
    /// The daemon is up: database open, lock held. Not: logged in, for a machine may start without a network.
    pub fn ready(self, status: &str) {
        tell(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
    }

    /// One line on how things are, e.g. `2 accounts watched, 3 drafts to review`.
    pub fn status(self, status: &str) {
        tell(&[NotifyState::Status(&one_line(status))]);
    }

    /// Every part of the daemon has moved since the last call: the watchdog starts anew.
    pub fn alive(self) {
        tell(&[NotifyState::Watchdog]);
    }

    /// The configuration is being read again; [`Supervisor::ready`] ends it. systemd 253 and newer want the monotonic
    /// time with it, older ones ignore that.
    pub fn reloading(self) {
        let now = NotifyState::monotonic_usec_now();
        tell(&[NotifyState::Reloading].into_iter().chain(now).collect::<Vec<_>>());
    }

    /// The daemon was asked to stop and is doing so.
    pub fn stopping(self, status: &str) {
        tell(&[NotifyState::Stopping, NotifyState::Status(&one_line(status))]);
    }

    /// How often to call [`Supervisor::alive`]: a quarter of `WatchdogSec=`, so that a slow moment kills nobody. `None`
    /// where no watchdog watches this process.
    pub fn watchdog_interval(self) -> Option<Duration> {
        sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()).map(|limit| limit / 4)
    }
}

fn tell(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}

/// A line feed would begin another variable of the protocol.
fn one_line(status: &str) -> String {
    crate::clean::line_within(status, STATUS_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixDatagram, process::Command};

    use super::*;

    /// Set in the process that plays the daemon.
    const PLAY: &str = "ONWARD_TEST_PLAY_DAEMON";

    /// Not a test by itself: the environment is the process's own, so the calls are made in one of their own.
    #[test]
    fn play_the_daemon() {
        if std::env::var_os(PLAY).is_none() {
            return;
        }
        Supervisor.ready("2 accounts\nWATCHDOG=trigger");
        Supervisor.status(&"x".repeat(1000));
        assert_eq!(Supervisor.watchdog_interval(), Some(Duration::from_secs(30)));
        Supervisor.alive();
        Supervisor.reloading();
        Supervisor.stopping("asked to");
    }

    fn daemon() -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "io::systemd::tests::play_the_daemon"]).env(PLAY, "1").env_remove("WATCHDOG_PID");
        command
    }

    #[test]
    fn systemd_hears_each_state_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let played = daemon().env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "120000000").output().unwrap();
        assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stdout));
        socket.set_nonblocking(true).unwrap();
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            heard.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        assert_eq!(heard.len(), 5, "{heard:?}");
        assert_eq!(heard[0], "READY=1\nSTATUS=2 accounts WATCHDOG=trigger\n");
        assert_eq!(heard[1], format!("STATUS={}\n", "x".repeat(STATUS_CHARS_MAX)));
        assert_eq!(heard[2], "WATCHDOG=1\n");
        let monotonic = heard[3].strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(monotonic.trim_end().parse::<u64>().unwrap() > 0);
        assert_eq!(heard[4], "STOPPING=1\nSTATUS=asked to\n");
    }

    #[test]
    fn without_systemd_nothing_happens() {
        assert_eq!(Supervisor.watchdog_interval(), None);
        let played = daemon().env_remove("NOTIFY_SOCKET").env("WATCHDOG_USEC", "120000000").output().unwrap();
        assert!(played.status.success());
    }
}
