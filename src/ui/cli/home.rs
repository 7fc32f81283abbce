//! Where this run finds its configuration, its database and the person's own files: found once, opened on demand.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use jiff::tz::TimeZone;

use super::args::Common;
use crate::{
    app::{
        kit::{self, Kit},
        memory,
    },
    config::{self, Config, Env},
    io::store::{Store, StoreError, last_good_backup},
    learn::Learned,
    rules::{Purpose, RuleSet},
};

/// What every verb gets.
pub struct Home {
    /// Options that every verb takes.
    pub args: Common,
    /// The process's surroundings, `--state` applied.
    pub env: Env,
}

impl Home {
    /// From the arguments and the environment.
    pub fn new(args: Common) -> Home {
        let mut env = Env::of_process();
        if let Some(dir) = &args.state {
            env.state_directory = Some(std::path::absolute(dir).unwrap_or_else(|_| dir.clone()));
        }
        Home { args, env }
    }

    /// Whether JSON is wanted.
    pub fn json(&self) -> bool {
        self.args.json
    }

    /// The configuration file's path, whether it exists or not.
    pub fn config_path(&self) -> Result<PathBuf> {
        Ok(self.env.config_path(self.args.config.as_deref())?)
    }

    /// The configuration.
    pub fn config(&self) -> Result<Config> {
        Ok(config::load(&self.config_path()?, &self.env)?)
    }

    /// The configuration where there is a file; a broken one is still an error.
    pub fn config_if_any(&self) -> Result<Option<Config>> {
        let path = self.config_path()?;
        if self.args.config.is_none() && !path.exists() {
            return Ok(None);
        }
        self.config().map(Some)
    }

    /// The database file.
    pub fn database(&self) -> Result<PathBuf> {
        Ok(match self.config_if_any()? {
            Some(config) => config.store,
            None => self.env.state_dir()?.join(config::DATABASE),
        })
    }

    /// The person's time zone: the configured one, else the system's.
    pub fn zone(&self) -> Result<TimeZone> {
        Ok(self.config_if_any()?.map_or_else(|| self.env.zone.clone(), |config| config.telling.zone))
    }

    /// The log, to read. Fails with a hint where nothing was ever logged.
    pub fn log(&self) -> Result<Store> {
        let path = self.logged()?;
        Store::open_to_read(&path).with_context(|| format!("the log {} cannot be read", path.display()))
    }

    /// The log, to change what is in it. Fails with a hint where nothing was ever logged.
    pub fn store(&self) -> Result<Store> {
        self.logged()?;
        self.new_store()
    }

    /// The log, to add to it: made where there is none.
    pub fn new_store(&self) -> Result<Store> {
        let path = self.database()?;
        Store::open(&path).with_context(|| format!("the log {} cannot be opened", path.display()))
    }

    /// The database file, where there is one.
    fn logged(&self) -> Result<PathBuf> {
        let path = self.database()?;
        // Opening one that is gone says so, and how to get it back.
        if path.exists() || last_good_backup(&path).is_some() {
            return Ok(path);
        }
        let next = match self.config_if_any()? {
            Some(_) => "`onward once` looks at your mailbox",
            None => "`onward config example` prints a configuration to start from, `onward demo` shows a sample",
        };
        anyhow::bail!("nothing is logged yet ({} does not exist): {next}", path.display())
    }

    /// The directory of the person's rules and the shipped files they left out; without a configuration, the directory
    /// beside where it would be.
    pub fn rule_files(&self) -> Result<(PathBuf, Vec<String>)> {
        Ok(match self.config_if_any()? {
            Some(config) => (config.rules_dir(), config.rules.disable),
            None => (self.config_path()?.with_file_name("rules"), Vec::new()),
        })
    }

    /// The rules in force.
    pub fn rules(&self) -> Result<RuleSet> {
        let (dir, disabled) = self.rule_files()?;
        kit::load_rules(Purpose::Everything, Some(&dir), &disabled)
            .map_err(|problems| anyhow::anyhow!("{}", problems.join("\n")))
    }

    /// What the person's corrections taught; nothing where nothing was logged yet, or only by an older version, which
    /// learned nothing.
    pub fn learned(&self, rules: &RuleSet) -> Result<Learned> {
        let path = self.database()?;
        match Store::open_to_read(&path) {
            Ok(store) => Ok(memory::read(&store, rules, &self.zone()?)?),
            Err(StoreError::Missing { .. } | StoreError::OlderSchema { .. }) => Ok(Learned::default()),
            Err(error) => Err(error).with_context(|| format!("the log {} cannot be read", path.display())),
        }
    }

    /// Rules and texts, as the configuration has them.
    pub fn kit(&self) -> Result<Kit> {
        Ok(Kit::load(&self.config()?)?)
    }
}
