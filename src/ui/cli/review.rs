//! `onward review`: the queue in line mode, then delivery of what was approved.

use std::path::Path;

use anyhow::Result;

use super::{Exit, home::Home};
use crate::{
    app::queue,
    draft::DraftState,
    io::{clock, editor, store::Store},
    ui::{
        review::{Review, Tally},
        term::Screen,
    },
};

/// Runs the verb.
pub fn run(home: &Home, all: bool, no_submit: bool, screen: &mut Screen<'_>) -> Result<Exit> {
    let kit = home.kit()?;
    let mut store = home.store()?;
    if home.json() {
        return as_json(&store, all, screen);
    }
    let dir = home.database()?.parent().map(Path::to_path_buf).unwrap_or_default();
    let tally = Review {
        store: &mut store,
        kit: &kit,
        input: &mut std::io::stdin().lock(),
        editor: &|text| Ok(editor::edit(&dir, text)?),
        now: clock::now(),
        all,
    }
    .run(screen)?;
    summary(screen, &tally)?;
    if tally.approved == 0 || no_submit {
        return Ok(Exit::Fine);
    }
    let approved: Vec<i64> = store.drafts(&[DraftState::Approved])?.iter().map(|draft| draft.id).collect();
    drop(store);
    super::send::deliver(home, &approved, screen)
}

/// What waits, for programs: they answer with the other verbs.
fn as_json(store: &Store, all: bool, screen: &mut Screen<'_>) -> Result<Exit> {
    let waiting = queue::waiting(store, clock::now(), all)?;
    for row in waiting.undecided.iter().chain(&waiting.drafts) {
        writeln!(screen.raw(), "{}", serde_json::to_string(row)?)?;
    }
    Ok(Exit::Fine)
}

/// One line about what was done.
pub fn summary(screen: &mut Screen<'_>, tally: &Tally) -> Result<()> {
    let parts = [
        (tally.approved, "approved"),
        (tally.discarded, "discarded"),
        (tally.corrected, "settled"),
        (tally.later, "left for later"),
    ];
    let said: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !said.is_empty() {
        screen.line(format!("{}.", said.join(", ")))?;
    }
    Ok(())
}
