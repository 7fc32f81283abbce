//! `onward demo`: the ordinary path against an embedded IMAP server.
//!
//! [`mailbox`] is the sample mail, [`server`] the server that holds it. Neither knows anything of rules, outcomes or
//! drafts: the engine that reads this mailbox cannot tell that it is a demo. What is special here is only the
//! configuration, an ordinary `config.toml` in a temporary directory.

pub mod mailbox;
pub mod server;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use jiff::tz::TimeZone;
use tokio::{sync::oneshot, time::timeout};

pub use mailbox::{ANCHOR, PERSON_EMAIL, PERSON_NAME, SampleMail, sample};
pub use server::{DemoMail, DemoServer, FlagsOf};

use super::{daemon, kit::Kit};
use crate::{
    config::{self, Config, Env},
    io::store::{Db, Lock, Store},
};

/// The account's name in the demo's configuration.
const ACCOUNT: &str = "sample";
/// How long the daemon may take for the sample: it needs a second, a slow machine some more.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked whether it is done.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A sample mailbox, a server that holds it, and a configuration that points there. Removed when dropped.
pub struct Demo {
    /// The server.
    pub server: DemoServer,
    /// The configuration.
    pub config: Config,
    /// How many mails there are.
    pub mails: u32,
    env: Env,
    dir: PathBuf,
}

impl Demo {
    /// Starts the server and writes the configuration into a temporary directory.
    pub async fn start() -> Result<Demo> {
        let mail: Vec<DemoMail> = sample(ANCHOR)?.into_iter().map(|sample| sample.mail).collect();
        let mails = u32::try_from(mail.len()).unwrap_or(u32::MAX);
        let server = DemoServer::start(mail).await.context("no server could be started on 127.0.0.1")?;
        let dir = std::env::temp_dir().join(format!("onward-demo-{}", uuid::Uuid::new_v4()));
        fs::DirBuilder::new().mode(0o700).create(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let env = surroundings(&dir);
        private(&dir.join("password"), server.password())?;
        private(&dir.join("config.toml"), &configuration(&server, &dir))?;
        let config = match config::load(&dir.join("config.toml"), &env) {
            Ok(config) => config,
            Err(report) => {
                let _ = fs::remove_dir_all(&dir);
                return Err(report.into());
            }
        };
        Ok(Demo { server, config, mails, env, dir })
    }

    /// Runs the ordinary daemon until everything in the sample mailbox is logged, then ends it as systemd would.
    pub async fn watch(&self) -> Result<()> {
        let kit = Kit::load(&self.config)?;
        let lock = Lock::acquire(&self.dir)?;
        let db = Db::new(Store::open(&self.config.store)?);
        let (path, env) = (self.config.file.clone(), self.env.clone());
        let load: daemon::Load = Box::new(move || {
            let config = config::load(&path, &env)?;
            let kit = Kit::load(&config)?;
            Ok((config, kit))
        });
        let (end, ended) = oneshot::channel::<()>();
        let until = async { ended.await.unwrap_or_default() };
        let daemon = tokio::spawn(daemon::run(self.config.clone(), kit, db.clone(), load, lock, until));
        let done = timeout(PATIENCE, self.all_logged(&db)).await;
        let _ = end.send(());
        daemon.await.context("the daemon failed")??;
        match done {
            Ok(result) => result,
            Err(_) => bail!("the sample mailbox was not read within {} seconds", PATIENCE.as_secs()),
        }
    }

    async fn all_logged(&self, db: &Db) -> Result<()> {
        while db.call(|store| store.counts()).await?.messages < self.mails {
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The demo reads nothing of the person's: every place is in its own directory, times are told in UTC.
fn surroundings(dir: &Path) -> Env {
    Env {
        home: Some(dir.to_path_buf()),
        config_home: Some(dir.to_path_buf()),
        state_home: Some(dir.to_path_buf()),
        configuration_directory: Some(dir.to_path_buf()),
        state_directory: Some(dir.to_path_buf()),
        credentials_directory: None,
        zone: TimeZone::UTC,
        ..Env::of_process()
    }
}

/// The configuration, as a person would write it for a mail bridge on their own machine.
fn configuration(server: &DemoServer, dir: &Path) -> String {
    let address = server.address();
    format!(
        r#"[[identity]]
name = "{PERSON_NAME}"
addresses = ["{PERSON_EMAIL}"]
language = "en"

[[account]]
name = "{ACCOUNT}"
mailboxes = ["INBOX", "Junk"]
look_back = "3650d"

[account.imap]
host = "{host}"
port = {port}
tls = "none-loopback"
user = "{user}"
password.file = "{password}"

# Nobody here ever answers, and a sample shall look the same each day.
[reply]
follow_up = "never"
follow_up_interview = "never"
keep_in_touch = "never"
"#,
        host = address.ip(),
        port = address.port(),
        user = server.user(),
        password = dir.join("password").display(),
    )
}

/// A file that only the person can read.
fn private(path: &Path, text: &str) -> Result<()> {
    let open = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    open.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))
}
