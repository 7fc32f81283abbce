//! `onward fix ID` and `onward undo ID`.

use anyhow::{Result, bail};
use serde_json::json;

use super::{Exit, args::FixArgs, home::Home};
use crate::{
    app::queue::{self, Correction},
    io::{clock, store::Superseded},
    ui::{term::Screen, words},
};

/// Corrects a verdict.
pub fn fix(home: &Home, args: &FixArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    let correction = Correction {
        category: args.category,
        stage: args.stage,
        reason: args.reason,
        employer: args.employer.as_deref().map(crate::clean::line),
        role: args.role.as_deref().map(crate::clean::line),
    };
    if correction.is_empty() {
        bail!("say what to correct: --as, --stage, --reason, --employer or --role");
    }
    let kit = home.kit()?;
    let mut store = home.store()?;
    let done = queue::fix(&mut store, &kit, args.id, &correction, clock::now())?;
    let now = store.item(done.outcome)?.row.outcome;
    report(home, screen, args.id, &done, &format!("Noted: {} · {}.", words::subject_of(&now), words::outcome(&now)))
}

/// Takes the last correction of an item back.
pub fn undo(home: &Home, id: i64, screen: &mut Screen<'_>) -> Result<Exit> {
    let mut store = home.store()?;
    let done = store.undo(id, clock::now())?;
    let now = store.item(done.outcome)?.row.outcome;
    let text = format!("Back to: {} · {}.", words::subject_of(&now), words::outcome(&now));
    let exit = report(home, screen, id, &done, &text)?;
    if !home.json() {
        screen.aside(format!("`onward undo {id}` once more brings the correction back."))?;
    }
    Ok(exit)
}

fn report(home: &Home, screen: &mut Screen<'_>, id: i64, done: &Superseded, text: &str) -> Result<Exit> {
    if home.json() {
        let value = json!({
            "id": id, "outcome": done.outcome, "draft": done.draft, "withdrawn": done.withdrawn, "restored": done.restored,
        });
        writeln!(screen.raw(), "{value}")?;
        return Ok(Exit::Fine);
    }
    screen.line(text)?;
    if let Some(draft) = done.draft {
        screen.line(format!("Draft {draft} waits for you (`onward draft show {draft}`)."))?;
    }
    for draft in &done.withdrawn {
        screen.line(format!("Draft {draft} was withdrawn."))?;
    }
    for draft in &done.restored {
        screen.line(format!("Draft {draft} waits for you again."))?;
    }
    Ok(Exit::Fine)
}
