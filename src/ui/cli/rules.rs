//! `onward rules check|test|list|doc|fmt|schema`: what a rule author needs. Every command takes the sources already read and
//! returns its exit code: 0 fine, 1 findings, 2 rules that cannot be loaded.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use serde::Serialize;

use super::{Exit, args::RulesVerb, home::Home, rules_effect as effect};
use crate::{
    app::kit,
    clean,
    io::rules_dir,
    rules::{self, Diagnostic, Layer, Report, Rule, RuleSet, Severity, Source, Status, Trust},
    ui::{term::Screen, words::counted},
};

/// Nothing to report.
pub const FINE: u8 = 0;
/// Problems were found.
pub const FINDINGS: u8 = 1;
/// The rules cannot be loaded.
pub const UNLOADABLE: u8 = 2;

/// Runs a verb.
pub fn run(home: &Home, verb: &RulesVerb, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    if matches!(verb, RulesVerb::Schema) {
        writeln!(screen.raw(), "{:#}", rules::schema())?;
        return Ok(Exit::Fine);
    }
    if let RulesVerb::Fmt { files, check } = verb {
        return fmt(home, files, *check, screen);
    }
    match verb {
        RulesVerb::Diff { old, new, paths } => return effect::diff(home, (old, new), paths, screen),
        RulesVerb::Stats { since, all } => return effect::stats(home, *since, *all, screen),
        RulesVerb::New(args) => return super::propose::new(home, args, screen),
        RulesVerb::Tune(args) => return super::propose::tune(home, args, screen),
        _ => {}
    }
    let today = Some(crate::io::clock::now().to_zoned(home.env.zone.clone()).date());
    let (dir, disabled) = home.rule_files()?;
    let own = match verb {
        RulesVerb::Check { files } if !files.is_empty() => None,
        _ => Some(dir.as_path()),
    };
    let mut sources = kit::rule_sources(own, &disabled).map_err(|problems| anyhow::anyhow!(problems.join("\n")))?;
    if let RulesVerb::Check { files } = verb {
        for path in files {
            sources.push(rules_dir::file(path)?);
        }
    }
    let code = match verb {
        RulesVerb::Check { .. } => check(screen.raw(), &sources, today, home.json())?,
        RulesVerb::Test { paths } => {
            let code = test(screen.raw(), &sources, today, home.json())?;
            if code != UNLOADABLE {
                effects(home, &sources, today, paths, screen)?;
            }
            code
        }
        _ => match loaded(screen.raw(), &sources, today, Trust::Shipped, home.json())? {
            Err(code) => code,
            Ok(set) => match verb {
                RulesVerb::Doc { id } if home.json() => doc_json(screen.raw(), &set, id)?,
                RulesVerb::Doc { id } => doc(screen.raw(), &set, id)?,
                _ => list(screen.raw(), &set, home.json())?,
            },
        },
    };
    Ok(match code {
        FINE => Exit::Fine,
        UNLOADABLE => Exit::Usage,
        _ => Exit::Findings,
    })
}

/// What the person's rules do to mail: to the given one against the shipped rules alone, and to the log.
fn effects(
    home: &Home,
    sources: &[Source],
    today: Option<jiff::civil::Date>,
    paths: &[PathBuf],
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    let Ok(set) = rules::load_on(sources, today, Trust::Shipped) else { return Ok(()) };
    let shipped: Vec<Source> = sources.iter().filter(|s| s.layer == Layer::Shipped).cloned().collect();
    let files = match rules::load(&shipped) {
        Ok(alone) if !paths.is_empty() => Some(effect::files(&alone, &set, paths)?),
        _ => None,
    };
    let past = effect::past(home, &set)?;
    if home.json() {
        write_json(screen.raw(), &serde_json::json!({ "files": files, "log": past }))?;
        return Ok(());
    }
    if let Some(files) = &files {
        effect::write_files(screen.raw(), files)?;
    }
    if let Some(past) = &past {
        effect::write_past(screen.raw(), past)?;
    }
    Ok(())
}

/// `rules fmt`: lays out the given files, or the person's own.
fn fmt(home: &Home, files: &[PathBuf], check: bool, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let (dir, _) = home.rule_files()?;
    let own: Vec<PathBuf> = rules_dir::read(&dir)?.iter().map(|source| PathBuf::from(&source.name)).collect();
    let files = if files.is_empty() { &own } else { files };
    let (mut unlike, mut failed) = (false, false);
    let mut say = |name: &str, state: &str| -> io::Result<()> {
        if home.json() {
            return write_json(screen.raw(), &serde_json::json!({ "file": name, "state": state }));
        }
        screen.line(format!("{name}: {state}"))
    };
    for path in files {
        let source = rules_dir::file(path)?;
        let name = clean::line(&path.display().to_string());
        let text = match rules::formatted(&source.text) {
            Ok(text) => text,
            Err(why) => {
                failed = true;
                say(&name, clean::text(&why).trim())?;
                continue;
            }
        };
        if text == source.text {
            continue;
        }
        unlike = true;
        if check {
            say(&name, "not laid out; run `onward rules fmt`")?;
        } else {
            rules_dir::write(path, &text)?;
            say(&name, "laid out")?;
        }
    }
    Ok(match (failed, check && unlike) {
        (true, _) => Exit::Usage,
        (_, true) => Exit::Findings,
        _ => Exit::Fine,
    })
}

/// What `check` and `test` found, for `--json`.
#[derive(Debug, Serialize)]
struct Findings<'a> {
    loaded: bool,
    rules: usize,
    examples: usize,
    messages: usize,
    problems: Vec<&'a Diagnostic>,
}

/// Loads all sources, or writes every problem and gives the exit code.
fn loaded(
    out: &mut dyn Write,
    sources: &[Source],
    today: Option<jiff::civil::Date>,
    trust: Trust,
    json: bool,
) -> io::Result<Result<RuleSet, u8>> {
    match rules::load_on(sources, today, trust) {
        Ok(set) => Ok(Ok(set)),
        Err(problems) => {
            if json {
                let problems = problems.iter().collect();
                write_json(out, &Findings { loaded: false, rules: 0, examples: 0, messages: 0, problems })?;
            } else {
                for problem in &problems {
                    writeln!(out, "{problem}")?;
                }
                writeln!(out, "{}. Nothing was loaded; a running daemon keeps the rules it has.", count(&problems))?;
            }
            Ok(Err(UNLOADABLE))
        }
    }
}

fn write_json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

fn count(problems: &[Diagnostic]) -> String {
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    format!("{}, {}", counted(errors, "error"), counted(problems.len() - errors, "warning"))
}

/// `rules check`: syntax, references, limits, style, and the embedded tests of the person's own files.
pub fn check(out: &mut dyn Write, sources: &[Source], today: Option<jiff::civil::Date>, json: bool) -> io::Result<u8> {
    let set = match loaded(out, sources, today, Trust::Nobody, json)? {
        Ok(set) => set,
        Err(code) => return Ok(code),
    };
    let report = rules::check(&set);
    let own = own_failures(&report, sources);
    let style = rules::lint(&set, sources, Layer::User);
    if json {
        let problems = set.warnings().iter().chain(&style).chain(own.iter().copied()).collect();
        let Report { rules, examples, messages, .. } = report;
        write_json(out, &Findings { loaded: true, rules, examples, messages, problems })?;
    } else {
        for problem in set.warnings().iter().chain(&style).chain(own.iter().copied()) {
            writeln!(out, "{problem}")?;
        }
        let verdict = if own.is_empty() { "fine".to_owned() } else { format!("{} failed", counted(own.len(), "test")) };
        writeln!(
            out,
            "{}, {}, {verdict}",
            counted(report.rules, "rule"),
            counted(set.warnings().len() + style.len(), "warning")
        )?;
    }
    Ok(if own.is_empty() { FINE } else { FINDINGS })
}

/// The failures of tests that stand in the person's own files.
fn own_failures<'r>(report: &'r Report, sources: &[Source]) -> Vec<&'r Diagnostic> {
    let own = |file: &str| sources.iter().any(|s| s.name == file && s.layer == Layer::User);
    report.failures.iter().filter(|f| own(&f.file)).collect()
}

/// `rules test`: the embedded tests twice, on the shipped rules alone and with the person's changes. A shipped test
/// that only the changes flip is reported, not counted as a failure.
pub fn test(out: &mut dyn Write, sources: &[Source], today: Option<jiff::civil::Date>, json: bool) -> io::Result<u8> {
    let merged = match loaded(out, sources, today, Trust::Nobody, json)? {
        Ok(set) => set,
        Err(code) => return Ok(code),
    };
    let shipped: Vec<Source> = sources.iter().filter(|s| s.layer == Layer::Shipped).cloned().collect();
    let alone = if shipped.is_empty() || shipped.len() == sources.len() { None } else { rules::load(&shipped).ok() };
    let alone = alone.map(|set| rules::check(&set));
    let report = rules::check(&merged);
    let known = |f: &Diagnostic| alone.as_ref().is_some_and(|a| a.failures.iter().any(|o| same(o, f)));
    let own = own_failures(&report, sources);
    let flipped: Vec<&Diagnostic> = match &alone {
        Some(_) => report.failures.iter().filter(|f| !known(f) && !own.iter().any(|o| same(o, f))).collect(),
        None => Vec::new(),
    };
    let failed: Vec<&Diagnostic> = report.failures.iter().filter(|f| !flipped.iter().any(|o| same(o, f))).collect();
    if json {
        let problems = failed.iter().chain(&flipped).copied().chain(&report.closed).collect();
        let Report { rules, examples, messages, .. } = report;
        write_json(out, &Findings { loaded: true, rules, examples, messages, problems })?;
        return Ok(if failed.is_empty() { FINE } else { FINDINGS });
    }
    if let Some(alone) = &alone {
        summary(out, "shipped rules alone", alone)?;
        summary(out, "with your changes", &report)?;
    } else {
        summary(out, "rules", &report)?;
    }
    for (mark, problems) in [("✗", &failed), ("~ your changes flip:", &flipped)] {
        for problem in problems {
            writeln!(out, "{mark} {problem}")?;
        }
    }
    for problem in &report.closed {
        writeln!(out, "! {problem}")?;
    }
    writeln!(out, "{} failed, {} flipped, {} todo", failed.len(), flipped.len(), report.closed.len())?;
    Ok(if failed.is_empty() { FINE } else { FINDINGS })
}

fn same(a: &Diagnostic, b: &Diagnostic) -> bool {
    (&a.file, a.line, a.column, a.code) == (&b.file, b.line, b.column, b.code)
}

fn summary(out: &mut dyn Write, what: &str, report: &Report) -> io::Result<()> {
    let verdict =
        if report.failures.is_empty() { "all pass".to_owned() } else { format!("{} fail", report.failures.len()) };
    let Report { rules, examples, messages, .. } = report;
    writeln!(out, "{what:<22}{rules} rules · {examples} examples · {messages} messages     {verdict}")
}

/// One rule in `rules list --json`.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    id: &'a str,
    title: &'a str,
    category: &'a str,
    weight: f64,
    language: &'a str,
    file: &'a str,
    line: u32,
    layer: Layer,
    changed_by: &'a [String],
}

impl<'a> Listed<'a> {
    fn of(rule: &'a Rule) -> Listed<'a> {
        Listed {
            id: &rule.id,
            title: &rule.title,
            category: category(rule),
            weight: rule.weight,
            language: &rule.language,
            file: &rule.file,
            line: rule.line,
            layer: rule.layer,
            changed_by: &rule.changed_by,
        }
    }
}

fn category(rule: &Rule) -> &'static str {
    rule.category.map_or("signal", |c| c.as_str())
}

/// `rules list`: every rule in force with its origin.
pub fn list(out: &mut dyn Write, set: &RuleSet, json: bool) -> io::Result<u8> {
    for rule in set.rules() {
        if json {
            write_json(out, &Listed::of(rule))?;
            continue;
        }
        let changed = if rule.changed_by.is_empty() {
            String::new()
        } else {
            format!("  changed by {}", clean::line(&rule.changed_by.join(", ")))
        };
        let origin = format!("{}:{}", clean::line(&rule.file), rule.line);
        writeln!(out, "{:<40} {:<16} {:>5.1}  {origin}{changed}", rule.id, category(rule), rule.weight)?;
    }
    Ok(FINE)
}

/// One rule in `rules doc --json`.
#[derive(Debug, Serialize)]
struct Documented<'a> {
    #[serde(flatten)]
    rule: Listed<'a>,
    doc: Option<&'a str>,
    family: &'a str,
    zones: Vec<&'static str>,
    modality: Vec<&'static str>,
    phrases: Vec<&'a str>,
    matches: Vec<&'a str>,
    no_matches: Vec<&'a str>,
}

/// `rules doc ID --json`.
fn doc_json(out: &mut dyn Write, set: &RuleSet, id: &str) -> io::Result<u8> {
    let Some(rule) = set.rule(id) else {
        write_json(out, &serde_json::json!({ "id": id, "error": "no such rule in force" }))?;
        return Ok(FINDINGS);
    };
    let (matches, no_matches) = rule.example_texts();
    let documented = Documented {
        rule: Listed::of(rule),
        doc: rule.doc.as_deref(),
        family: &rule.family,
        zones: rule.zones.iter().map(|zone| zone.as_str()).collect(),
        modality: rule.modality.iter().map(|modality| modality.as_str()).collect(),
        phrases: set.written(rule).collect(),
        matches,
        no_matches,
    };
    write_json(out, &documented)?;
    Ok(FINE)
}

/// `rules doc ID`: one page about one rule.
pub fn doc(out: &mut dyn Write, set: &RuleSet, id: &str) -> io::Result<u8> {
    let Some(rule) = set.rule(id) else {
        writeln!(out, "no rule `{}` in force; `onward rules list` names them", clean::line(id))?;
        return Ok(FINDINGS);
    };
    writeln!(out, "{}\n{}\n", rule.id, clean::line(&rule.title))?;
    if let Some(doc) = &rule.doc {
        writeln!(out, "{}\n", clean::text(doc).trim())?;
    }
    let joined = |words: Vec<&str>| words.join(", ");
    let status = match rule.status {
        Status::Stable => "in force",
        Status::Shadow => "on trial: shown, adds nothing",
        Status::Deprecated => "in force, to be removed",
        Status::Preview => "off",
    };
    writeln!(
        out,
        "speaks for  {} with {:+.1} bits, family {}",
        category(rule),
        rule.weight,
        clean::line(&rule.family)
    )?;
    writeln!(out, "reads       {}", joined(rule.zones.iter().map(|z| z.as_str()).collect()))?;
    writeln!(out, "counts      {}", joined(rule.modality.iter().map(|m| m.as_str()).collect()))?;
    writeln!(out, "status      {status}")?;
    writeln!(out, "from        {}:{}", clean::line(&rule.file), rule.line)?;
    for file in &rule.changed_by {
        writeln!(out, "changed by  {}", clean::line(file))?;
    }
    writeln!(out, "\nphrases")?;
    for phrase in set.written(rule) {
        writeln!(out, "  {}", clean::line(phrase))?;
    }
    let (matches, no_matches) = rule.example_texts();
    for (title, texts) in [("finds", matches), ("leaves alone", no_matches)] {
        if !texts.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        for text in texts {
            writeln!(out, "  {}", clean::line(text))?;
        }
    }
    Ok(FINE)
}
