//! Puts a note together: names the no, allows it, states one true fact or none, and one next thing or none.
//!
//! Deterministic: the same context gives the same note. Numbers come only from the facts that the caller read from the
//! log. This module must not count anything itself.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use minijinja::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Note,
    lint::lint,
    set::{Notes, Part, Text},
};
use crate::{
    outcome::Stage,
    reply::template::{engine, value},
};

/// How long a note rests before it is shown again, unless all its siblings were shown since.
pub const NOTE_REST: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How long a fact rests before it is stated again.
pub const FACT_REST: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Fewest cases a fact may rest on.
pub const FACT_SAMPLE_MIN: u64 = 5;
/// This many late-stage noes in ten days make notes shorter and take the tasks away.
pub const LATE_STAGE_MANY: u32 = 3;

/// A number from the log that a note may state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteFact {
    /// Its name, as `when` in the files has it, e.g. `interviews_of_recent`.
    pub name: String,
    /// The numbers by the names the lines use, e.g. `n` and `of`.
    pub numbers: Vec<(String, u64)>,
    /// How many cases it rests on: the denominator.
    pub sample: u64,
    /// Whether it is worse than in the period before.
    pub worse: bool,
    /// When it was last stated.
    pub last_used: Option<Timestamp>,
}

impl NoteFact {
    /// Whether it may be stated: enough cases, not worse than before, rested.
    pub fn may_be_stated(&self, now: Timestamp) -> bool {
        let rested = self.last_used.is_none_or(|used| now.duration_since(used) >= FACT_REST);
        self.sample >= FACT_SAMPLE_MIN && !self.worse && rested
    }
}

/// What a note is made for.
#[derive(Debug, Clone, Copy)]
pub struct NoteContext<'a> {
    /// How far the application had come.
    pub stage: Stage,
    /// Who said no.
    pub employer: Option<&'a str>,
    /// The person's language, ISO 639-1; English where there are no notes in it.
    pub language: &'a str,
    /// Facts from the log, the most telling first.
    pub facts: &'a [NoteFact],
    /// One small thing from the person's plan, in their words.
    pub next: Option<&'a str>,
    /// Notes shown before: template id and when.
    pub used: &'a [(String, Timestamp)],
    /// Now.
    pub now: Timestamp,
    /// Noes after an interview or a last round in the last ten days, this one included.
    pub late_stage_recent: u32,
    /// What tells this no from others, e.g. the message's hash: chooses among equals.
    pub seed: &'a [u8],
}

/// The note for a no. `None` only where a set has no note for the stage, which the shipped one always has.
pub fn choose(notes: &Notes, context: &NoteContext) -> Option<Note> {
    in_language(notes, context, context.language).or_else(|| in_language(notes, context, "en"))
}

/// [`choose`] in one language: the first candidate that reads well.
fn in_language(notes: &Notes, context: &NoteContext, language: &str) -> Option<Note> {
    let facts: Vec<&NoteFact> = context.facts.iter().filter(|f| f.may_be_stated(context.now)).collect();
    let fact_named = |when: &str| facts.iter().find(|f| f.name == when).copied();
    let candidates = notes.all().filter(|t| {
        t.part == Part::Note && t.language == language && t.stages.contains(&context.stage) && t.weight > 0
    });
    in_order(candidates.collect(), context).into_iter().find_map(|text| {
        // A note that needs a fact states it itself.
        let own = match text.when.as_deref() {
            Some(when) => Some(fact_named(when)?),
            None => None,
        };
        let body = render(text, context, own, None)?;
        let stated: Vec<String> = own.iter().map(|f| f.name.clone()).collect();
        let (rest, more) = rest_of(notes, context, language, if own.is_some() { &[] } else { &facts });
        // The longest that fits; a fact or task that does not read well is left out.
        (0..=rest.len()).find_map(|skip| {
            let lines = [body.as_str()].into_iter().chain(rest.iter().skip(skip).map(String::as_str));
            let whole = lines.collect::<Vec<_>>().join("\n");
            let facts = if skip == 0 { stated.iter().chain(&more).cloned().collect() } else { stated.clone() };
            let note = Note { template: text.id.clone(), language: language.to_owned(), text: whole, facts };
            lint(&note.text).is_empty().then_some(note)
        })
    })
}

/// The lines below a late-stage note, a fact first, and the names of the facts in them. Nothing for a form letter after
/// an application, and nothing when there were many late noes in a few days.
fn rest_of(notes: &Notes, context: &NoteContext, language: &str, facts: &[&NoteFact]) -> (Vec<String>, Vec<String>) {
    let late = matches!(context.stage, Stage::AfterInterview | Stage::AfterFinal);
    if !late || context.late_stage_recent >= LATE_STAGE_MANY {
        return (Vec::new(), Vec::new());
    }
    let of = |part: Part| notes.all().filter(move |t| t.part == part && t.language == language && t.weight > 0);
    let fact_line = facts.iter().find_map(|fact| {
        let lines = of(Part::Fact).filter(|t| t.when.as_deref() == Some(fact.name.as_str()));
        let line = in_order(lines.collect(), context).into_iter().find_map(|t| render(t, context, Some(fact), None))?;
        lint(&line).is_empty().then(|| (line, fact.name.clone()))
    });
    let next = |when: &str, plan: Option<&str>| {
        let lines = of(Part::Next).filter(|t| t.when.as_deref() == Some(when));
        in_order(lines.collect(), context)
            .into_iter()
            .filter_map(|t| render(t, context, None, plan))
            .find(|line| lint(line).is_empty())
    };
    // After the last round there is explicitly nothing to do.
    let plan = context.next.filter(|_| context.stage != Stage::AfterFinal).and_then(value);
    let next = plan.and_then(|p| next("plan", Some(&p))).or_else(|| next("nothing", None));
    let (fact, names) = fact_line.map_or((None, Vec::new()), |(line, name)| (Some(line), vec![name]));
    (fact.into_iter().chain(next).collect(), names)
}

/// Rested texts first, in an order drawn from the seed by weight; then the others, the longest unseen first.
fn in_order<'t>(texts: Vec<&'t Text>, context: &NoteContext) -> Vec<&'t Text> {
    let mut last: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for (id, at) in context.used {
        let latest = last.entry(id).or_insert(*at);
        *latest = (*latest).max(*at);
    }
    let seen = |t: &Text| last.get(t.id.as_str()).copied().filter(|at| context.now.duration_since(*at) < NOTE_REST);
    let (mut tired, mut rested): (Vec<_>, Vec<_>) = texts.into_iter().partition(|t| seen(t).is_some());
    rested.sort_by(|a, b| draw(a, context.seed).total_cmp(&draw(b, context.seed)));
    tired.sort_by_key(|t| seen(t));
    rested.append(&mut tired);
    rested
}

/// A text's place in a weighted draw without replacement: the smallest of exponential variates wins with a probability
/// proportional to its weight.
fn draw(text: &Text, seed: &[u8]) -> f64 {
    let hash = Sha256::new().chain_update(seed).chain_update(text.id.as_bytes()).finalize();
    let number = hash.iter().take(6).fold(0_u32, |n, byte| n.wrapping_shl(8) | u32::from(*byte));
    let uniform = (f64::from(number) + 1.0) / (f64::from(u32::MAX) + 1.0);
    -uniform.ln() / f64::from(text.weight)
}

/// Writes a text out; `None` where something it needs is unknown.
fn render(text: &Text, context: &NoteContext, fact: Option<&NoteFact>, plan: Option<&str>) -> Option<String> {
    let mut values: Vec<(&str, Value)> = Vec::new();
    if let Some(employer) = context.employer.and_then(value) {
        values.push(("employer", Value::from(employer)));
    }
    if let Some(plan) = plan {
        values.push(("plan", Value::from(plan)));
    }
    for (name, number) in fact.into_iter().flat_map(|f| &f.numbers) {
        values.push((name, Value::from(*number)));
    }
    if !text.needs.iter().all(|need| values.iter().any(|(name, _)| name == need)) {
        return None;
    }
    engine().template_from_str(&text.source).ok()?.render(Value::from_pairs(values)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + day * 86_400).unwrap()
    }

    fn fact(name: &str, n: u64, of: u64) -> NoteFact {
        NoteFact {
            name: name.into(),
            numbers: vec![("n".into(), n), ("of".into(), of)],
            sample: of,
            worse: false,
            last_used: None,
        }
    }

    fn context<'a>(stage: Stage, facts: &'a [NoteFact], used: &'a [(String, Timestamp)]) -> NoteContext<'a> {
        NoteContext {
            stage,
            employer: Some("Kestrel Ltd."),
            language: "en",
            facts,
            next: Some("finish the letter to Halvorsen"),
            used,
            now: at(0),
            late_stage_recent: 1,
            seed: b"x",
        }
    }

    #[test]
    fn parts_follow_the_stage() {
        let notes = Notes::shipped();
        let facts = [fact("interviews_of_recent", 4, 10)];
        for language in ["en", "de"] {
            let made = |stage, late_stage_recent| {
                let c = NoteContext { language, late_stage_recent, ..context(stage, &facts, &[]) };
                choose(&notes, &c).unwrap()
            };
            let lines = |note: &Note| note.text.lines().count();
            let interview = made(Stage::AfterInterview, 1);
            assert_eq!((lines(&interview), interview.facts.as_slice()), (4, &["interviews_of_recent".to_owned()][..]));
            assert!(interview.text.contains("Halvorsen") && interview.text.contains("10"), "{}", interview.text);
            let last = made(Stage::AfterFinal, 1);
            assert_eq!(lines(&last), 4);
            assert!(!last.text.contains("Halvorsen"), "{}", last.text);
            let many = made(Stage::AfterFinal, 3);
            assert_eq!((lines(&many), many.facts.len()), (2, 0));
            assert_eq!(lines(&made(Stage::AfterApplication, 0)), 1);
        }
    }

    #[test]
    fn facts_are_stated_only_when_they_hold() {
        let notes = Notes::shipped();
        let good = fact("interviews_of_recent", 4, 10);
        for (case, stated) in [
            (good.clone(), true),
            (NoteFact { sample: 4, ..good.clone() }, false),
            (NoteFact { worse: true, ..good.clone() }, false),
            (NoteFact { last_used: Some(at(-13)), ..good.clone() }, false),
            (NoteFact { last_used: Some(at(-14)), ..good.clone() }, true),
            (NoteFact { name: "unheard_of".into(), ..good.clone() }, false),
            (NoteFact { numbers: Vec::new(), ..good }, false),
        ] {
            let facts = [case];
            let note = choose(&notes, &context(Stage::AfterInterview, &facts, &[])).unwrap();
            assert_eq!(note.facts.len(), usize::from(stated), "{facts:?}");
            assert_eq!(note.text.chars().any(|c| c.is_ascii_digit()), stated, "{}", note.text);
        }
    }

    #[test]
    fn every_shipped_note_reads_well_with_every_fact_and_ending() {
        let notes = Notes::shipped();
        let names: std::collections::BTreeSet<String> =
            notes.all().filter(|t| t.part == Part::Fact).filter_map(|t| t.when.clone()).collect();
        assert!(names.len() >= 5, "{names:?}");
        for text in notes.all().filter(|t| t.part == Part::Note) {
            for name in &names {
                let facts = [fact(name, 1234, 5678)];
                let c = context(text.stages[0], &facts, &[]);
                let own = text.when.as_ref().map(|w| fact(w, 1234, 5678));
                let body = render(text, &c, own.as_ref(), None).unwrap_or_else(|| panic!("{} has a hole", text.id));
                let (rest, stated) = rest_of(&notes, &c, &text.language, &[&facts[0]]);
                let whole = [vec![body], rest].concat().join("\n");
                assert_eq!(lint(&whole), Vec::<String>::new(), "{}:\n{whole}", text.id);
                assert!(!whole.contains("..") && !whole.contains("  "), "{}:\n{whole}", text.id);
                assert!(stated.len() <= 1);
            }
        }
    }

    #[test]
    fn no_note_comes_back_before_it_rested_or_its_siblings_were_shown() {
        let notes = Notes::shipped();
        for (stage, employer) in [(Stage::AfterInterview, Some("Kestrel")), (Stage::Unknown, None)] {
            let siblings = notes
                .all()
                .filter(|t| t.part == Part::Note && t.language == "en" && t.stages.contains(&stage) && t.when.is_none())
                .filter(|t| employer.is_some() || t.needs.is_empty())
                .count();
            let mut used: Vec<(String, Timestamp)> = Vec::new();
            for day in 0..400 {
                let seed = day.to_string();
                let c = NoteContext { employer, now: at(day), seed: seed.as_bytes(), ..context(stage, &[], &used) };
                let note = choose(&notes, &c).unwrap();
                let since = used.iter().rposition(|(id, _)| *id == note.template);
                if let Some(last) = since {
                    let rested = at(day).duration_since(used[last].1) >= NOTE_REST;
                    let between: std::collections::BTreeSet<_> = used[last..].iter().map(|(id, _)| id).collect();
                    assert!(rested || between.len() >= siblings, "{} after {} others", note.template, between.len());
                }
                used.push((note.template, at(day)));
            }
        }
    }

    #[test]
    fn hostile_employers_and_plans_leave_no_mark() {
        let notes = Notes::shipped();
        for text in [
            "{{7*7}}",
            "Acme\r\nBcc: evil@x.example",
            "a\0b\u{202e}c",
            "Open Doors!",
            &"x".repeat(10_000),
            "",
            "Failure Ltd",
        ] {
            let c = NoteContext { employer: Some(text), next: Some(text), ..context(Stage::AfterInterview, &[], &[]) };
            let note = choose(&notes, &c).unwrap();
            assert_eq!(lint(&note.text), Vec::<String>::new());
            assert!(!note.text.contains("49") && !note.text.contains(['\0', '\r', '\u{202e}', '{']), "{}", note.text);
            assert!(note.text.lines().count() <= 4);
        }
    }

    #[test]
    fn an_unknown_language_gets_english() {
        let note = choose(&Notes::shipped(), &NoteContext { language: "fi", ..context(Stage::Unknown, &[], &[]) });
        assert_eq!(note.map(|n| n.language).as_deref(), Some("en"));
    }
}
