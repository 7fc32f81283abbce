//! The shipped rules over the self-written mails of `tests/corpus/`: what each means stands in `LANG/expected.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use onward::{
    classify::{Classification, classify},
    message::{Fetched, Message},
    outcome::{Category, Reason, Stage},
    rules::{self, RuleSet, Trust},
};
use serde::Deserialize;

/// What a mail of the corpus means; only what the mail itself says is stated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    category: Category,
    /// False where a careful reader could not tell either, and asking is right.
    decided: Option<bool>,
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
            let other_ends = Message::parse(&with_other_line_ends(&bytes), Fetched::Whole);
            assert_eq!(verdict, classify(&rules, &other_ends), "{language}/{name} with other line ends");
            out.push((format!("{language}/{name}"), wanted, verdict));
        }
    }
    out
}

/// LF for CRLF, CRLF for LF.
fn with_other_line_ends(bytes: &[u8]) -> Vec<u8> {
    let crlf = bytes.windows(2).any(|pair| pair == b"\r\n");
    let lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.collect::<Vec<_>>().join(if crlf { &b"\n"[..] } else { &b"\r\n"[..] })
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
    // The program trusts shipped phrases until it needs them; here they earn it.
    let set = rules::load_on(&rules::shipped(), None, Trust::Nobody).unwrap_or_else(|p| panic!("{}", shown(&p)));
    assert!(set.warnings().is_empty(), "{}", shown(set.warnings()));
    let report = rules::check(&set);
    assert!(report.rules > 50 && report.examples > 200, "{} rules, {} examples", report.rules, report.examples);
    assert!(report.failures.is_empty(), "{}", shown(&report.failures));
}

/// What `rules check` would tell an author of these files: dead, needless, contradictory and slow phrases.
#[test]
fn nothing_is_found_in_the_shipped_rules() {
    let found = rules::lint(&shipped(), &rules::shipped(), rules::Layer::Shipped);
    assert!(found.is_empty(), "{} findings\n{}", found.len(), shown(&found));
}

#[test]
fn the_shipped_files_are_laid_out_as_rules_fmt_does() {
    let replies = ("rules/replies.toml".to_owned(), include_str!("../rules/replies.toml").into());
    for (name, text) in rules::shipped().into_iter().map(|s| (s.name, s.text)).chain([replies]) {
        assert!(rules::formatted(&text).unwrap() == text, "{name} is not laid out: `onward rules fmt {name}`");
    }
}

#[test]
fn every_mail_of_the_corpus_is_judged_as_written() {
    let mut wrong = String::new();
    for (name, wanted, verdict) in VERDICTS.iter() {
        if verdict.category != wanted.category || verdict.decided != wanted.decided.unwrap_or(true) {
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

/// Share of the stated names in whose place another one may be read.
const WRONG_NAMES_MAX: f64 = 0.006;

/// The names that a mail states outright: none is better than a wrong one.
#[test]
fn names_hardly_ever_contradict_the_mail() {
    let mut wrong = String::new();
    let mut stated = 0_u32;
    for (name, wanted, verdict) in VERDICTS.iter() {
        let facts = &verdict.facts;
        stated += u32::from(wanted.role.is_some()) + u32::from(wanted.employer.is_some());
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
    let share = wrong.lines().count() as f64 / f64::from(stated);
    assert!(share <= WRONG_NAMES_MAX, "{share:.3}\n{wrong}");
}

/// What `docs/accuracy.md` says about this corpus is what comes out. `UPDATE_EXPECT=1` writes it.
#[test]
fn the_figures_in_the_documentation_are_those_measured() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/accuracy.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (mark, end) = ("<!-- measured by tests/corpus.rs -->\n", "<!-- end -->");
    let (head, rest) = document.split_once(mark).unwrap();
    let (stated, tail) = rest.split_once(end).unwrap();
    let measured = format!("\n{}\n{}\n{}\n", by_language(), confusion(), facts());
    // Straight to the screen: a captured test would show its figures only when it fails.
    std::io::stderr().write_all(measured.as_bytes()).unwrap();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, format!("{head}{mark}{measured}{end}{tail}")).unwrap();
    } else {
        assert_eq!(stated, measured, "run with UPDATE_EXPECT=1 to write docs/accuracy.md anew");
    }
}

fn language_of(name: &str) -> &str {
    name.split('/').next().unwrap()
}

fn by_language() -> String {
    let mut out =
        "| language | mails | rejections | found | asked | missed | wrongly called | other categories right |\n"
            .to_owned();
    out += "|---|--:|--:|--:|--:|--:|--:|--:|\n";
    let languages: BTreeSet<&str> = VERDICTS.iter().map(|(name, ..)| language_of(name)).collect();
    for language in languages.into_iter().map(Some).chain([None]) {
        let of = || VERDICTS.iter().filter(move |(name, ..)| language.is_none_or(|l| l == language_of(name)));
        let called = |v: &Classification| v.decided && v.category == Category::Rejection;
        let no = || of().filter(|(_, e, _)| e.category == Category::Rejection);
        let others = || of().filter(|(_, e, _)| e.category != Category::Rejection);
        let found = no().filter(|(.., v)| called(v)).count();
        let asked = no().filter(|(.., v)| !v.decided).count();
        let right = others().filter(|(_, e, v)| v.category == e.category).count();
        out += &format!(
            "| {} | {} | {} | {found} | {asked} | {} | {} | {right} of {} |\n",
            language.unwrap_or("**all**"),
            of().count(),
            no().count(),
            no().count() - found - asked,
            others().filter(|(.., v)| called(v)).count(),
            others().count(),
        );
    }
    out
}

/// Rows are what the mails are, columns what the rules say; `?` counts those that are asked about.
fn confusion() -> String {
    let all = Category::ALL;
    let names: Vec<&str> = all.iter().map(|c| c.as_str()).collect();
    let mut out = format!("| is \\ judged | {} | ? |\n|---|{}--:|\n", names.join(" | "), "--:|".repeat(all.len()));
    for truth in all {
        let of = || VERDICTS.iter().filter(move |(_, e, _)| e.category == *truth);
        let count = |n: usize| if n == 0 { "·".to_owned() } else { n.to_string() };
        let cells: Vec<String> =
            all.iter().map(|c| count(of().filter(|(.., v)| v.decided && v.category == *c).count())).collect();
        let asked = count(of().filter(|(.., v)| !v.decided).count());
        out += &format!("| {} | {} | {asked} |\n", truth.as_str(), cells.join(" | "));
    }
    out
}

fn facts() -> String {
    let mut out = "| stated by a rejection | mails | read rightly |\n|---|--:|--:|\n".to_owned();
    let no = || VERDICTS.iter().filter(|(_, e, v)| e.category == Category::Rejection && v.category == e.category);
    let mut row = |name: &str, right: Vec<bool>| {
        out += &format!("| {name} | {} | {} |\n", right.len(), right.iter().filter(|r| **r).count());
    };
    row("stage", no().filter_map(|(_, e, v)| e.stage.map(|s| s == v.facts.stage)).collect());
    row("reason", no().filter_map(|(_, e, v)| e.reason.map(|r| r == v.facts.reason)).collect());
    let same = |stated: &str, read: Option<&String>| {
        let (a, b) = (folded(stated), read.map(|r| folded(r)).unwrap_or_default());
        !b.is_empty() && (a.contains(&b) || b.contains(&a))
    };
    let value = |f: &Option<onward::classify::Fact>| f.as_ref().map(|f| f.value.clone());
    row(
        "employer",
        no().filter_map(|(_, e, v)| e.employer.as_ref().map(|s| same(s, value(&v.facts.employer).as_ref()))).collect(),
    );
    row("role", no().filter_map(|(_, e, v)| e.role.as_ref().map(|s| same(s, value(&v.facts.role).as_ref()))).collect());
    out
}
