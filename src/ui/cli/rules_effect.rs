//! `onward rules test PATH…`, `rules diff` and `rules stats`: what rules do to mail, as the person's log and folders
//! show it. Prints; nothing is changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Exit, home::Home};
use crate::{
    app::{
        effect::{self, Flip, Past},
        import, kit,
    },
    clean,
    io::{
        rules_dir,
        store::{Filter, Store},
    },
    message::{Fetched, Message},
    outcome::Category,
    rules::{self, Advice, Known, Record, RuleSet, Source},
    ui::{term::Screen, words::counted},
};

/// From how many employers on a domain that the table of senders does not know looks like a relay.
const RELAY_EMPLOYERS_MIN: usize = 3;

/// What a changed set does to mail in files.
#[derive(Debug, Default, Serialize)]
pub struct Files {
    /// Mails read.
    judged: usize,
    /// Those that the two sets judge differently.
    flips: Vec<Flip>,
}

/// Judges the mails of files and folders by two sets.
pub fn files(before: &RuleSet, after: &RuleSet, paths: &[PathBuf]) -> anyhow::Result<Files> {
    let mut found = Files::default();
    for path in paths {
        for mail in import::messages(path) {
            let mail = mail?;
            let message = Message::parse(&mail.bytes, Fetched::of(mail.oversized));
            found.judged += 1;
            found.flips.extend(effect::flip(before, after, &mail.path, &message));
        }
    }
    Ok(found)
}

/// What the rules in force would say today to the mails of the log; `None` where there is no log.
pub fn past(home: &Home, set: &RuleSet) -> anyhow::Result<Option<Past>> {
    if !home.database()?.exists() {
        return Ok(None);
    }
    Ok(Some(effect::past(&home.log()?, set)?))
}

/// Writes what changes in files.
pub fn write_files(out: &mut dyn Write, found: &Files) -> io::Result<()> {
    writeln!(
        out,
        "{}: {}",
        counted(found.judged, "mail"),
        changes(found.flips.len(), "is", "are", "judged differently")
    )?;
    found.flips.iter().try_for_each(|flip| write_flip(out, flip))
}

/// Writes what would change in the log.
pub fn write_past(out: &mut dyn Write, past: &Past) -> io::Result<()> {
    let gone = if past.gone == 0 { String::new() } else { format!(" ({} more are no longer stored)", past.gone) };
    let would = match past.flips.len() {
        0 => "no past decision would change".to_owned(),
        n => format!("would change {}", counted(n, "past decision")),
    };
    writeln!(out, "your log: {}{gone}: {would}", counted(past.judged, "mail"))?;
    past.flips.iter().try_for_each(|flip| write_flip(out, flip))
}

fn changes(number: usize, one: &str, several: &str, what: &str) -> String {
    match number {
        0 => format!("none {one} {what}"),
        1 => format!("1 {one} {what}"),
        n => format!("{n} {several} {what}"),
    }
}

fn write_flip(out: &mut dyn Write, flip: &Flip) -> io::Result<()> {
    let name = |(category, decided): (Category, bool)| format!("{category}{}", if decided { "" } else { "?" });
    let mark = if flip.is_final() { "!" } else { "~" };
    let (before, after) = (name(flip.before), name(flip.after));
    writeln!(out, "  {mark} {before} → {after}  {}  “{}”", flip.mail, clean::line_within(&flip.subject, 60))
}

/// `rules diff OLD NEW [PATH…]`: every mail that two sets of own rules judge differently.
pub fn diff(
    home: &Home,
    (old, new): (&PathBuf, &PathBuf),
    paths: &[PathBuf],
    screen: &mut Screen<'_>,
) -> anyhow::Result<Exit> {
    let (_, disabled) = home.rule_files()?;
    let shipped = kit::rule_sources(None, &disabled).map_err(|problems| anyhow::anyhow!(problems.join("\n")))?;
    let (before, after) = (set_of(&shipped, old)?, set_of(&shipped, new)?);
    let found = if paths.is_empty() { stored(&home.log()?, &before, &after)? } else { files(&before, &after, paths)? };
    if home.json() {
        writeln!(screen.raw(), "{}", serde_json::to_string(&found)?)?;
    } else {
        write_files(screen.raw(), &found)?;
    }
    Ok(if found.flips.is_empty() { Exit::Fine } else { Exit::Findings })
}

/// The shipped rules with the files of a directory, or one file, on top.
fn set_of(shipped: &[Source], path: &Path) -> anyhow::Result<RuleSet> {
    let own = if path.is_dir() { rules_dir::read(path)? } else { vec![rules_dir::file(path)?] };
    let sources: Vec<Source> = shipped.iter().cloned().chain(own).collect();
    rules::load(&sources).map_err(|problems| {
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", shown.join("\n"))
    })
}

fn stored(store: &Store, before: &RuleSet, after: &RuleSet) -> anyhow::Result<Files> {
    let mut found = Files::default();
    for row in store.list(&Filter::default())? {
        let Some(mail) = &row.mail else { continue };
        let Some(raw) = store.raw(mail.message)? else { continue };
        let message = Message::parse(&raw, Fetched::of(mail.truncated));
        found.judged += 1;
        found.flips.extend(effect::flip(before, after, &format!("item {}", row.id), &message));
    }
    Ok(found)
}

/// What `rules stats` prints.
#[derive(Debug, Serialize)]
struct Stats {
    /// Mails of the log with a verdict.
    mails: usize,
    /// Of these, those whose meaning the person set.
    corrected: usize,
    rules: Vec<Record>,
    unknown_senders: Vec<UnknownSender>,
}

/// A domain that writes for several employers and is in no table.
#[derive(Debug, Serialize)]
struct UnknownSender {
    domain: String,
    employers: usize,
    mails: usize,
}

/// `rules stats`: how each rule fared on the mail of the log, corrections included.
pub fn stats(home: &Home, since: Option<u16>, all: bool, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let set = home.rules()?;
    let store = home.log()?;
    let now = crate::io::clock::now();
    let since = since.map(|days| now - SignedDuration::from_hours(24 * i64::from(days)));
    let stats = collect(&store, &set, since, now)?;
    if stats.mails == 0 {
        bail!(
            "the log holds no judged mail yet: `onward once` looks at your mailbox, `onward import PATH` reads old mail"
        );
    }
    if home.json() {
        writeln!(screen.raw(), "{}", serde_json::to_string(&stats)?)?;
    } else {
        write_stats(screen.raw(), &stats, all)?;
    }
    Ok(Exit::Fine)
}

fn collect(store: &Store, set: &RuleSet, since: Option<Timestamp>, now: Timestamp) -> anyhow::Result<Stats> {
    let mut mails = Vec::new();
    let mut corrected = 0;
    let mut domains: BTreeMap<String, (BTreeSet<String>, usize)> = BTreeMap::new();
    for row in store.list(&Filter { since, ..Filter::default() })? {
        let Some((verdict, _)) = store.item(row.id)?.classification else { continue };
        corrected += usize::from(row.origin == crate::outcome::Origin::Person);
        if let (Some(mail), Some(employer)) = (&row.mail, &row.outcome.employer) {
            let host = mail.from_addr.rsplit_once('@').map_or("", |(_, host)| host);
            if let Some(domain) = crate::message::registrable(host)
                && set.senders().by_domain(domain).is_none()
            {
                let entry = domains.entry(domain.to_owned()).or_default();
                entry.0.insert(crate::outcome::employer_key(employer));
                entry.1 += 1;
            }
        }
        // An undecided mail has no meaning yet that a rule could be measured by.
        if row.outcome.decided {
            mails.push((row.outcome.category, verdict, row.detected_at));
        }
    }
    let known: Vec<Known<'_>> = mails
        .iter()
        .map(|(category, verdict, at)| {
            let rules = verdict.evidence().map(|hit| hit.rule.as_str()).collect::<BTreeSet<_>>();
            Known { category: *category, rules: rules.into_iter().collect(), at: *at }
        })
        .collect();
    let unknown = domains.into_iter().filter(|(_, (employers, _))| employers.len() >= RELAY_EMPLOYERS_MIN);
    Ok(Stats {
        mails: known.len(),
        corrected,
        rules: rules::stats(set, &known, now),
        unknown_senders: unknown
            .map(|(domain, (employers, mails))| UnknownSender { domain, employers: employers.len(), mails })
            .collect(),
    })
}

fn write_stats(out: &mut dyn Write, stats: &Stats, all: bool) -> io::Result<()> {
    writeln!(
        out,
        "{} with a meaning that holds, {} set by you. What you did not correct counts as right.\n",
        counted(stats.mails, "mail"),
        stats.corrected
    )?;
    writeln!(
        out,
        "{:<40} {:>5} {:>5} {:>5}  {:>4}  declared  measured  advice",
        "rule", "hits", "right", "wrong", "S/O"
    )?;
    let shown = |r: &&Record| all || r.hits > 0;
    for r in stats.rules.iter().filter(shown) {
        let share = r.share.map_or("–".to_owned(), |s| format!("{s:.2}"));
        let measured = r.measured.map_or("–".to_owned(), |m| format!("{m:.1}"));
        let advice = match r.advice {
            Advice::Keep => "keep",
            Advice::Tune => "tune",
            Advice::Retire => "retire",
            Advice::Silent => "silent for 90 days",
        };
        writeln!(
            out,
            "{:<40} {:>5} {:>5} {:>5}  {share:>4}  {:>8.1}  {measured:>8}  {advice}",
            r.rule, r.hits, r.right, r.wrong, r.declared
        )?;
    }
    let silent = stats.rules.iter().filter(|r| r.hits == 0).count();
    if !all && silent > 0 {
        writeln!(out, "{} without a hit; --all lists them", counted(silent, "rule"))?;
    }
    if !stats.unknown_senders.is_empty() {
        writeln!(
            out,
            "\nsenders that look like relays and are in no table (`[[sender]]` in a file of yours names them)"
        )?;
    }
    for sender in &stats.unknown_senders {
        let employers = counted(sender.employers, "employer");
        writeln!(out, "  {:<30} {employers}, {}", clean::line(&sender.domain), counted(sender.mails, "mail"))?;
    }
    Ok(())
}
