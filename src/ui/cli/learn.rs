//! `onward learn …`: what the person's corrections taught, shown, forgotten and taken away.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::json;

use super::{Exit, args::LearnVerb, home::Home};
use crate::{
    io::{
        clock,
        store::{LessonRow, Store},
    },
    learn::{TEMPLATE_WORDS_MIN, TRAINING_MIN},
    outcome::Category,
    ui::{
        term::{Screen, fit},
        words,
    },
};

/// Runs a verb.
pub fn run(home: &Home, verb: LearnVerb, screen: &mut Screen<'_>) -> Result<Exit> {
    match verb {
        LearnVerb::List => list(home, screen),
        LearnVerb::Forget { id } => forget(home, id, screen),
        LearnVerb::Export => export(home, screen),
    }
}

/// Whether the text of a label is remembered as a template.
fn is_template(row: &LessonRow) -> bool {
    row.traits.as_ref().is_some_and(|traits| traits.words >= TEMPLATE_WORDS_MIN)
}

fn list(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let store = home.log()?;
    let labels = store.labels()?;
    let zone = home.zone()?;
    let mut counts: BTreeMap<Category, u32> = BTreeMap::new();
    for row in &labels {
        let Some(label) = row.label else { continue };
        *counts.entry(label).or_default() += 1;
        if home.json() {
            let value = json!({
                "item": row.item, "at": row.at, "before": row.before, "label": label, "rules": row.rules,
                "template": is_template(row),
            });
            writeln!(screen.raw(), "{value}")?;
            continue;
        }
        let item = store.item(row.item)?.row;
        let how = if is_template(row) { "" } else { "  (too short to be remembered as a text)" };
        screen.line(format!(
            "{:>4}  {}  {}  {}{how}",
            row.item,
            fit(&words::day(row.at, &zone), 6),
            fit(words::category(label), 22),
            words::subject_of(&item.outcome)
        ))?;
    }
    if home.json() {
        return Ok(Exit::Fine);
    }
    if labels.is_empty() {
        screen.line("You have corrected nothing yet, so nothing was learned.")?;
        screen.aside("`onward fix ID --as CATEGORY` and `onward review` teach; nothing else does.")?;
        return Ok(Exit::Fine);
    }
    screen.gap()?;
    second_voice(screen, &counts)?;
    screen.aside("`onward learn forget ID` forgets one, `onward rules new --from ID` makes a rule of it.")?;
    Ok(Exit::Fine)
}

/// What the second voice knows enough of, and what it lacks.
fn second_voice(screen: &mut Screen<'_>, counts: &BTreeMap<Category, u32>) -> Result<()> {
    let all: u32 = counts.values().sum();
    let of = |(category, n): (&Category, &u32)| {
        let others = all - n;
        if *n >= TRAINING_MIN && others >= TRAINING_MIN {
            format!("{}: speaks", words::category(*category))
        } else {
            let name = words::category(*category);
            let (have, rest) = (n.min(&TRAINING_MIN), others.min(TRAINING_MIN));
            format!("{name}: {have} of {TRAINING_MIN}, others {rest} of {TRAINING_MIN}")
        }
    };
    let said: Vec<String> = counts.iter().map(of).collect();
    Ok(screen.wrapped("", &format!("Second voice: {}.", said.join("; ")))?)
}

fn forget(home: &Home, id: i64, screen: &mut Screen<'_>) -> Result<Exit> {
    let mut store = home.store()?;
    let item = store.item(id)?.row;
    let Some(mail) = item.mail else { bail!("item {id} was entered by hand; nothing was learned from it") };
    let forgotten = store.forget(mail.message, clock::now())?;
    if home.json() {
        writeln!(screen.raw(), "{}", json!({ "id": id, "forgotten": forgotten }))?;
    } else if forgotten == 0 {
        screen.line(format!("Nothing was learned from item {id}."))?;
    } else {
        screen.line(format!("Forgotten. Item {id} stays as it is: {}.", words::outcome(&item.outcome)))?;
    }
    Ok(Exit::Fine)
}

/// Every label ever said and not forgotten, those taken back among them, with what was kept of the mail.
fn export(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let store: Store = home.log()?;
    for row in store.lessons()? {
        writeln!(screen.raw(), "{}", serde_json::to_string(&row)?)?;
    }
    Ok(Exit::Fine)
}
