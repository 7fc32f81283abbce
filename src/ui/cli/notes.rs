//! `onward notes …`: the notes and the reply texts as data that can be checked.

use anyhow::Result;
use serde_json::json;

use super::{Exit, args::NotesVerb, home::Home};
use crate::{
    app::kit,
    io::clock,
    note::{NoteContext, Notes, choose},
    outcome::Stage,
    reply::template::Values,
    ui::{term::Screen, words},
};

/// Runs a verb.
pub fn run(home: &Home, verb: &NotesVerb, screen: &mut Screen<'_>) -> Result<Exit> {
    match verb {
        NotesVerb::List => list(home, &texts(home)?, screen),
        NotesVerb::Preview { replies: false } => preview(home, &texts(home)?, screen),
        NotesVerb::Preview { replies: true } => preview_replies(home, screen),
        NotesVerb::Check => check(home, screen),
    }
}

fn texts(home: &Home) -> Result<Notes> {
    let (_, notes, _) = kit::load_texts(&home.config_path()?.with_file_name("templates"));
    Ok(notes)
}

fn list(home: &Home, notes: &Notes, screen: &mut Screen<'_>) -> Result<Exit> {
    for text in notes.all() {
        if home.json() {
            let value = json!({ "id": text.id, "language": text.language, "file": text.file, "line": text.line });
            writeln!(screen.raw(), "{value}")?;
        } else {
            screen.line(format!("{:<32} {}", text.id, text.source.replace('\n', " / ")))?;
        }
    }
    Ok(Exit::Fine)
}

/// One note for each stage in each shipped language, as it would stand beside a no.
fn preview(home: &Home, notes: &Notes, screen: &mut Screen<'_>) -> Result<Exit> {
    let now = clock::now();
    for (language, stage) in ["en", "de"].iter().flat_map(|language| Stage::ALL.iter().map(move |s| (language, s))) {
        let context = NoteContext {
            stage: *stage,
            employer: Some("Larkfield"),
            language,
            facts: &[],
            next: None,
            used: &[],
            now,
            late_stage_recent: 1,
            seed: stage.as_str().as_bytes(),
        };
        let Some(note) = choose(notes, &context) else { continue };
        if home.json() {
            writeln!(screen.raw(), "{}", serde_json::to_string(&note)?)?;
        } else {
            screen.heading(format!("{} ({language})", words::no(*stage)))?;
            screen.wrapped("  ", &note.text)?;
            screen.gap()?;
        }
    }
    Ok(Exit::Fine)
}

/// Every reply text as it would be sent, with sample names.
fn preview_replies(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let (templates, ..) = kit::load_texts(&home.config_path()?.with_file_name("templates"));
    for template in templates.all() {
        let Some(written) = templates.written(template, &Values::sample()) else { continue };
        if home.json() {
            writeln!(screen.raw(), "{}", json!({ "template": written.template, "text": written.text }))?;
        } else {
            screen.heading(&written.template)?;
            screen.wrapped("  ", &written.text)?;
            screen.gap()?;
        }
    }
    Ok(Exit::Fine)
}

/// Notes, reply texts and the policy that chooses among them: every problem at once.
fn check(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let config = home.config_path()?;
    let (templates, notes, mut problems) = kit::load_texts(&config.with_file_name("templates"));
    let (policy, of_policy) = kit::load_policy(&config.with_file_name("rules"));
    problems.extend(notes.check().into_iter().chain(templates.check()).chain(of_policy));
    let missing = policy.unknown_templates(&templates);
    let missing = missing.iter().map(|row| {
        format!("row `{}` of {} names a text that does not exist: `{}`", row.id, kit::POLICY_FILE, row.template)
    });
    let found: Vec<String> = problems.iter().map(kit::said).chain(missing).collect();
    if home.json() {
        writeln!(screen.raw(), "{}", json!({ "problems": found }))?;
    } else {
        for problem in &found {
            screen.line(problem)?;
        }
        let (notes, texts, rows) = (notes.all().count(), templates.all().count(), policy.rows().count());
        let verdict = if found.is_empty() { "all fine".to_owned() } else { words::counted(found.len(), "problem") };
        screen.line(format!("{notes} note lines, {texts} reply texts, {rows} policy rows: {verdict}."))?;
    }
    Ok(if found.is_empty() { Exit::Fine } else { Exit::Findings })
}
