//! `onward rules new` and `onward rules tune`: a proposal, what it would change, and, where the person wants it, the
//! file. It must not choose what a rule says.

use std::{
    io::{BufRead as _, IsTerminal as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use jiff::civil::Date;
use serde_json::json;

use super::{
    Exit,
    args::{NewRuleArgs, TuneArgs},
    home::Home,
};
use crate::{
    app::{
        authoring::{self, Change, Example},
        kit,
    },
    io::{
        clock, rules_dir,
        store::{Store, StoreError},
    },
    learn::{Asked, LEARNED_FILE, Labelled, NoProposal, Proposal, propose, tune as exception},
    outcome::Category,
    rules::{self, Report, RuleSet, Source, Trust},
    ui::{term::Screen, words},
};

/// Longest answer that is looked at, in bytes.
const ANSWER_BYTES_MAX: u64 = 64;
/// Most changed decisions that are listed.
const CHANGES_SHOWN_MAX: usize = 10;

/// What a proposal is made with.
struct Bench {
    /// `None` where nothing was logged yet.
    store: Option<Store>,
    sources: Vec<Source>,
    rules: RuleSet,
    report: Report,
    file: PathBuf,
    name: String,
    today: Date,
}

impl Bench {
    fn open(home: &Home) -> Result<Bench> {
        let (dir, disabled) = home.rule_files()?;
        let today = clock::now().to_zoned(home.env.zone.clone()).date();
        let said = |problems: Vec<String>| anyhow::anyhow!(problems.join("\n"));
        let sources = kit::rule_sources(Some(&dir), &disabled).map_err(said)?;
        let rules = rules::load_on(&sources, Some(today), Trust::Shipped)
            .map_err(|problems| said(problems.iter().map(ToString::to_string).collect()))?;
        let report = rules::check(&rules);
        let file = dir.join(LEARNED_FILE);
        let name = file.display().to_string();
        let store = match Store::open_to_read(&home.database()?) {
            Ok(store) => Some(store),
            Err(StoreError::Missing { .. }) => None,
            Err(error) => return Err(error).context("the log cannot be read"),
        };
        Ok(Bench { store, sources, rules, report, file, name, today })
    }

    fn example(&self, what: &str) -> Result<Example> {
        authoring::example(self.store.as_ref(), what)
    }

    /// The other mails that the person labelled.
    fn labelled(&self, without: &[i64]) -> Result<Vec<Example>> {
        self.store.as_ref().map_or(Ok(Vec::new()), |store| authoring::labelled(store, without))
    }

    fn asked<'a>(&'a self, labelled: &'a [Labelled<'a>]) -> Asked<'a> {
        let Bench { sources, rules, report, name, today, .. } = self;
        Asked { sources, file: name, today: *today, rules, report, labelled }
    }

    /// What would change of past decisions, and of how many.
    fn changes(&self, proposal: &Proposal) -> Result<(Vec<Change>, usize)> {
        let Some(store) = &self.store else { return Ok((Vec::new(), 0)) };
        authoring::changes(store, &self.rules, &proposal.rules)
    }
}

fn labels(examples: &[Example]) -> Vec<Labelled<'_>> {
    examples.iter().filter_map(|example| Some(example.labelled(example.label?))).collect()
}

/// Proposes a rule.
pub fn new(home: &Home, args: &NewRuleArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    let bench = Bench::open(home)?;
    let example = bench.example(&args.from)?;
    let label = args.category.or(example.label);
    let label = label.with_context(|| {
        format!("say what {} really is: `--category CATEGORY`, or correct it first (`onward fix`)", example.name)
    })?;
    let rows: Vec<i64> = example.row.into_iter().collect();
    let others = bench.labelled(&rows)?;
    let labelled = labels(&others);
    let proposed = propose(&bench.asked(&labelled), example.labelled(label));
    finish(home, &bench, proposed, args.save, screen)
}

/// Proposes an exception.
pub fn tune(home: &Home, args: &TuneArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    let bench = Bench::open(home)?;
    let read = |names: &[String]| names.iter().map(|what| bench.example(what)).collect::<Result<Vec<_>>>();
    let (wrong, right) = (read(&args.wrong)?, read(&args.right)?);
    let rows: Vec<i64> = wrong.iter().chain(&right).filter_map(|example| example.row).collect();
    let others = bench.labelled(&rows)?;
    let labelled = labels(&others);
    // Which category it is does not matter here, only whether the rule counts.
    let wrong: Vec<Labelled<'_>> = wrong.iter().map(|e| e.labelled(e.label.unwrap_or(Category::Unrelated))).collect();
    let right: Vec<Labelled<'_>> = right.iter().map(|e| e.labelled(e.label.unwrap_or(Category::Unrelated))).collect();
    let proposed = exception(&bench.asked(&labelled), &args.rule, &wrong, &right);
    finish(home, &bench, proposed, args.save, screen)
}

/// Shows a proposal with its effect, and saves it where the person wants that.
fn finish(
    home: &Home,
    bench: &Bench,
    proposed: Result<Proposal, NoProposal>,
    save: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit> {
    let proposal = match proposed {
        Ok(proposal) => proposal,
        Err(why) => {
            if home.json() {
                writeln!(screen.raw(), "{}", json!({ "proposal": null, "why": why.to_string() }))?;
            } else {
                screen.wrapped("", &format!("No proposal: {why}."))?;
            }
            return Ok(Exit::Findings);
        }
    };
    let (changes, looked) = bench.changes(&proposal)?;
    let saved = if home.json() {
        if save {
            write(bench, &proposal)?;
        }
        let value = json!({
            "proposal": proposal.toml, "rules": proposal.ids, "mails": proposal.mails, "file": bench.name,
            "looked_at": looked, "changes": changes, "saved": save,
        });
        writeln!(screen.raw(), "{value}")?;
        return Ok(Exit::Fine);
    } else {
        show(screen, &proposal, &changes, looked)?;
        save || is_wanted(screen, &bench.file)?
    };
    if saved {
        write(bench, &proposal)?;
        screen.line(format!("Saved to {}.", bench.file.display()))?;
        screen.aside("A running daemon takes it over when it is told to reload (`systemctl --user reload onward`).")?;
    } else {
        screen.aside("Nothing was saved; `--save` adds it to your rules.")?;
    }
    Ok(Exit::Fine)
}

fn show(screen: &mut Screen<'_>, proposal: &Proposal, changes: &[Change], looked: usize) -> Result<()> {
    screen.line(proposal.toml.trim_end())?;
    screen.gap()?;
    screen.line(format!("Based on {}. No test of any rule fails with it.", words::counted(proposal.mails, "mail")))?;
    let decisions = words::counted(changes.len(), "past decision");
    screen.line(format!("It would change {decisions} (of {looked} stored)."))?;
    let named = |(category, decided): (Category, bool)| {
        if decided { words::category(category).to_owned() } else { format!("perhaps {}", words::category(category)) }
    };
    for change in changes.iter().take(CHANGES_SHOWN_MAX) {
        let flip = &change.flip;
        let said = match change.label {
            Some(label) if label == flip.after.0 => ", as you said",
            Some(_) => ", which is not what you said",
            None => "",
        };
        screen.line(format!("  {}: {} → {}{said}", flip.mail, named(flip.before), named(flip.after)))?;
    }
    if changes.len() > CHANGES_SHOWN_MAX {
        screen.line(format!("  and {} more", changes.len() - CHANGES_SHOWN_MAX))?;
    }
    Ok(())
}

/// Asks where somebody can answer; anything but a yes is a no.
fn is_wanted(screen: &mut Screen<'_>, file: &Path) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    screen.prompt(&format!("Add it to {}? [y/N]  ", file.display()))?;
    let mut answer = Vec::new();
    let input = std::io::stdin().lock();
    std::io::Read::take(input, ANSWER_BYTES_MAX).read_until(b'\n', &mut answer)?;
    Ok(matches!(String::from_utf8_lossy(&answer).trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Writes the file with the proposal; it was loaded before with all the others.
fn write(bench: &Bench, proposal: &Proposal) -> Result<()> {
    // The proposal was verified with what the files held when it was made.
    let now = if bench.file.exists() { Some(rules_dir::file(&bench.file)?.text) } else { None };
    let then = bench.sources.iter().find(|source| source.name == bench.name).map(|source| source.text.clone());
    if now != then {
        anyhow::bail!("{} was changed meanwhile; nothing was saved, try again", bench.file.display());
    }
    let text = proposal.sources.iter().find(|source| source.name == bench.name).map(|source| source.text.as_ref());
    let text = text.context("the proposal has no file")?;
    Ok(rules_dir::write(&bench.file, text)?)
}
