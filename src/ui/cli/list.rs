//! `onward list`: the logged outcomes, newest first.

use anyhow::Result;
use jiff::tz::TimeZone;

use super::{Exit, args::ListArgs, home::Home};
use crate::{
    app::junk,
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
        ..Filter::default()
    };
    let rows = store.list(&filter)?;
    let (mut shown, held): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| args.all || home.json() || !is_held(row, now));
    shown.truncate(args.limit as usize);
    if home.json() {
        for row in &shown {
            writeln!(screen.raw(), "{}", serde_json::to_string(row)?)?;
        }
        return Ok(Exit::Fine);
    }
    let zone = home.zone()?;
    let config = home.config_if_any()?;
    for row in &shown {
        let in_junk = junk::holds(&store.item(row.id)?.places, config.as_ref());
        line(screen, row, in_junk, &zone)?;
    }
    if shown.is_empty() && held.is_empty() {
        let all = args.category.is_none() && !args.undecided;
        screen.line(if all { "No mail about an application so far." } else { "Nothing of this kind." })?;
    }
    if !held.is_empty() {
        let next = held.iter().filter_map(|row| row.tell_at).min();
        let when = next.map(|at| words::moment(at, &zone)).unwrap_or_default();
        let more = if shown.is_empty() { "" } else { " more" };
        let wait = if held.len() == 1 { "waits" } else { "wait" };
        let n = held.len();
        screen.aside(format!("{n}{more} {wait} for your reading hour ({when}). `onward list --all` shows all now."))?;
    }
    Ok(Exit::Fine)
}

/// Whether a no, or what was asked about one, still waits for its reading hour.
pub fn is_held(row: &OutcomeRow, now: jiff::Timestamp) -> bool {
    matches!(row.outcome.category, Category::Rejection | Category::Feedback)
        && row.outcome.decided
        && row.told_at.is_none()
        && row.tell_at.is_some_and(|at| at > now)
}

fn line(screen: &mut Screen<'_>, row: &OutcomeRow, in_junk: bool, zone: &TimeZone) -> Result<()> {
    let at = row.mail.as_ref().map_or(row.detected_at, |mail| mail.received_at);
    let draft = row.draft.map(|d| format!("draft {}: {}", d.id, words::draft_state(d.state))).unwrap_or_default();
    let text = format!(
        "{:>4}  {}  {}  {}  {}{draft}",
        row.id,
        fit(&words::day(at, zone), 6),
        fit(&words::outcome(&row.outcome), 28),
        fit(&words::subject_of(&row.outcome), 36),
        if in_junk { "in Junk  " } else { "" },
    );
    screen.line(text.trim_end())?;
    Ok(())
}
