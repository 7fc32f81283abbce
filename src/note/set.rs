//! The notes as data: read from files, checked, sorted by what they are for.
//!
//! In a file each paragraph below the front matter is one text, so that forty notes read like a page. This module must
//! not choose among notes.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::lint::lint_template;
use crate::{
    clean,
    outcome::Stage,
    reply::{
        Problem,
        section::{Section, first_line, sections},
        template::needs,
    },
};

/// The shipped files: name as the person sees it, and text.
const SHIPPED: &[(&str, &str)] = &[
    ("templates/note/de/after_application.md", include_str!("../../templates/note/de/after_application.md")),
    ("templates/note/de/after_final.md", include_str!("../../templates/note/de/after_final.md")),
    ("templates/note/de/after_interview.md", include_str!("../../templates/note/de/after_interview.md")),
    ("templates/note/de/facts.md", include_str!("../../templates/note/de/facts.md")),
    ("templates/note/de/late.md", include_str!("../../templates/note/de/late.md")),
    ("templates/note/en/after_application.md", include_str!("../../templates/note/en/after_application.md")),
    ("templates/note/en/after_final.md", include_str!("../../templates/note/en/after_final.md")),
    ("templates/note/en/after_interview.md", include_str!("../../templates/note/en/after_interview.md")),
    ("templates/note/en/facts.md", include_str!("../../templates/note/en/facts.md")),
    ("templates/note/en/late.md", include_str!("../../templates/note/en/late.md")),
];

/// What a text of a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Names the no, and allows it.
    Note,
    /// States a fact; `when` names it.
    Fact,
    /// The next small thing; `when` is `plan` or `nothing`.
    Next,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// `<language>/<file>/<number>`.
    pub id: String,
    /// ISO 639-1.
    pub language: String,
    /// What it is.
    pub part: Part,
    /// Stages it is for.
    pub stages: Vec<Stage>,
    /// The fact it needs, or the kind of next thing.
    pub when: Option<String>,
    /// How often it is taken in comparison with its siblings.
    pub weight: u32,
    /// The text with its variables.
    pub source: String,
    /// The variables it needs.
    pub needs: BTreeSet<String>,
    /// The file it came from.
    pub file: String,
    /// The line it starts on.
    pub line: u32,
}

/// Front matter of a section.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    lang: String,
    #[serde(default)]
    part: Option<Part>,
    #[serde(default)]
    stage: Vec<Stage>,
    when: Option<String>,
    #[serde(default = "one")]
    weight: u32,
}

/// The weight of a text that names none.
fn one() -> u32 {
    1
}

/// The texts in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notes {
    texts: Vec<Text>,
}

impl Notes {
    /// The shipped notes alone.
    pub fn shipped() -> Notes {
        Notes::load(&[]).0
    }

    /// The shipped notes with the person's files (`(name, text)`): a file takes the place of a shipped one of the same
    /// name and language, others are added. What cannot be read is reported and left out, the others stand.
    pub fn load(user: &[(String, String)]) -> (Notes, Vec<Problem>) {
        let mut notes = Notes { texts: Vec::new() };
        let mut problems = Vec::new();
        let files = SHIPPED.iter().copied().chain(user.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        for (file, text) in files {
            let own = read(file, text, &mut problems);
            let replaced: BTreeSet<String> = own.iter().map(|t| id_prefix(&t.language, file)).collect();
            notes.texts.retain(|t| !replaced.iter().any(|prefix| t.id.starts_with(prefix)));
            notes.texts.extend(own);
        }
        (notes, problems)
    }

    /// Every text, in the order of the files.
    pub fn all(&self) -> impl Iterator<Item = &Text> {
        self.texts.iter()
    }

    /// What the wording check says about every text.
    pub fn check(&self) -> Vec<Problem> {
        let problem = |text: &Text, message: String| Problem {
            file: text.file.clone(),
            line: text.line,
            message,
            help: format!("reword `{}`", text.id),
        };
        self.texts.iter().flat_map(|t| lint_template(&t.source).into_iter().map(move |m| problem(t, m))).collect()
    }
}

/// `<language>/<name of the file without its ending>/`.
fn id_prefix(language: &str, file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    format!("{language}/{}/", stem.replace('_', "-"))
}

/// The texts of one file, with everything that is wrong in it.
fn read(file: &str, text: &str, problems: &mut Vec<Problem>) -> Vec<Text> {
    let mut found: Vec<Text> = Vec::new();
    for section in sections(file, text, problems) {
        let line = section.line;
        let mut report = |line, message: String, help: &str| {
            problems.push(Problem { file: file.to_owned(), line, message, help: help.to_owned() });
        };
        let front = match Front::deserialize(section.front.clone()) {
            Ok(front) => front,
            Err(error) => {
                let message = format!("front matter: {}", first_line(error.message()));
                report(line, message, "a note has lang and stage, and may have part, when and weight");
                continue;
            }
        };
        let part = front.part.unwrap_or(Part::Note);
        if let Some((message, help)) = incomplete(part, &front) {
            report(line, message.to_owned(), help);
            continue;
        }
        for (line, source) in paragraphs(&section) {
            match needs(&source) {
                Ok(needs) => {
                    let number = found.iter().filter(|t| t.language == front.lang).count().saturating_add(1);
                    found.push(Text {
                        id: format!("{}{number:02}", id_prefix(&front.lang, file)),
                        language: front.lang.clone(),
                        part,
                        stages: front.stage.clone(),
                        when: front.when.clone(),
                        weight: front.weight,
                        source,
                        needs,
                        file: file.to_owned(),
                        line,
                    });
                }
                Err(message) => report(line, message, "correct the template"),
            }
        }
    }
    found
}

/// What a section's front matter lacks.
fn incomplete(part: Part, front: &Front) -> Option<(&'static str, &'static str)> {
    match (part, front.when.as_deref()) {
        (Part::Note, _) if front.stage.is_empty() => {
            Some(("a note without a stage", "add `stage = [\"after_interview\"]`"))
        }
        (Part::Fact, None) => Some(("a fact line without the fact's name", "add `when = \"...\"`")),
        (Part::Next, when) if !matches!(when, Some("plan" | "nothing")) => {
            Some(("a next line for no case", "add `when = \"plan\"` or `when = \"nothing\"`"))
        }
        _ => None,
    }
}

/// The paragraphs of a section with the line each starts on.
fn paragraphs(section: &Section) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut open = false;
    for (line, text) in (section.text_line..).zip(section.text.lines()) {
        let text = clean::line_within(text, crate::reply::section::FILE_BYTES_MAX);
        match found.last_mut().filter(|_| open) {
            Some((_, paragraph)) if !text.is_empty() => {
                paragraph.push('\n');
                paragraph.push_str(&text);
            }
            _ if !text.is_empty() => {
                found.push((line, text));
                open = true;
            }
            _ => open = false,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_read_without_a_problem_and_pass_the_check() {
        let (notes, problems) = Notes::load(&[]);
        assert_eq!(problems, []);
        assert_eq!(notes.check(), []);
    }

    #[test]
    fn there_are_enough_notes_and_none_twice() {
        let notes = Notes::shipped();
        for language in ["en", "de"] {
            for stage in Stage::ALL {
                let of: Vec<_> = notes
                    .all()
                    .filter(|t| t.part == Part::Note && t.language == language && t.stages.contains(stage))
                    .collect();
                let late = matches!(stage, Stage::AfterInterview | Stage::AfterFinal);
                let enough = if late { 40 } else { 12 };
                assert!(of.len() >= enough, "{language} {stage}: {}", of.len());
                let lines = if late { 2..=2 } else { 1..=1 };
                let odd: Vec<_> = of.iter().filter(|t| !lines.contains(&t.source.lines().count())).collect();
                assert!(odd.is_empty(), "{odd:?}");
                let without_employer = of.iter().filter(|t| t.needs.is_empty() && t.when.is_none()).count();
                assert!(without_employer >= if late { 8 } else { 3 }, "{language} {stage}: {without_employer}");
            }
        }
        let mut sources: Vec<_> = notes.all().map(|t| (&t.language, &t.source)).collect();
        sources.sort();
        let before = sources.len();
        sources.dedup();
        assert_eq!(sources.len(), before);
    }

    #[test]
    fn files_of_the_person_win_and_broken_parts_are_named() {
        let load = |name: &str, text: &str| Notes::load(&[(name.to_owned(), text.to_owned())]);
        let front = "+++\nlang = \"en\"\nstage = [\"after_final\"]\n+++\n";
        let (notes, problems) = load("after_final.md", &format!("{front}One.\n\nTwo.\nLines.\n"));
        assert_eq!(problems, []);
        let own: Vec<_> =
            notes.all().filter(|t| t.id.starts_with("en/after-final/")).map(|t| t.source.as_str()).collect();
        assert_eq!(own, ["One.", "Two.\nLines."]);
        for (text, line) in [
            ("+++\nlang = \"en\"\n+++\nx", 1),
            ("+++\nlang = \"en\"\nstage = [\"later\"]\n+++\nx", 1),
            ("+++\nlang = \"en\"\npart = \"fact\"\n+++\nx", 1),
            ("+++\nlang = \"en\"\nstage = [\"after_final\"]\n+++\nfine\n\n{{ open\n", 7),
        ] {
            let (_, problems) = load("mine.md", text);
            assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [line], "{text}");
        }
    }
}
