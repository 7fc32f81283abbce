//! The binary, ended at one of the points of `io::crash`, and what a log says afterwards, without what depends on when.

use std::{fs, os::unix::process::ExitStatusExt as _, path::Path};

use onward::io::store::{EventFilter, Filter, Store};

use super::home::Home;

/// SIGABRT: how a process ends at a point.
const ABORTED: i32 = 6;

/// A verb that was run, perhaps not to its end.
#[derive(Debug)]
pub struct Run {
    /// The points it passed, in order; the last one is where it ended.
    pub points: Vec<String>,
    /// Whether it was ended there.
    pub ended: bool,
    /// What it wrote, on both streams.
    pub said: String,
}

impl Home {
    /// Runs a verb that ends at its `at`th point; at 0, and where it passes fewer, it runs to its end.
    pub fn run_until(&self, at: usize, arguments: &[&str]) -> Run {
        let notes = self.state_dir().with_file_name("points");
        fs::create_dir_all(notes.parent().unwrap()).unwrap();
        // Of an earlier run, if there was one.
        let _ = fs::remove_file(&notes);
        let mut command = self.command(arguments);
        command.env("ONWARD_CRASH_AT", at.to_string()).env("ONWARD_CRASH_NOTES", &notes);
        let output = command.output().unwrap();
        let ended = output.status.signal() == Some(ABORTED);
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        let points: Vec<String> = fs::read_to_string(&notes).unwrap_or_default().lines().map(str::to_owned).collect();
        assert!(ended || output.status.code().is_some(), "{arguments:?}: {}\n{said}", output.status);
        assert_eq!(ended, at > 0 && points.len() == at, "{arguments:?} at {at}: {points:?}\n{said}");
        assert!(at > 0 || !points.is_empty(), "no points, which only debug builds have: {said}");
        Run { points, ended, said }
    }

    /// Another home with the same configuration and the same state.
    pub fn copy(&self) -> Home {
        let copy = self.copy_config();
        copy_files(&self.state_dir(), &copy.state_dir());
        copy
    }

    /// Another home with the same configuration and no state.
    pub fn copy_config(&self) -> Home {
        let copy = Home::new();
        copy_files(&self.config_dir(), &copy.config_dir());
        copy
    }

    /// The log, opened beside whatever else has it open.
    pub fn log(&self) -> Store {
        Store::open(&self.database()).unwrap()
    }
}

/// Copies the files of a directory, modes included.
fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        } else if kind.is_dir() {
            copy_files(&entry.path(), &to.join(entry.file_name()));
        }
    }
}

/// Everything a log says, a line each, without moments of time and what is drawn by lot.
pub fn facts(store: &Store) -> Vec<String> {
    let counts = store.counts().unwrap();
    let mut facts = vec![format!("{} messages", counts.messages)];
    let mut rows = store.list(&Filter { superseded: true, ..Filter::default() }).unwrap();
    rows.sort_by_key(|row| row.id);
    for row in rows {
        let item = store.item(row.id).unwrap();
        let mail = row.mail.as_ref().map(|mail| (mail.message, &mail.message_id, &mail.subject, mail.received_at));
        facts.push(format!(
            "outcome {} for {:?} by {}: {:?}, mail {mail:?} in {:?}, at {}",
            row.id, row.supersedes, row.origin, row.outcome, item.places, row.detected_at
        ));
        facts.push(format!("note {:?}", item.note.map(|(note, _)| note.template)));
    }
    for draft in store.drafts(&[]).unwrap() {
        facts.push(format!(
            "draft {} of {}: {} {} {} {}, {}, revision {}, {:?}, {} attempts, {:?}",
            draft.id,
            draft.outcome,
            draft.kind,
            draft.language,
            draft.row,
            draft.template,
            draft.state,
            draft.revision,
            draft.envelope,
            draft.attempts,
            draft.cautions
        ));
        let letter = String::from_utf8(draft.bytes).unwrap();
        facts.extend(
            letter
                .lines()
                .filter(|line| !["Date: ", "Message-ID: "].iter().any(|h| line.starts_with(h)))
                .map(str::to_owned),
        );
    }
    let places = store.cursors().unwrap().into_iter().map(|at| (at.account, at.mailbox, at.cursor));
    facts.extend(places.map(|at| format!("cursor {at:?}")));
    facts.extend(store.quarantined().unwrap().into_iter().map(|row| format!("quarantine {row:?}")));
    for event in store.events(&EventFilter::default()).unwrap() {
        let what = (event.message, event.outcome, event.draft);
        facts.push(format!("event {} {} {what:?} {}", event.id, event.kind, event.detail));
    }
    facts
}
