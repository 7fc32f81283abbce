//! `onward notes …`: the notes and the reply texts as data that can be checked.

use anyhow::Result;
use serde_json::json;

use super::{Exit, args::NotesVerb, home::Home};
use crate::{
    app::kit,
    note::{NoteContext, choose},
    outcome::Stage,
    ui::{term::Screen, words},
};

/// Runs a verb.
pub fn run(home: &Home, verb: &NotesVerb, screen: &mut Screen<'_>) -> Result<Exit> {
    let dir = home.config_path()?.with_file_name("templates");
    let (templates, notes, mut problems) = kit::load_texts(&dir);
    match verb {
        NotesVerb::List => {
            for text in notes.all() {
                if home.json() {
                    writeln!(
                        screen.raw(),
                        "{}",
                        json!({ "id": text.id, "language": text.language, "file": text.file, "line": text.line })
                    )?;
                } else {
                    screen.line(format!("{:<32} {}", text.id, text.source.replace('\n', " / ")))?;
                }
            }
            Ok(Exit::Fine)
        }
        NotesVerb::Preview => {
            let now = crate::io::clock::now();
            for language in ["en", "de"] {
                for stage in Stage::ALL {
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
                    let Some(note) = choose(&notes, &context) else { continue };
                    if home.json() {
                        writeln!(screen.raw(), "{}", serde_json::to_string(&note)?)?;
                    } else {
                        screen.heading(format!("{} ({language})", words::no(*stage)))?;
                        screen.wrapped("  ", &note.text)?;
                        screen.gap()?;
                    }
                }
            }
            Ok(Exit::Fine)
        }
        NotesVerb::Check => {
            problems.extend(notes.check());
            problems.extend(templates.check());
            let (policy, found) = kit::load_policy(&home.config_path()?.with_file_name("rules"));
            problems.extend(found);
            let missing = policy.unknown_templates(&templates);
            let missing = missing.iter().map(|row| {
                format!("row `{}` of {} names a text that does not exist: `{}`", row.id, kit::POLICY_FILE, row.template)
            });
            let found: Vec<String> = problems.iter().map(kit::said).chain(missing).collect();
            let count = found.len();
            if home.json() {
                writeln!(screen.raw(), "{}", json!({ "problems": found }))?;
            } else {
                for problem in &found {
                    screen.line(problem)?;
                }
                screen.line(format!(
                    "{} note lines, {} reply texts, {} policy rows: {}",
                    notes.all().count(),
                    templates.all().count(),
                    policy.rows().count(),
                    if count == 0 { "all fine.".to_owned() } else { words::counted(count, "problem") + "." }
                ))?;
            }
            Ok(if count == 0 { Exit::Fine } else { Exit::Findings })
        }
    }
}
