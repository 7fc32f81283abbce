//! Tests of rules.

use std::path::{Path, PathBuf};

use onward::{
    io::rules_dir,
    rules::{self, Layer, Source},
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules")
}

fn source(name: &str) -> Source {
    let text = std::fs::read_to_string(fixtures().join(name)).unwrap();
    Source { name: name.to_owned(), text, layer: Layer::User }
}

/// For trying a directory of rule files while writing them: `ONWARD_RULES=DIR cargo test -- --nocapture trial`.
#[test]
fn a_directory_of_rules_passes_its_own_tests() {
    let directory = std::env::var_os("ONWARD_RULES").map_or_else(|| fixtures().join("pack"), PathBuf::from);
    let mut sources = rules_dir::read(&directory).unwrap();
    sources.retain(|s| !s.name.ends_with("replies.toml"));
    let set = rules::load(&sources).unwrap_or_else(|problems| panic!("{}", shown(&problems)));
    println!("{}", shown(set.warnings()));
    let report = rules::check(&set);
    println!("{} rules, {} examples, {} messages", report.rules, report.examples, report.messages);
    assert!(report.failures.is_empty(), "{}", shown(&report.failures));
}

fn shown(problems: &[rules::Diagnostic]) -> String {
    problems.iter().map(|p| format!("{p}\n")).collect()
}
