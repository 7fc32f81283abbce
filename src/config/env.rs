//! What the process was given by its surroundings, read once and passed on, so that the rest can be tested.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

/// The name of the directories below the configuration and state homes.
const NAME: &str = "onward";

/// The surroundings that configuration depends on.
#[derive(Debug, Clone)]
pub struct Env {
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `$XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
    /// `$CONFIGURATION_DIRECTORY`, set by systemd for `ConfigurationDirectory=`.
    pub configuration_directory: Option<PathBuf>,
    /// `$STATE_DIRECTORY`, set by systemd for `StateDirectory=`.
    pub state_directory: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY`, set by systemd for `LoadCredential=`.
    pub credentials_directory: Option<PathBuf>,
    /// The effective user; `None` where the system does not tell, and then owners are not checked.
    pub uid: Option<u32>,
    /// The system's time zone.
    pub zone: TimeZone,
}

/// Neither a home directory nor an explicit place is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no home directory to find {what} in: set HOME or {variable}")]
pub struct NoHome {
    what: &'static str,
    variable: &'static str,
}

impl Env {
    /// The surroundings of this process.
    pub fn of_process() -> Env {
        Env {
            home: directory("HOME"),
            config_home: directory("XDG_CONFIG_HOME"),
            state_home: directory("XDG_STATE_HOME"),
            configuration_directory: directory("CONFIGURATION_DIRECTORY"),
            state_directory: directory("STATE_DIRECTORY"),
            credentials_directory: directory("CREDENTIALS_DIRECTORY"),
            uid: effective_uid(),
            zone: TimeZone::system(),
        }
    }

    /// The configuration file: the one asked for, else systemd's, else the person's.
    pub fn config_path(&self, asked: Option<&Path>) -> Result<PathBuf, NoHome> {
        if let Some(path) = asked {
            return Ok(path.to_path_buf());
        }
        if let Some(directory) = &self.configuration_directory {
            return Ok(directory.join("config.toml"));
        }
        let home = self.config_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".config")));
        let home = home.ok_or(NoHome { what: "the configuration", variable: "XDG_CONFIG_HOME" })?;
        Ok(home.join(NAME).join("config.toml"))
    }

    /// The directory that holds the database: systemd's, else the person's.
    pub fn state_dir(&self) -> Result<PathBuf, NoHome> {
        if let Some(directory) = &self.state_directory {
            return Ok(directory.clone());
        }
        let home = self.state_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".local/state")));
        Ok(home.ok_or(NoHome { what: "the database", variable: "XDG_STATE_HOME" })?.join(NAME))
    }
}

/// A directory named by a variable. systemd separates several by colons, the first is the unit's main one; the XDG
/// specification wants relative paths ignored.
fn directory(variable: &str) -> Option<PathBuf> {
    let value = std::env::var_os(variable)?;
    let first = std::env::split_paths(&value).next()?;
    first.is_absolute().then_some(first)
}

/// The effective user, from the only place that tells without unsafe code. `/proc/self` itself would not do: it
/// belongs to root when core dumps are forbidden.
fn effective_uid() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare() -> Env {
        Env {
            home: None,
            config_home: None,
            state_home: None,
            configuration_directory: None,
            state_directory: None,
            credentials_directory: None,
            uid: None,
            zone: TimeZone::UTC,
        }
    }

    #[test]
    fn places_go_from_the_most_to_the_least_explicit() {
        let mut env = bare();
        assert!(env.config_path(None).is_err());
        assert!(env.state_dir().unwrap_err().to_string().contains("XDG_STATE_HOME"));
        env.home = Some("/home/sam".into());
        assert_eq!(env.config_path(None).unwrap(), Path::new("/home/sam/.config/onward/config.toml"));
        assert_eq!(env.state_dir().unwrap(), Path::new("/home/sam/.local/state/onward"));
        env.config_home = Some("/c".into());
        env.state_home = Some("/s".into());
        assert_eq!(env.config_path(None).unwrap(), Path::new("/c/onward/config.toml"));
        assert_eq!(env.state_dir().unwrap(), Path::new("/s/onward"));
        env.configuration_directory = Some("/etc/onward".into());
        env.state_directory = Some("/var/lib/onward".into());
        assert_eq!(env.config_path(None).unwrap(), Path::new("/etc/onward/config.toml"));
        assert_eq!(env.state_dir().unwrap(), Path::new("/var/lib/onward"));
        assert_eq!(env.config_path(Some(Path::new("mine.toml"))).unwrap(), Path::new("mine.toml"));
    }

    #[test]
    fn this_process_knows_its_user_on_linux() {
        assert_eq!(effective_uid().is_some(), cfg!(target_os = "linux"));
    }
}
