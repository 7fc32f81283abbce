//! Runs the tests that rules carry: every `match` has to count, no `no_match` may, and every whole-message test has to
//! come out as written. The same engine path as for mail, so that a passing test means something.

use super::{
    Diagnostic, Severity,
    set::{Example, MessageTest, Rule, RuleSet},
    vocabulary::{reason_named, stage_named},
};
use crate::{
    classify::{self, Classification, Hit},
    clean,
    outcome::Category,
};

/// What a run of the embedded tests found.
#[derive(Debug, Default)]
pub struct Report {
    /// Number of rules.
    pub rules: usize,
    /// Number of `match` and `no_match` examples.
    pub examples: usize,
    /// Number of whole-message tests.
    pub messages: usize,
    /// What failed, as problems with their place (`R040` match, `R041` no_match, `R042` message).
    pub failures: Vec<Diagnostic>,
    /// Known gaps (`todo_match`, `todo_no_match`) that pass by now.
    pub closed: Vec<Diagnostic>,
}

/// Runs all tests of the set.
pub fn check(rules: &RuleSet) -> Report {
    let mut report = Report { rules: rules.rules.len(), messages: rules.message_tests.len(), ..Report::default() };
    for rule in &rules.rules {
        report.examples += rule.examples.matches.len() + rule.examples.no_matches.len();
        check_rule(rules, rule, &mut report);
    }
    for test in &rules.message_tests {
        let verdict = classify::classify(rules, &test.message());
        for wrong in disagreements(test, &verdict) {
            let message = format!("message test \"{}\": {wrong}", test.name);
            report.failures.push(problem(
                "R042",
                Severity::Error,
                &test.file,
                test.at,
                message,
                Some(account(&verdict)),
            ));
        }
    }
    report
}

fn check_rule(rules: &RuleSet, rule: &Rule, report: &mut Report) {
    let run = |e: &Example| classify::try_sentence(rules, &rule.id, &e.text);
    let counts = |hit: &Option<Hit>| hit.as_ref().is_some_and(|h| h.dropped.is_none());
    for example in &rule.examples.matches {
        let hit = run(example);
        if !counts(&hit) {
            let message = format!("`{}` should match \"{}\"", rule.id, example.text);
            let why = hit.map_or_else(|| "no phrase matches".to_owned(), |h| why_not(&h));
            report.failures.push(problem("R040", Severity::Error, &rule.file, example.at, message, Some(why)));
        }
    }
    for example in &rule.examples.no_matches {
        let hit = run(example);
        if counts(&hit) {
            let message = format!("`{}` should not match \"{}\"", rule.id, example.text);
            report.failures.push(problem(
                "R041",
                Severity::Error,
                &rule.file,
                example.at,
                message,
                hit.map(|h| why(&h)),
            ));
        }
    }
    let todo = [(&rule.examples.todo_matches, true, "match"), (&rule.examples.todo_no_matches, false, "no_match")];
    for (examples, wanted, key) in todo {
        for example in examples.iter().filter(|e| counts(&run(e)) == wanted) {
            let message = format!("todo_{key} passes by now: \"{}\"", example.text);
            let help = format!("move it to `{key}`");
            report.closed.push(problem("R116", Severity::Warning, &rule.file, example.at, message, Some(help)));
        }
    }
}

fn problem(
    code: &'static str,
    severity: Severity,
    file: &str,
    at: super::Place,
    message: String,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic {
        code,
        severity,
        file: file.to_owned(),
        line: at.line,
        column: at.column,
        message: clean::line_within(&message, 400),
        help: help.map(|h| clean::line_within(&h, 400)),
        excerpt: String::new(),
    }
}

fn phrase(hit: &Hit) -> &str {
    hit.sentence.get(hit.span.0..hit.span.1).unwrap_or_default()
}

fn why_not(hit: &Hit) -> String {
    let reason = match (hit.dropped, &hit.cue) {
        (Some(classify::Dropped::Modality), Some(cue)) => format!("it is {} («{cue}»)", hit.modality),
        (Some(dropped), _) => format!("dropped: {dropped}"),
        (None, _) => "counted".to_owned(),
    };
    format!("found «{}», but {reason}", phrase(hit))
}

fn why(hit: &Hit) -> String {
    let cue = hit.cue.as_ref().map_or_else(|| "no cue in reach".to_owned(), |c| format!("«{c}»"));
    format!("counted «{}» as {} ({cue})", phrase(hit), hit.modality)
}

/// `accept`, `ask` or `none`, as tests name a decision.
fn decision(verdict: &Classification) -> &'static str {
    match (verdict.decided, verdict.category) {
        (false, _) => "ask",
        (true, Category::Unrelated) if verdict.score <= 0.0 => "none",
        (true, _) => "accept",
    }
}

fn account(verdict: &Classification) -> String {
    let hits: Vec<String> = verdict
        .hits
        .iter()
        .map(|h| match h.dropped {
            None => format!("{} {:+.1}", h.rule, h.weight),
            Some(dropped) => format!("({} {dropped})", h.rule),
        })
        .collect();
    format!("relevance {:.1}; hits: {}", verdict.relevance, hits.join(", "))
}

fn disagreements(test: &MessageTest, verdict: &Classification) -> Vec<String> {
    let mut out = Vec::new();
    let mut differ = |what: &str, wanted: &str, got: &str| {
        if wanted != got {
            out.push(format!("{what} is {got}, expected {wanted}"));
        }
    };
    if let Some(category) = test.category {
        differ("category", category.as_str(), verdict.category.as_str());
    }
    if let Some(wanted) = &test.decision {
        let asks: Vec<&str> = verdict.asks.iter().map(|a| a.as_str()).collect();
        let got = decision(verdict);
        let shown = if asks.is_empty() { got.to_owned() } else { format!("{got} ({})", asks.join(", ")) };
        differ("decision", wanted, if got == wanted { wanted } else { &shown });
    }
    for (key, wanted) in &test.set {
        let value = |f: &Option<classify::Fact>| f.as_ref().map_or("nothing".to_owned(), |f| f.value.clone());
        let wanted_name = match key.as_str() {
            "reason" => reason_named(wanted).map(|r| r.as_str().to_owned()),
            "stage" => stage_named(wanted).map(|s| s.as_str().to_owned()),
            _ => None,
        };
        let facts = &verdict.facts;
        let got = match key.as_str() {
            "reason" => facts.reason.as_str().to_owned(),
            "stage" => facts.stage.as_str().to_owned(),
            "employer" | "company" => value(&facts.employer),
            "role" => value(&facts.role),
            "noreply" => facts.noreply.to_string(),
            "no_feedback" => facts.no_feedback.to_string(),
            "offers_feedback" => facts.offers_feedback.to_string(),
            "retracts" => facts.retracts.to_string(),
            "agency" => facts.agency.to_string(),
            "language" => facts.language.clone(),
            _ => continue,
        };
        differ(key, wanted_name.as_deref().unwrap_or(wanted), &got);
    }
    let counted: Vec<&str> = verdict.evidence().map(|h| h.rule.as_str()).collect();
    for rule in test.hits.iter().filter(|r| !counted.contains(&r.as_str())) {
        out.push(format!("{rule} did not count"));
    }
    for rule in test.not_hits.iter().filter(|r| counted.contains(&r.as_str())) {
        out.push(format!("{rule} counted"));
    }
    out
}
