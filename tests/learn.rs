//! What corrections teach: texts that come again, a second voice, forgetting, and rules made from mail.

use std::{fs, path::PathBuf};

use jiff::civil::Date;
use onward::{
    classify::{self, Ask, Classification, Dropped, Hit},
    io::rules_dir,
    learn::{Asked, BAYES_BITS_MAX, Labelled, Learned, Lesson, NoProposal, TEMPLATE_BITS, TRAINING_MIN, propose, tune},
    message::{Fetched, Message},
    outcome::Category,
    rules::{self, Layer, RuleSet, Source},
};

mod teaching;
mod verbs;

fn today() -> Date {
    "2026-08-03".parse().unwrap()
}

/// A handful of rules, so that what is tested here does not depend on what the shipped ones know by now.
fn sources() -> Vec<Source> {
    let mut source = rules_dir::file(&fixtures().join("rules.toml")).unwrap();
    source.name = "rules.toml".to_owned();
    source.layer = Layer::Shipped;
    vec![source]
}

fn few_rules() -> RuleSet {
    rules::load(&sources()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/learn")
}

/// A mail of `tests/fixtures/learn/`, with words put in place of others.
fn mail(name: &str, instead: &[(&str, &str)]) -> Message {
    Message::parse(&bytes(name, instead), Fetched::Whole)
}

fn bytes(name: &str, instead: &[(&str, &str)]) -> Vec<u8> {
    let path = fixtures().join(name);
    let mut text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (from, to) in instead {
        assert!(text.contains(from), "{name} has no {from:?}");
        text = text.replace(from, to);
    }
    text.replace('\n', "\r\n").into_bytes()
}

fn lesson(rules: &RuleSet, item: i64, message: &Message, label: Category) -> Lesson {
    Lesson { item, day: today(), label, traits: classify::traits(rules, message) }
}

fn hit<'v>(verdict: &'v Classification, rule: &str) -> Option<&'v Hit> {
    verdict.hits.iter().find(|hit| hit.rule == rule)
}
