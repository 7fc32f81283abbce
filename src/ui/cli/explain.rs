//! `onward explain`: the full account of one verdict, from the stored verdict itself. Signs and words carry the
//! meaning, never colour alone; of the mail only sentences with hits are shown.

use std::io::{self, Write};

use super::{Exit, home::Home};
use crate::{
    app::import,
    classify::{
        ANCHOR_BITS, BAYES_RULE, Classification, Dropped, Fact, Hit, LEARNED_SOURCE, Modality, RELEVANCE_BITS,
        TEMPLATE_RULE, classify_with, classify_without,
    },
    clean,
    learn::Learned,
    message::{Fetched, Message},
    outcome::{Category, Reason, Stage},
    rules::RuleSet,
    ui::{term::Screen, words},
};

/// Longest part of a sentence shown on either side of a match, in characters.
const AROUND_CHARS: usize = 90;
/// Most hits listed that did not count.
const SEEN_MAX: usize = 20;

/// Runs the verb: a number is an item of the log, anything else a file or `-`.
pub fn run(home: &Home, what: &str, id: Option<&str>, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let rules = home.rules()?;
    let learned = home.learned(&rules)?;
    let explained = match what.parse::<i64>() {
        Ok(number) => vec![of_item(home, (&rules, &learned), number, id.is_some())?],
        Err(_) => of_file((&rules, &learned), what)?,
    };
    let mut exit = Exit::Fine;
    for Explained { verdict, message } in &explained {
        if let Some(id) = id.filter(|_| home.json()) {
            let hits: Vec<&Hit> = verdict.hits.iter().filter(|hit| hit.rule == id).collect();
            let in_force = rules.rule(id).is_some();
            writeln!(screen.raw(), "{}", serde_json::json!({ "rule": id, "in_force": in_force, "hits": hits }))?;
            if !in_force {
                exit = Exit::Findings;
            }
        } else if home.json() {
            writeln!(screen.raw(), "{}", serde_json::to_string(verdict)?)?;
        } else if let Some(id) = id {
            if !rule(screen.raw(), &rules, verdict, id)? {
                exit = Exit::Findings;
            }
        } else {
            account(screen.raw(), &rules, verdict)?;
            if let Some(message) = message {
                would_change(screen.raw(), (&rules, &learned), verdict, message)?;
            }
        }
    }
    Ok(exit)
}

/// A verdict, and the mail where it is at hand.
struct Explained {
    verdict: Classification,
    message: Option<Message>,
}

/// The stored verdict on an item. To say why a rule of today did not hit, the mail is judged again.
fn of_item(home: &Home, (rules, learned): (&RuleSet, &Learned), number: i64, again: bool) -> anyhow::Result<Explained> {
    let store = home.log()?;
    if again {
        let (raw, truncated) = super::show::raw_mail(&store, number)?;
        let message = Message::parse(&raw, Fetched::of(truncated));
        return Ok(Explained { verdict: classify_with(rules, &message, learned), message: Some(message) });
    }
    let item = store.item(number)?;
    let Some((verdict, _)) = item.classification else {
        anyhow::bail!("item {number} was entered by hand; there is no verdict to explain")
    };
    let raw = item.row.mail.as_ref().map(|mail| Ok::<_, anyhow::Error>((store.raw(mail.message)?, mail.truncated)));
    let message = match raw.transpose()? {
        // What rules of today would say without one of them is no comment on a verdict of other rules.
        Some((Some(raw), truncated)) if verdict.rules == rules.fingerprint() => {
            Some(Message::parse(&raw, Fetched::of(truncated)))
        }
        _ => None,
    };
    Ok(Explained { verdict, message })
}

fn of_file((rules, learned): (&RuleSet, &Learned), path: &str) -> anyhow::Result<Vec<Explained>> {
    let mut explained = Vec::new();
    for found in import::messages(path.as_ref()) {
        let mail = found?;
        let message = Message::parse(&mail.bytes, Fetched::of(mail.oversized));
        explained.push(Explained { verdict: classify_with(rules, &message, learned), message: Some(message) });
    }
    Ok(explained)
}

/// Most rules of which is said what the verdict would be without them.
const WITHOUT_MAX: usize = 3;

/// What the verdict rests on: what it would be without each of the heaviest rules.
fn would_change(
    out: &mut dyn Write,
    (rules, learned): (&RuleSet, &Learned),
    verdict: &Classification,
    message: &Message,
) -> io::Result<()> {
    let mut told: Vec<&str> = Vec::new();
    let counted = verdict.evidence().filter(|hit| hit.category.is_some() && rules.rule(&hit.rule).is_some());
    for hit in counted {
        if told.len() >= WITHOUT_MAX || told.contains(&hit.rule.as_str()) {
            continue;
        }
        told.push(&hit.rule);
        let other = classify_without(rules, message, learned, &hit.rule);
        let name = |v: &Classification| match v.asks.first() {
            None => v.category.to_string(),
            Some(ask) => format!("{}? ({ask})", v.category),
        };
        let same = (other.category, other.decided) == (verdict.category, verdict.decided);
        let what = if same { "the same".to_owned() } else { name(&other) };
        let title = if told.len() == 1 { "Without" } else { "" };
        writeln!(out, " {title:<10} {:<40} {what}, {:.1} bits", clean::line(&hit.rule), other.score)?;
    }
    Ok(())
}

/// Writes the short form, for `onward why`: each sentence that counted, with its rule, file and line.
pub fn short(screen: &mut Screen<'_>, verdict: &Classification) -> io::Result<()> {
    let mut any = false;
    for hit in verdict.evidence().filter(|h| h.category == Some(verdict.category)) {
        any = true;
        screen.line(format!("  {}  {} ({:+.1} bits)", place(hit), hit.rule, hit.weight))?;
        let said = if hit.sentence.is_empty() { String::new() } else { format!(": “{}”", hit.sentence) };
        screen.wrapped("    ", &format!("{}{said}", hit.title))?;
    }
    if !any {
        screen.line("  No rule spoke for it.")?;
    }
    for ask in &verdict.asks {
        screen.line(format!("  asked because: {} ({ask})", words::because(*ask)))?;
    }
    Ok(())
}

/// Where the rule of a hit stands; of what was learned, the item that taught it.
fn place(hit: &Hit) -> String {
    match hit.line {
        0 => clean::line(&hit.file),
        n if hit.file == LEARNED_SOURCE => format!("{LEARNED_SOURCE}, item {n}"),
        n => format!("{}:{n}", clean::line(&hit.file)),
    }
}

/// Writes the account of a verdict.
pub fn account(out: &mut dyn Write, rules: &RuleSet, verdict: &Classification) -> io::Result<()> {
    head(out, rules, verdict)?;
    let counted: Vec<&Hit> = verdict.evidence().filter(|h| h.category.is_some()).collect();
    if !counted.is_empty() {
        writeln!(out, "\n Why{:>72}", "bits")?;
    }
    for hit in &counted {
        writeln!(out, " ● {:<36} {:<30} {:+.2}", clean::line(&hit.rule), clean::line(&hit.title), hit.weight)?;
        sentence(out, hit)?;
        let said = if hit.file == LEARNED_SOURCE { String::new() } else { format!("  {}", said(hit)) };
        writeln!(out, "     {}{said}", place(hit))?;
    }
    let seen: Vec<&Hit> = verdict.hits.iter().filter(|h| h.dropped.is_some_and(|d| d != Dropped::Repeated)).collect();
    if !seen.is_empty() {
        writeln!(out, "\n Seen, not counted")?;
    }
    for hit in seen.iter().take(SEEN_MAX) {
        let words = clean::line_within(matched(hit), 60);
        writeln!(out, " ○ {:<36} {:<8} «{words}»  {}", clean::line(&hit.rule), hit.zone.as_str(), why_not(hit))?;
    }
    if seen.len() > SEEN_MAX {
        writeln!(out, "   and {} more", seen.len() - SEEN_MAX)?;
    }
    facts(out, verdict)?;
    let enough = if verdict.relevance >= RELEVANCE_BITS { "≥" } else { "<" };
    writeln!(out, " Job mail   {:+.1} bits {enough} {RELEVANCE_BITS:.1}", verdict.relevance)
}

fn head(out: &mut dyn Write, rules: &RuleSet, verdict: &Classification) -> io::Result<()> {
    let name = |f: &Option<Fact>| f.as_ref().map_or_else(|| "–".to_owned(), |f| clean::line(&f.value));
    let title = if verdict.decided {
        format!("{}  decided", verdict.category.as_str().to_uppercase())
    } else {
        format!("ASK  {}?", verdict.category)
    };
    let same = verdict.rules == rules.fingerprint();
    let print: String = verdict.rules.chars().take(8).collect();
    let changed = if same { "unchanged" } else { "the rules have changed since" };
    let facts = &verdict.facts;
    writeln!(out, " {title}   {} · {}   rules {print} ({changed})", name(&facts.employer), name(&facts.role))?;
    for ask in &verdict.asks {
        writeln!(out, " asked because: {} ({ask})", words::because(*ask))?;
    }
    if verdict.category == Category::Unrelated && verdict.score <= 0.0 {
        return writeln!(out, " nothing in it speaks of an application");
    }
    let policy = rules.policy(verdict.category);
    let second_voice = |c: Category| {
        let of = verdict.evidence().filter(|h| h.category == Some(c) && h.rule.starts_with(BAYES_RULE));
        of.map(|h| h.weight).sum::<f64>()
    };
    let score = verdict.score - second_voice(verdict.category);
    let enough = if score >= policy.accept { "≥" } else { "<" };
    let next = verdict.scores.iter().find(|(c, _)| *c != verdict.category);
    let next_name = next.map_or("none".to_owned(), |(c, bits)| format!("{c} {bits:.1}"));
    let margin = score - next.map_or(0.0, |(c, bits)| (bits - second_voice(*c)).max(0.0));
    let wide = if margin >= policy.margin { "≥" } else { "<" };
    write!(
        out,
        " score {:.1} bits {enough} {:.1} · next: {next_name}, margin {margin:.1} {wide} {:.1}",
        verdict.score, policy.accept, policy.margin
    )?;
    if score != verdict.score {
        write!(out, " · {score:.1} without the second voice, which never decides")?;
    }
    if policy.terminal {
        let anchor = verdict.evidence().find(|h| {
            let strong = rules.rule(&h.rule).is_some_and(|r| r.weight >= ANCHOR_BITS);
            h.category == Some(verdict.category) && (strong || h.rule.starts_with(TEMPLATE_RULE))
        });
        write!(out, " · anchor: {}", anchor.map_or("none", |h| h.rule.as_str()))?;
    }
    writeln!(out)
}

fn matched(hit: &Hit) -> &str {
    hit.sentence.get(hit.span.0..hit.span.1).unwrap_or_default()
}

/// The sentence with the match in brackets.
fn sentence(out: &mut dyn Write, hit: &Hit) -> io::Result<()> {
    if hit.sentence.is_empty() {
        return Ok(());
    }
    let before = hit.sentence.get(..hit.span.0).unwrap_or_default();
    let after = hit.sentence.get(hit.span.1..).unwrap_or_default();
    let skipped = before.chars().count().saturating_sub(AROUND_CHARS);
    let head: String = before.chars().skip(skipped).collect();
    let tail: String = after.chars().take(AROUND_CHARS).collect();
    let (dots, more) = (if skipped > 0 { "…" } else { "" }, if tail.len() < after.len() { "…" } else { "" });
    writeln!(out, "     {:<8} {dots}{}[{}]{}{more}", hit.zone.as_str(), flat(&head), flat(matched(hit)), flat(&tail))
}

/// One line without steering characters; spaces at the ends stay.
fn flat(text: &str) -> String {
    clean::text(text).replace(['\n', '\t'], " ")
}

fn said(hit: &Hit) -> String {
    match (&hit.cue, hit.modality) {
        (Some(cue), modality) => format!("{modality} («{}»)", clean::line(cue)),
        (None, Modality::Asserted) => "asserted (no \"if\", \"may\", other-party or negating word in reach)".to_owned(),
        (None, modality) => modality.to_string(),
    }
}

fn why_not(hit: &Hit) -> String {
    match hit.dropped {
        Some(Dropped::Zone) => format!("{} text is not read by this rule", hit.zone),
        Some(Dropped::Modality) => format!("not as this rule needs it: {}", said(hit)),
        Some(Dropped::Unless) => "one of the rule's exceptions applies".to_owned(),
        Some(Dropped::Requires) => "something the rule requires is missing".to_owned(),
        Some(Dropped::Opener) => "courtesy; the message has an outcome".to_owned(),
        Some(Dropped::Shadow) => "the rule is on trial".to_owned(),
        Some(Dropped::Repeated) | None => "counted once already".to_owned(),
        Some(Dropped::Overruled) => "you said of the same text that it means something else".to_owned(),
        Some(Dropped::Differs) => "but it says something else besides, so your label does not count".to_owned(),
        Some(Dropped::Disputed) => "but you labelled the same text in two ways".to_owned(),
        Some(Dropped::Unsure) => "cannot tell".to_owned(),
    }
}

fn facts(out: &mut dyn Write, verdict: &Classification) -> io::Result<()> {
    let f = &verdict.facts;
    writeln!(out, "\n Facts")?;
    if verdict.category == Category::Rejection {
        let stage = if f.stage == Stage::Unknown { "stage not stated" } else { f.stage.as_str() };
        let assumed = if f.stage_assumed { " (assumed: it speaks of no step)" } else { "" };
        let reason = if f.reason == Reason::None { "no reason given" } else { f.reason.as_str() };
        writeln!(out, "   rejection  {stage}{assumed} · {reason}")?;
    }
    let named = [
        ("employer", &f.employer),
        ("role", &f.role),
        ("number", &f.requisition_id),
        ("contact", &f.contact),
        ("signed", &f.signed_by),
    ];
    for (label, fact) in named {
        if let Some(fact) = fact {
            writeln!(out, "   {label:<10} {}  ({})", clean::line(&fact.value), clean::line(&fact.source))?;
        }
    }
    let relay = f
        .ats
        .as_ref()
        .map_or_else(|| "no known relay".to_owned(), |a| format!("relayed by {}, never the employer", clean::line(a)));
    let replies = if f.noreply { "replies reach nobody" } else { "takes replies" };
    writeln!(out, "   sender     {relay} · {replies} · language {}", f.language)?;
    let marks = [
        (f.agency, "an agency writes for the employer"),
        (f.no_feedback, "gives no feedback"),
        (f.offers_feedback, "offers feedback"),
        (f.retracts, "takes back an earlier mail"),
    ];
    let said: Vec<&str> = marks.iter().filter(|(holds, _)| *holds).map(|(_, text)| *text).collect();
    if !said.is_empty() {
        writeln!(out, "   also       {}", said.join(" · "))?;
    }
    Ok(())
}

/// Writes what one rule made of a message (`--rule ID`): every hit of it, or that none of its phrases is there.
pub fn rule(out: &mut dyn Write, rules: &RuleSet, verdict: &Classification, id: &str) -> io::Result<bool> {
    let Some(rule) = rules.rule(id) else {
        writeln!(out, "no rule `{}` in force; `onward rules list` names them", clean::line(id))?;
        return Ok(false);
    };
    let hits: Vec<&Hit> = verdict.hits.iter().filter(|h| h.rule == id).collect();
    let counted = hits.iter().any(|h| h.dropped.is_none());
    let how = if counted { "counted" } else { "not counted" };
    writeln!(out, " {}   {how}\n   {}  {}:{}", rule.id, clean::line(&rule.title), clean::line(&rule.file), rule.line)?;
    if hits.is_empty() {
        writeln!(out, "   phrases  ✗ none of {} is in the text", rules.written(rule).count())?;
        return Ok(true);
    }
    for hit in hits {
        sentence(out, hit)?;
        let zones = rule.zones.contains(&hit.zone);
        let modality = rule.modality.contains(&hit.modality);
        writeln!(out, "   zones    {} {}", tick(zones), hit.zone)?;
        if zones {
            let wanted: Vec<&str> = rule.modality.iter().map(|m| m.as_str()).collect();
            let needs = if modality { String::new() } else { format!(" — needs {}", wanted.join(" or ")) };
            writeln!(out, "   modality {} {}{needs}", tick(modality), said(hit))?;
        }
        match hit.dropped {
            None => writeln!(out, "   counted  {:+.2}", hit.weight)?,
            Some(_) => writeln!(out, "   dropped  {}", why_not(hit))?,
        }
    }
    Ok(true)
}

fn tick(holds: bool) -> char {
    if holds { '✓' } else { '✗' }
}
