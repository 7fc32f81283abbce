//! A person's machine: configuration and state in directories of their own, and the real binary run in them.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use onward::config::Tls;
use serde_json::Value;

use super::{
    dovecot::{Dovecot, PASSWORD},
    postfix::Postfix,
    wait_until_or,
};

/// The address of the person in every home, and in the mail they get.
pub const ADDRESS: &str = "robin@example.com";

/// Longest a daemon may take to end when asked to.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Where Robin Hale looks for work.
pub struct Home {
    dir: tempfile::TempDir,
    started: AtomicUsize,
}

/// What a verb said.
#[derive(Debug)]
pub struct Said {
    /// Exit status.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// The JSON values in the output, one after the other.
    pub fn json(&self) -> Vec<Value> {
        serde_json::Deserializer::from_str(&self.out)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl Home {
    /// A home without configuration.
    pub fn new() -> Home {
        let dir = tempfile::Builder::new().prefix("onward-home-").tempdir().unwrap();
        fs::create_dir_all(dir.path().join("config/onward/rules")).unwrap();
        Home { dir, started: AtomicUsize::new(0) }
    }

    /// A home whose mail lies on that Dovecot. The configuration asks for polls so rarely that only IDLE can bring
    /// news in time.
    pub fn with_account(dovecot: &Dovecot, user: &str) -> Home {
        let home = Home::new();
        home.write_password(PASSWORD);
        home.write_config(&home.config(dovecot, user, None));
        // The samples come from few people, and a week of them from one address.
        fs::create_dir_all(home.config_dir().join("rules")).unwrap();
        home.write("rules/replies.toml", "[caps]\ndrafts_per_sender_a_week = 20\n");
        home
    }

    /// A home whose mail lies in a Maildir of its own, so that no server is needed; `more` ends the account's table.
    pub fn with_maildir(more: &str) -> Home {
        let home = Home::new();
        for sub in ["cur", "new", "tmp"] {
            fs::create_dir_all(home.maildir().join(sub)).unwrap();
        }
        home.write_password(PASSWORD);
        home.write_config(&format!(
            "[[identity]]\nname = \"Robin Hale\"\naddresses = [\"{ADDRESS}\"]\n\n[telling]\ntime_zone = \"UTC\"\n\n\
             [log]\nlevel = \"debug\"\n\n[[account]]\nname = \"home\"\nmaildir = \"{}\"\n{more}",
            home.maildir().display()
        ));
        home
    }

    /// The Maildir of [`Home::with_maildir`].
    pub fn maildir(&self) -> PathBuf {
        self.dir.path().join("mail")
    }

    /// Puts a mail into the Maildir.
    pub fn deliver(&self, name: &str, bytes: &[u8]) {
        let waiting = self.maildir().join("tmp").join(name);
        fs::write(&waiting, bytes).unwrap();
        fs::rename(waiting, self.maildir().join("new").join(name)).unwrap();
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.state_dir().join("onward.db")
    }

    /// A configuration: an account on that Dovecot, and, with a Postfix, replies that are sent through it.
    pub fn config(&self, dovecot: &Dovecot, user: &str, postfix: Option<&Postfix>) -> String {
        let imap = dovecot.server(Tls::Implicit);
        let ca = dovecot.ca_file();
        let ca = ca.display();
        let mut text = format!(
            "[[identity]]\nname = \"Robin Hale\"\naddresses = [\"{ADDRESS}\"]\n\n\
             [[account]]\nname = \"home\"\npoll = \"10m\"\n\n\
             [account.imap]\nhost = \"{}\"\nport = {}\ntls = \"implicit\"\nca_file = \"{ca}\"\nuser = \"{user}\"\n\
             password.file = \"password\"\n\n",
            imap.host, imap.port
        );
        if let Some(postfix) = postfix {
            let port = postfix.starttls_port;
            text += &format!(
                "[account.smtp]\nhost = \"localhost\"\nport = {port}\ntls = \"starttls\"\nca_file = \"{ca}\"\n\n"
            );
        }
        let deliver = if postfix.is_some() { "smtp" } else { "drafts" };
        text + &format!(
            "[reply]\ndeliver = \"{deliver}\"\n\n[telling]\ntime_zone = \"UTC\"\n\n[log]\nlevel = \"debug\"\n"
        )
    }

    /// Replaces the configuration, readable by its owner alone.
    pub fn write_config(&self, text: &str) {
        self.write("config.toml", text);
    }

    /// Notes that the configured servers can send, as `onward send --test` does.
    pub fn prove_smtp(&self) {
        super::prove_smtp(self.dir.path(), &self.config_dir().join("config.toml"), &self.state_dir());
    }

    /// Lets so much time pass for the log: everything in it happened that much earlier.
    pub fn pass_time(&self, span: Duration) {
        age_log(&self.database(), span);
    }

    /// Replaces the file with the password.
    pub fn write_password(&self, password: &str) {
        self.write("password", password);
    }

    /// Writes a file beside the configuration, mode 0600.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.config_dir().join(name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// The directory of the configuration.
    pub fn config_dir(&self) -> PathBuf {
        self.dir.path().join("config/onward")
    }

    /// The directory of the database.
    pub fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state/onward")
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_onward")), arguments)
    }

    /// Another program in this home, e.g. one that runs ours.
    pub fn program(&self, program: &Path, arguments: &[&str]) -> Command {
        let at = |name: &str| self.dir.path().join(name);
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TZ", "UTC");
        command.env("HOME", self.dir.path());
        command.env("XDG_CONFIG_HOME", at("config")).env("XDG_STATE_HOME", at("state"));
        command
    }

    /// Runs a verb to its end.
    pub fn verb(&self, arguments: &[&str]) -> Said {
        Home::said(&mut self.command(arguments), arguments)
    }

    /// Runs a shell script in a mount namespace of its own, where it may mount what it likes; `$onward` is the program.
    /// `None` where this user may not have one.
    pub fn apart(&self, script: &str) -> Option<Said> {
        let alone = ["-m", "--"].as_slice();
        let mapped = ["-rm", "--"].as_slice();
        let works = |how: &&&[&str]| {
            let mut tried = self.program(Path::new("unshare"), how);
            tried.args(["mount", "-t", "tmpfs", "none"]).arg(self.dir.path().join("config"));
            tried.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let Some(how) = [alone, mapped].iter().find(works).copied() else {
            super::skipped("no mount namespaces for this user: run as root");
            return None;
        };
        let mut command = self.program(Path::new("unshare"), how);
        command.args(["sh", "-c", script]).env("onward", env!("CARGO_BIN_EXE_onward"));
        Some(Home::said(&mut command, &["sh", script]))
    }

    fn said(command: &mut Command, arguments: &[&str]) -> Said {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("{arguments:?} was ended by a signal"));
        Said { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs a verb that must succeed with `--json`; 4 says only that something waits for the person.
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let said = self.verb(&[arguments, &["--json"]].concat());
        assert!([0, 4].contains(&said.code), "{arguments:?}: {said:?}\n{}", self.logs());
        said.json()
    }

    /// [`Home::json`] for a verb that says one thing.
    pub fn one(&self, arguments: &[&str]) -> Value {
        let mut values = self.json(arguments);
        assert_eq!(values.len(), 1, "{arguments:?}: {values:?}");
        values.remove(0)
    }

    /// Starts the daemon and waits until it is up.
    pub fn start(&self) -> Daemon {
        self.start_as(self.command(&["run"]))
    }

    /// Starts the daemon whose files may grow to so many bytes and no further, as on a full disk; see
    /// [`Daemon::give_room`].
    pub fn start_short_of_disk(&self, bytes: u64) -> Daemon {
        // The signal for a file that is too long would end the process; the program is to get the error.
        let script = r#"trap '' XFSZ; exec prlimit --fsize="$0": "$@""#;
        let run = [env!("CARGO_BIN_EXE_onward"), "run"];
        let mut command = self.program(Path::new("sh"), &["-c", script, &bytes.to_string()]);
        command.args(run);
        self.start_as(command)
    }

    fn start_as(&self, command: Command) -> Daemon {
        let mut daemon = self.spawn(command);
        let up = || {
            assert!(daemon.is_running(), "the daemon ended instead of starting:\n{}", daemon.log());
            daemon.log().contains("Onward watches.")
        };
        wait_until_or("the daemon is up", || self.logs(), up);
        daemon
    }

    fn spawn(&self, mut command: Command) -> Daemon {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let log = self.dir.path().join(format!("daemon-{number:02}.log"));
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        Daemon { child, log }
    }

    /// What all daemons of this home wrote, in the order they were started.
    pub fn logs(&self) -> String {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension() == Some(OsStr::new("log")));
        files.sort();
        files.iter().map(|path| read(path)).collect()
    }
}

/// Has everything in a log happened earlier, so that no test waits for minutes to pass. No daemon may write meanwhile.
pub fn age_log(database: &Path, span: Duration) {
    let db = rusqlite::Connection::open(database).unwrap();
    db.busy_timeout(Duration::from_secs(20)).unwrap();
    let trigger: String =
        db.query_row("SELECT sql FROM sqlite_schema WHERE name = 'event_no_update'", [], |row| row.get(0)).unwrap();
    let seconds = span.as_secs();
    db.execute_batch(&format!(
        "BEGIN IMMEDIATE; DROP TRIGGER event_no_update; UPDATE event SET at = at - {seconds}; {trigger}; COMMIT;"
    ))
    .unwrap();
}

/// A running daemon; killed when dropped, so that a failing test leaves none behind.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// What it wrote so far.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// Waits until it has written `text`.
    pub fn wait_for(&self, text: &str) {
        wait_until_or(&format!("the log says {text:?}"), || self.log(), || self.log().contains(text));
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it to read its configuration again (SIGHUP).
    pub fn reload(&self) {
        self.signal("HUP");
    }

    /// Ends what [`Home::start_short_of_disk`] began.
    pub fn give_room(&self) {
        let arguments = ["--pid", &self.child.id().to_string(), "--fsize=unlimited:"];
        assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
    }

    /// Asks it to end (SIGTERM) and waits until it has heard.
    pub fn ask_to_end(&self) {
        self.signal("TERM");
        self.wait_for("Onward was asked to stop.");
    }

    /// Waits for its end, however long that takes.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Asks it to end (SIGTERM), and expects that it does so in time and in order.
    pub fn stop(mut self) {
        let asked = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        let took = asked.elapsed();
        assert_eq!(status.code(), Some(0), "after SIGTERM:\n{}", self.log());
        assert!(took < STOP_WITHIN, "it took {took:?} to stop:\n{}", self.log());
    }

    /// Ends it without a word (SIGKILL).
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) -> ExitStatus {
        let _ = self.child.kill();
        self.child.wait().unwrap()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "kill -s {name}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
