//! `onward config …`.

use anyhow::Result;
use serde_json::json;

use super::{EX_CONFIG, Exit, args::ConfigVerb, home::Home};
use crate::{config, io::oauth, ui::term::Screen};

/// Runs a verb.
pub fn run(home: &Home, verb: ConfigVerb, screen: &mut Screen<'_>) -> Result<Exit> {
    match verb {
        ConfigVerb::Path => {
            let path = home.config_path()?;
            // A broken configuration is when the path is wanted most.
            let state = home.database();
            if home.json() {
                writeln!(screen.raw(), "{}", json!({ "config": path, "database": state.ok() }))?;
            } else {
                let missing = if path.exists() { "" } else { "  (not there yet)" };
                screen.line(format!("configuration  {}{missing}", path.display()))?;
                screen.line(match state {
                    Ok(state) => format!("database       {}", state.display()),
                    Err(_) => {
                        "database       not known before the configuration is right: `onward config check`".to_owned()
                    }
                })?;
            }
        }
        ConfigVerb::Check => match config::load(&home.config_path()?, &home.env) {
            Ok(config) if home.json() => {
                writeln!(screen.raw(), "{}", json!({ "file": config.file, "problems": [], "hints": config.hints }))?
            }
            Ok(config) => {
                screen.line(format!("{} is fine.", config.file.display()))?;
                for hint in &config.hints {
                    screen.line(hint.as_hint())?;
                }
                // Not a mistake of the file, so it changes no status.
                let states = config.accounts.iter().filter_map(|account| account.oauth()).map(oauth::state);
                for error in states.filter_map(Result::err) {
                    screen.wrapped("", &format!("Left to do: {error}"))?;
                }
            }
            Err(report) if home.json() => {
                writeln!(screen.raw(), "{}", serde_json::to_string(&report)?)?;
                return Ok(Exit::System(EX_CONFIG));
            }
            Err(report) => return Err(report.into()),
        },
        ConfigVerb::Dump => {
            let text = home.config()?.dump();
            if home.json() {
                let value: toml::Table = toml::from_str(&text)?;
                writeln!(screen.raw(), "{}", serde_json::to_string(&value)?)?;
            } else {
                write!(screen.raw(), "{text}")?;
            }
        }
        ConfigVerb::Example => write!(screen.raw(), "{}", config::EXAMPLE)?,
    }
    Ok(Exit::Fine)
}
