//! `onward` in a home of its own, and what memory it has.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::support::dovecot::PASSWORD;

/// How often memory is read.
const EVERY: Duration = Duration::from_millis(20);

/// Memory of a process, in KiB.
#[derive(Default)]
pub struct Peak {
    pub resident: u64,
    /// Pages of files, the program itself above all.
    pub of_files: u64,
}

/// A configuration for one account and a log of its own.
pub struct Home {
    dir: TempDir,
}

impl Home {
    pub fn new(port: u16, tls: &str, ca: &Path, user: &str) -> Home {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("onward");
        fs::create_dir(&config).unwrap();
        fs::write(config.join("password"), PASSWORD).unwrap();
        let text = format!(
            "[[identity]]\nname = \"Kim Doe\"\naddresses = [\"kim@example.org\"]\n[[account]]\nname = \"post\"\n\
             look_back = \"3000d\"\n[account.imap]\nhost = \"localhost\"\nport = {port}\ntls = \"{tls}\"\n\
             ca_file = \"{}\"\nuser = \"{user}\"\npassword.file = \"password\"\n",
            ca.display()
        );
        fs::write(config.join("config.toml"), text).unwrap();
        for name in ["password", "config.toml"] {
            private(&config.join(name));
        }
        Home { dir }
    }

    /// The log.
    pub fn database(&self) -> std::path::PathBuf {
        self.dir.path().join("state/onward/onward.db")
    }

    pub fn start(&self, verb: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onward"));
        command.arg(verb).env("XDG_CONFIG_HOME", self.dir.path()).env("XDG_STATE_HOME", self.dir.path().join("state"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// One look: how long it took, and its memory at most.
    pub fn once(&self) -> (Duration, Peak) {
        let begun = Instant::now();
        let mut child = self.start("once");
        let mut peak = Peak::default();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if let Some(now) = memory(child.id(), "VmHWM:") {
                peak.resident = peak.resident.max(now.resident);
                peak.of_files = peak.of_files.max(now.of_files);
            }
            sleep(EVERY);
        };
        assert!(status.success(), "onward once: {status}");
        (begun.elapsed(), peak)
    }

    /// The memory of a daemon that has nothing to do, after so long.
    pub fn waiting(&self, settles: Duration) -> Peak {
        let mut child = self.start("run");
        sleep(settles);
        let found = memory(child.id(), "VmRSS:").unwrap();
        stop(&mut child);
        found
    }
}

/// Asks a daemon to end, and waits for it.
pub fn stop(child: &mut Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    child.wait().unwrap();
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn memory(pid: u32, resident: &str) -> Option<Peak> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    Some(Peak { resident: field(resident)?, of_files: field("RssFile:")? })
}
