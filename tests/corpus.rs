//! The shipped rules over the self-written mails of `tests/corpus/`: what each means stands in `LANG/expected.toml`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use onward::{
    classify::{Classification, classify},
    message::{Fetched, Message},
    outcome::{Category, Reason, Stage},
    rules::{self, RuleSet},
};
use serde::Deserialize;

/// What a mail of the corpus means; only what the mail itself says is stated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    category: Category,
    stage: Option<Stage>,
    reason: Option<Reason>,
    employer: Option<String>,
    role: Option<String>,
}

/// Share of the stages stated in `expected.toml` that have to be read rightly.
const STAGE_FLOOR: f64 = 0.85;
/// The same for reasons: where a mail gives two, either may be read.
const REASON_FLOOR: f64 = 0.7;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn shipped() -> RuleSet {
    rules::load(&rules::shipped()).unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

fn shown(problems: &[rules::Diagnostic]) -> String {
    problems.iter().map(|p| format!("{p}\n")).collect()
}

/// Judged once for all tests of this file.
static VERDICTS: LazyLock<Vec<(String, Expected, Classification)>> = LazyLock::new(verdicts);

/// What each mail means, by language and name.
fn expectations() -> BTreeMap<String, BTreeMap<String, Expected>> {
    let languages = std::fs::read_dir(directory()).unwrap().map(|f| f.unwrap().path());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(path.join("expected.toml")).unwrap();
        let table = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        (path.file_name().unwrap().to_string_lossy().into_owned(), table)
    };
    languages.map(read).collect()
}

fn verdicts() -> Vec<(String, Expected, Classification)> {
    let rules = shipped();
    let mut out = Vec::new();
    for (language, messages) in expectations() {
        for (name, wanted) in messages {
            let bytes = std::fs::read(directory().join(&language).join(format!("{name}.eml"))).unwrap();
            let verdict = classify(&rules, &Message::parse(&bytes, Fetched::Whole));
            out.push((format!("{language}/{name}"), wanted, verdict));
        }
    }
    out
}

/// A name without case, spaces and marks: `Helm & Sons` and `helmandsons` are one employer.
fn folded(name: &str) -> String {
    name.to_lowercase().replace('&', "and").chars().filter(|c| c.is_alphanumeric()).collect()
}

fn account(verdict: &Classification) -> String {
    let hits = verdict.hits.iter().take(8).map(|h| {
        let dropped = h.dropped.map_or_else(String::new, |d| format!(" ({d}, {})", h.modality));
        format!("\n      {:+.1} {}{dropped}: {}", h.weight, h.rule, h.sentence)
    });
    format!("{} {:?} {:?}{}", verdict.category, verdict.asks, verdict.scores, hits.collect::<String>())
}

#[test]
fn the_shipped_rules_pass_their_own_tests() {
    let set = shipped();
    let report = rules::check(&set);
    assert!(report.rules > 50 && report.examples > 200, "{} rules, {} examples", report.rules, report.examples);
    assert!(report.failures.is_empty(), "{}", shown(&report.failures));
}

#[test]
fn every_mail_of_the_corpus_is_judged_as_written() {
    let mut wrong = String::new();
    for (name, wanted, verdict) in VERDICTS.iter() {
        if verdict.category != wanted.category || !verdict.decided {
            wrong += &format!("{name}: should be {}, is {}\n", wanted.category, account(verdict));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_stage_of_a_no_is_read() {
    let (mut right, mut all) = (0.0, 0.0);
    let mut wrong = String::new();
    for (name, wanted, verdict) in VERDICTS.iter() {
        let Some(stage) = wanted.stage else { continue };
        all += 1.0;
        if verdict.facts.stage == stage {
            right += 1.0;
        } else {
            wrong += &format!("{name}: {stage}, read {}\n", verdict.facts.stage);
        }
    }
    assert!(right / all >= STAGE_FLOOR, "{right} of {all}\n{wrong}");
}

#[test]
fn the_reason_of_a_no_is_read() {
    let (mut right, mut all) = (0.0, 0.0);
    let mut wrong = String::new();
    for (name, wanted, verdict) in VERDICTS.iter() {
        let Some(reason) = wanted.reason else { continue };
        all += 1.0;
        if verdict.facts.reason == reason {
            right += 1.0;
        } else {
            wrong += &format!("{name}: {reason}, read {}\n", verdict.facts.reason);
        }
    }
    assert!(right / all >= REASON_FLOOR, "{right} of {all}\n{wrong}");
}

/// A mail without its table, or a table without its mail, is a test that does not run.
#[test]
fn every_mail_has_its_expectation() {
    for (language, messages) in &expectations() {
        let files = std::fs::read_dir(directory().join(language)).unwrap().map(|f| f.unwrap().path());
        let mails = files.filter(|f| f.extension().is_some_and(|e| e == "eml"));
        let names: Vec<String> = mails.map(|f| f.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        let listed: Vec<&String> = messages.keys().collect();
        assert!(names.iter().all(|n| messages.contains_key(n)), "{language}: {names:?} against {listed:?}");
        assert_eq!(names.len(), messages.len(), "{language}");
    }
}

/// The names that a mail states outright.
#[test]
fn names_never_contradict_the_mail() {
    let mut wrong = String::new();
    for (name, wanted, verdict) in VERDICTS.iter() {
        let facts = &verdict.facts;
        let contradicts = |stated: &Option<String>, read: Option<&String>| match (stated, read) {
            (Some(stated), Some(read)) => {
                let (a, b) = (folded(stated), folded(read));
                !a.contains(&b) && !b.contains(&a)
            }
            _ => false,
        };
        if contradicts(&wanted.role, facts.role.as_ref().map(|f| &f.value)) {
            wrong += &format!("{name}: role {:?}, read {:?}\n", wanted.role, facts.role);
        }
        if contradicts(&wanted.employer, facts.employer.as_ref().map(|f| &f.value)) {
            wrong += &format!("{name}: employer {:?}, read {:?}\n", wanted.employer, facts.employer);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
