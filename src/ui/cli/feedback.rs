//! `onward feedback`: what employers said, in their words, and what the person makes of it.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::json;

use super::{Exit, args::FeedbackArgs, home::Home};
use crate::{
    io::{
        clock,
        store::{Feedback, Store},
    },
    stats::Share,
    ui::{
        term::{Screen, fit},
        words,
    },
};

/// Runs the verb: lists, shows one, or marks it.
pub fn run(home: &Home, args: &FeedbackArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    let Some(id) = args.id else { return list(home, args.all, screen) };
    if args.useful || args.not_now || !args.tag.is_empty() || !args.untag.is_empty() {
        let mut store = home.store()?;
        let known = store.one_feedback(id)?;
        let mut tags = known.tags;
        tags.retain(|tag| !args.untag.iter().any(|gone| gone.eq_ignore_ascii_case(tag)));
        tags.extend(args.tag.iter().cloned());
        let useful = if args.useful || args.not_now { Some(args.useful) } else { known.useful };
        store.mark_feedback(id, useful, &tags, clock::now())?;
    }
    show(home, &home.log()?.one_feedback(id)?, screen)
}

fn list(home: &Home, all: bool, screen: &mut Screen<'_>) -> Result<Exit> {
    let (store, now) = (home.log()?, clock::now());
    let rows = store.feedback()?;
    let rate = answer_rate(&store)?;
    if home.json() {
        for row in &rows {
            writeln!(screen.raw(), "{}", serde_json::to_string(row)?)?;
        }
        writeln!(screen.raw(), "{}", json!({ "asked": rate }))?;
        return Ok(Exit::Fine);
    }
    let zone = home.zone()?;
    let (held, shown): (Vec<&Feedback>, Vec<&Feedback>) = rows.iter().partition(|row| !all && is_held(row, now));
    for row in &shown {
        let mark = match row.useful {
            Some(true) => "useful",
            Some(false) => "not now",
            None => "",
        };
        let text = format!(
            "{:>4}  {}  {}  {}  {}",
            row.id,
            fit(&words::day(row.received_at, &zone), 6),
            fit(row.employer.as_deref().unwrap_or("(no employer named)"), 24),
            fit(mark, 8),
            row.tags.join(", "),
        );
        screen.line(text.trim_end())?;
    }
    if rows.is_empty() {
        screen.line("Nobody has said anything yet.")?;
    }
    if let Some(next) = held.iter().filter_map(|row| row.tell_at).min() {
        let answers = words::counted(held.len(), "answer");
        let rest = if held.len() == 1 { "rests" } else { "rest" };
        let when = words::moment(next, &zone);
        screen.aside(format!("{answers} {rest} until {when}. `onward feedback --all` shows everything now."))?;
    }
    if let Some(said) = said(rate) {
        screen.line(said)?;
    }
    Ok(Exit::Fine)
}

fn show(home: &Home, row: &Feedback, screen: &mut Screen<'_>) -> Result<Exit> {
    if home.json() {
        writeln!(screen.raw(), "{}", serde_json::to_string(row)?)?;
        return Ok(Exit::Fine);
    }
    let who = [row.employer.as_deref(), row.role.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let who = if who.is_empty() { "(no employer named)" } else { &who };
    screen.heading(format!("{} · {who} · {}", row.id, words::moment(row.received_at, &home.zone()?)))?;
    match row.draft {
        Some(draft) => screen.aside(format!("  an answer to your question (draft {draft}), item {}", row.outcome))?,
        None => screen.aside(format!("  nobody asked; item {}", row.outcome))?,
    }
    screen.gap()?;
    for paragraph in row.text.lines() {
        screen.wrapped("  ", paragraph)?;
    }
    screen.gap()?;
    if !row.tags.is_empty() {
        screen.line(format!("  tags: {}", row.tags.join(", ")))?;
    }
    match row.useful {
        Some(true) => screen.line("  You found it useful.")?,
        Some(false) => screen.line("  Not now.")?,
        None => screen.aside(format!(
            "  `onward feedback {0} --useful` or `--not-now`; `--tag WORD` for your own tags",
            row.id
        ))?,
    }
    Ok(Exit::Fine)
}

/// Whether it is not told yet.
fn is_held(row: &Feedback, now: Timestamp) -> bool {
    row.useful.is_none() && row.tell_at.is_some_and(|at| at > now)
}

/// How often the person's questions were answered.
fn answer_rate(store: &Store) -> Result<Share> {
    let asked = store.asked()?;
    Ok(Share::new(asked.answered, asked.asked))
}

/// The same in a sentence; nothing before a question went out.
fn said(rate: Share) -> Option<String> {
    let (low, high) = rate.in_a_hundred()?;
    let times = if rate.of == 1 { "once".to_owned() } else { format!("{} times", rate.of) };
    Some(format!("You asked {times}, {} answered (of a hundred, between {low} and {high} would).", rate.n))
}
