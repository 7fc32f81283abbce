//! `onward import PATH…`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Exit, home::Home};
use crate::{
    app::import::{self, NotImported},
    io::{clock, store::Committed},
    ui::{term::Screen, words},
};

/// Runs the verb.
pub fn run(home: &Home, paths: &[PathBuf], screen: &mut Screen<'_>) -> Result<Exit> {
    let config = home.config()?;
    let kit = home.kit()?;
    let mut store = home.new_store()?;
    let account = config.accounts.first().context("no account is configured to log the mail under")?;
    let (mut stored, mut known, mut failed) = (0_u64, 0_u64, 0_u64);
    let json = home.json();
    let mut trouble = None;
    for path in paths {
        import::import(&mut store, &kit, &account.name, path, clock::now(), |shown, done| {
            let said = match done {
                Ok(ingested) => match &ingested.committed {
                    Committed::Stored { outcome, .. } => {
                        stored += 1;
                        json.then(|| json!({ "path": shown, "stored": true, "outcome": outcome }).to_string())
                    }
                    Committed::Duplicate { .. } => {
                        known += 1;
                        json.then(|| json!({ "path": shown, "stored": false }).to_string())
                    }
                },
                Err(error) => {
                    failed += 1;
                    Some(failure(shown, error, json))
                }
            };
            if let Some(line) = said
                && let Err(error) = screen.line(line)
            {
                trouble = Some(error);
            }
        })?;
        if let Some(error) = trouble.take() {
            return Err(error.into());
        }
    }
    if !json {
        let mut said = words::counted(stored, "mail") + " read";
        if known > 0 {
            said.push_str(&format!(", {known} known before"));
        }
        if failed > 0 {
            said.push_str(&format!(", {failed} not readable"));
        }
        screen.line(format!("{said}."))?;
        if stored > 0 {
            screen.aside("`onward list --all` shows what was found, `onward review` goes through what waits.")?;
        }
    }
    Ok(if failed > 0 { Exit::Findings } else { Exit::Fine })
}

fn failure(shown: &str, error: &NotImported, json: bool) -> String {
    if json { json!({ "path": shown, "error": error.to_string() }).to_string() } else { format!("{error}") }
}
