//! `onward list`: the logged outcomes, newest first.

use anyhow::Result;

use super::{Exit, args::ListArgs, home::Home};
use crate::{
    io::{
        clock,
        store::{Filter, OutcomeRow},
    },
    outcome::Category,
    ui::{
        term::{Screen, fit},
        words,
    },
};

/// Lists outcomes. A no is shown from its reading hour on, unless the person asks for everything.
pub fn run(home: &Home, args: &ListArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    let store = home.log()?;
    let now = clock::now();
    let filter = Filter {
        categories: args.category.into_iter().collect(),
        decided: args.undecided.then_some(false),
        limit: Some(args.limit),
        ..Filter::default()
    };
    let rows = store.list(&filter)?;
    let (shown, held): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| args.all || home.json() || !is_held(row, now));
    if home.json() {
        for row in &shown {
            writeln!(screen.raw(), "{}", serde_json::to_string(row)?)?;
        }
        return Ok(Exit::Fine);
    }
    for row in &shown {
        line(screen, row, home)?;
    }
    if shown.is_empty() && held.is_empty() {
        screen.line("Nothing here yet.")?;
    }
    if !held.is_empty() {
        let next = held.iter().filter_map(|row| row.tell_at).min();
        let when = next.map(|at| words::moment(at, &home.env.zone)).unwrap_or_default();
        screen.aside(format!("{} more wait for your reading hour ({when}). `--all` shows them now.", held.len()))?;
    }
    Ok(Exit::Fine)
}

/// Whether a no still waits for its reading hour.
pub fn is_held(row: &OutcomeRow, now: jiff::Timestamp) -> bool {
    row.outcome.category == Category::Rejection
        && row.outcome.decided
        && row.told_at.is_none()
        && row.tell_at.is_some_and(|at| at > now)
}

fn line(screen: &mut Screen<'_>, row: &OutcomeRow, home: &Home) -> Result<()> {
    let at = row.mail.as_ref().map_or(row.detected_at, |mail| mail.received_at);
    let draft = row.draft.map(|d| format!("draft {}: {}", d.id, words::draft_state(d.state))).unwrap_or_default();
    let text = format!(
        "{:>4}  {}  {}  {}  {draft}",
        row.id,
        fit(&words::day(at, &home.env.zone), 6),
        fit(&words::outcome(&row.outcome), 26),
        fit(&words::subject_of(&row.outcome), 36),
    );
    screen.line(text.trim_end())?;
    Ok(())
}
