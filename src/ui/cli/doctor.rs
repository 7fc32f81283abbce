//! `onward doctor`.

use anyhow::Result;

use super::{Exit, home::Home};
use crate::{app::doctor, ui::term::Screen};

/// Runs the verb.
pub fn run(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let config = home.config()?;
    let runtime = super::run::runtime()?;
    let checks = runtime.block_on(doctor::examine(&config, &home.env));
    // A name that is still being looked up holds nobody up.
    runtime.shutdown_background();
    let mut exit = Exit::Fine;
    for check in &checks {
        if !check.fine {
            exit = Exit::Findings;
        }
        if home.json() {
            writeln!(screen.raw(), "{}", serde_json::to_string(check)?)?;
        } else {
            screen.line(format!("{}  {}", if check.fine { "ok   " } else { "WRONG" }, check.what))?;
            screen.wrapped("       ", &check.said)?;
        }
    }
    Ok(exit)
}
