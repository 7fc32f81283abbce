//! `onward config …`.

use anyhow::Result;
use serde_json::json;

use super::{EX_CONFIG, Exit, args::ConfigVerb, home::Home};
use crate::{config, ui::term::Screen};

/// Runs a verb.
pub fn run(home: &Home, verb: ConfigVerb, screen: &mut Screen<'_>) -> Result<Exit> {
    match verb {
        ConfigVerb::Path => {
            let path = home.config_path()?;
            let state = home.database()?;
            if home.json() {
                writeln!(screen.raw(), "{}", json!({ "config": path, "database": state }))?;
            } else {
                screen.line(format!("configuration  {}", path.display()))?;
                screen.line(format!("database       {}", state.display()))?;
            }
        }
        ConfigVerb::Check => match config::load(&home.config_path()?, &home.env) {
            Ok(config) if home.json() => writeln!(screen.raw(), "{}", json!({ "file": config.file, "problems": [] }))?,
            Ok(config) => screen.line(format!("{} is fine.", config.file.display()))?,
            Err(report) if home.json() => {
                writeln!(screen.raw(), "{}", serde_json::to_string(&report)?)?;
                return Ok(Exit::System(EX_CONFIG));
            }
            Err(report) => return Err(report.into()),
        },
        ConfigVerb::Dump => {
            let config = home.config()?;
            write!(screen.raw(), "{}", config.dump())?;
        }
        ConfigVerb::Example => write!(screen.raw(), "{}", config::EXAMPLE)?,
    }
    Ok(Exit::Fine)
}
