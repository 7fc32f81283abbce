//! The daemon under a service manager: what it says on the notification socket from its start to its end.

mod codes;
mod damage;
mod disk;
mod doctor;
mod ending;

use std::{
    os::unix::{fs::OpenOptionsExt as _, net::UnixDatagram},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::support::PATIENCE;

/// A daemon on an empty Maildir; killed when dropped, should a test fail before its end.
struct Daemon(Child);

impl Daemon {
    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads messages until one holds `wanted` on a line of its own, and gives that one.
fn hear(socket: &UnixDatagram, wanted: &str) -> String {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("never heard {wanted}: {error}; {heard:?}"));
        let said = String::from_utf8(buffer[..n].to_vec()).unwrap();
        if said.lines().any(|line| line == wanted) {
            return said;
        }
        heard.push(said);
    }
}

#[test]
fn the_service_manager_hears_of_start_life_reload_and_end() {
    let dir = tempfile::tempdir().unwrap();
    for sub in ["mail/new", "mail/cur", "mail/tmp"] {
        std::fs::create_dir_all(dir.path().join(sub)).unwrap();
    }
    let config = dir.path().join("config.toml");
    let text = format!(
        "[[identity]]\nname = \"Robin Hale\"\naddresses = [\"robin@example.com\"]\nlanguage = \"en\"\n\n\
         [[account]]\nname = \"home\"\nmaildir = \"{}\"\n",
        dir.path().join("mail").display()
    );
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&config).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();

    let mut daemon = Daemon(
        Command::new(env!("CARGO_BIN_EXE_onward"))
            .arg("run")
            .arg("--config")
            .arg(&config)
            .env("STATE_DIRECTORY", dir.path().join("state"))
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", Duration::from_secs(2).as_micros().to_string())
            .env_remove("WATCHDOG_PID")
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let ready = hear(&socket, "READY=1");
    assert!(ready.lines().any(|line| line.starts_with("STATUS=home: ")), "{ready}");
    hear(&socket, "WATCHDOG=1");
    daemon.signal("-HUP");
    hear(&socket, "RELOADING=1");
    hear(&socket, "READY=1");
    daemon.signal("-TERM");
    hear(&socket, "STOPPING=1");
    assert!(daemon.0.wait().unwrap().success());
}
