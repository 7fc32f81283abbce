//! The daemon inside the test, with accounts on fake servers.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use onward::{
    app::{daemon, kit::Kit},
    config::{self, Config, Env},
    io::store::{Db, Filter, Lock, Store},
    outcome::Category,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{PATIENCE, fake_imap::FakeImap};

/// How often the accounts of these tests are looked at.
pub const POLL: Duration = Duration::from_millis(100);

/// A daemon that watches fake servers, an account each.
pub struct Watching {
    dir: TempDir,
    /// The log.
    pub db: Db,
    end: Option<oneshot::Sender<()>>,
    daemon: Option<JoinHandle<anyhow::Result<()>>>,
}

/// The configuration of a home that is this directory: the text, and the password in a file beside it.
pub fn config_in(dir: &Path, text: &str) -> Config {
    load_in(dir, text).unwrap_or_else(|report| panic!("{report}"))
}

/// [`config_in`], or what is wrong with it.
pub fn load_in(dir: &Path, text: &str) -> Result<Config, config::Report> {
    for (name, content) in [("password", "kestrel-lantern-4711"), ("config.toml", text)] {
        fs::write(dir.join(name), content).unwrap();
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let home = Some(dir.to_path_buf());
    let env = Env {
        config_home: home.clone(),
        state_home: home.clone(),
        state_directory: home.clone(),
        home,
        configuration_directory: None,
        credentials_directory: None,
        ..Env::of_process()
    };
    config::load(&dir.join("config.toml"), &env)
}

/// A configuration with an account for each server: `a0`, `a1`, …
pub fn configured(dir: &TempDir, servers: &[&FakeImap]) -> Config {
    at_ports(dir, &servers.iter().map(|server| server.port()).collect::<Vec<_>>())
}

/// The same for servers that may not be there yet.
fn at_ports(dir: &TempDir, ports: &[u16]) -> Config {
    let mut text =
        "[[identity]]\nname = \"Ada Stein\"\naddresses = [\"ada@home.example\"]\nlanguage = \"en\"\n".to_owned();
    for (n, port) in ports.iter().enumerate() {
        text += &format!(
            "\n[[account]]\nname = \"a{n}\"\nlook_back = \"30d\"\n[account.imap]\nhost = \"127.0.0.1\"\nport = {port}\n\
             tls = \"none-loopback\"\nuser = \"ada\"\npassword.file = \"password\"\n"
        );
    }
    let mut config = config_in(dir.path(), &text);
    for account in &mut config.accounts {
        account.poll = POLL;
    }
    config
}

impl Watching {
    /// Starts the daemon in a home of its own.
    pub fn start(servers: &[&FakeImap]) -> Watching {
        Watching::start_with(servers, |_| {})
    }

    /// Starts the daemon with a configuration that was changed.
    pub fn start_with(servers: &[&FakeImap], change: impl FnOnce(&mut Config)) -> Watching {
        let dir = tempfile::tempdir().unwrap();
        let mut config = configured(&dir, servers);
        change(&mut config);
        Watching::run(dir, config)
    }

    /// Starts the daemon with an account at a port where nobody listens yet.
    pub fn start_at(port: u16) -> Watching {
        let dir = tempfile::tempdir().unwrap();
        let config = at_ports(&dir, &[port]);
        Watching::run(dir, config)
    }

    fn run(dir: TempDir, config: Config) -> Watching {
        let kit = Kit::load(&config).unwrap();
        let db = Db::new(Store::open(&dir.path().join("onward.db")).unwrap());
        let lock = Lock::acquire(dir.path()).unwrap();
        let (end, ended) = oneshot::channel();
        let load: daemon::Load = Box::new(|| anyhow::bail!("nothing is read again here"));
        let until = async { ended.await.unwrap_or_default() };
        let daemon = tokio::spawn(daemon::run(config, kit, db.clone(), load, lock, until));
        Watching { dir, db, end: Some(end), daemon: Some(daemon) }
    }

    /// Mails logged for an account.
    pub async fn stored(&self, account: &'static str) -> usize {
        let list = |store: &mut Store| store.list(&Filter::default());
        let rows = self.db.call(list).await.unwrap();
        assert!(rows.iter().all(|row| row.outcome.category == Category::Rejection), "{rows:?}");
        rows.iter().filter(|row| row.mail.as_ref().is_some_and(|mail| mail.account == account)).count()
    }

    /// Waits until that many mails of an account are logged.
    pub async fn wait_for(&self, account: &'static str, count: usize) {
        until(&format!("{count} mails of {account} are logged"), async || self.stored(account).await == count).await;
    }

    /// Ends the daemon as systemd would.
    pub async fn stop(mut self) -> TempDir {
        let _ = self.end.take().unwrap().send(());
        self.daemon.take().unwrap().await.unwrap().unwrap();
        self.dir
    }
}

/// Waits until something holds.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let held = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.unwrap_or_else(|_| panic!("this never came true: {what}"));
}

/// A no of one employer.
pub fn no(employer: &str) -> String {
    format!(
        "From: Jobs at {employer} <jobs@{0}.example>\r\nTo: ada@home.example\r\nSubject: Your application to {employer}\r\n\
         Message-ID: <no@{0}.example>\r\nDate: Mon, 16 Nov 2026 09:00:00 +0000\r\n\r\n\
         Dear Ada Stein,\r\n\r\nthank you for applying for the position of Data Analyst at {employer}. Unfortunately, we \
         have decided not to go ahead with your application.\r\n\r\nKind regards\r\n{employer}\r\n",
        employer.to_lowercase()
    )
}
