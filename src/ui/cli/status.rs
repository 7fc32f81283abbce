//! `onward` without a verb: how things are, in a few lines.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::json;

use super::{Exit, home::Home, list::is_held};
use crate::{
    app::{
        fresh::{self, Watched},
        ingest, junk,
        queue::{self, Waiting},
        submit,
    },
    config::Config,
    draft::DraftState,
    io::{
        clock,
        store::{Counts, Filter, Lock, Store, StoreError, daily_backups, room},
    },
    ui::{term::Screen, words},
};

/// How things are.
struct Status {
    running: bool,
    /// Why nothing can be logged now, so that nothing is read or sent.
    paused: Option<String>,
    mailboxes: Vec<Watched>,
    waiting: Waiting,
    counts: Counts,
    /// Outcomes that are not held for the reading hour: of those the number alone would tell.
    news: usize,
    approved: usize,
    unconfirmed: usize,
    /// Whether no draft is offered by itself, because none was used lately.
    drafting_rests: bool,
    /// Why nothing that is approved leaves.
    obstacles: Vec<String>,
    /// Approved drafts that could not be delivered yet, with the reason of the last attempt.
    waits: Vec<(i64, String)>,
    /// Mails in Junk that the person is asked about.
    in_junk: usize,
}

/// Runs the verb.
pub fn run(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let Some(config) = home.config_if_any()? else { return not_set_up(home, screen) };
    if !config.store.exists() && daily_backups(&config.store).is_empty() {
        if home.json() {
            writeln!(screen.raw(), "{}", json!({ "configured": true, "messages": 0 }))?;
        } else {
            screen.line("Nothing was looked at yet: `onward once` looks now, `onward run` keeps looking.")?;
        }
        return Ok(Exit::Fine);
    }
    let now = clock::now();
    let status = gather(&config, &home.log()?, now)?;
    if home.json() {
        writeln!(screen.raw(), "{}", as_json(&status))?;
    } else {
        text(screen, &status, now)?;
    }
    let trouble = status.mailboxes.iter().any(|mailbox| mailbox.is_trouble(status.running));
    let attention = status.unconfirmed > 0
        || status.counts.quarantined > 0
        || trouble
        || status.paused.is_some()
        || (status.approved > 0 && !status.obstacles.is_empty());
    Ok(if attention { Exit::Attention } else { Exit::Fine })
}

fn not_set_up(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let path = home.config_path()?;
    if home.json() {
        writeln!(screen.raw(), "{}", json!({ "configured": false, "config": path }))?;
        return Ok(Exit::Fine);
    }
    screen.line("Onward is not set up yet.")?;
    screen.gap()?;
    screen.line("  onward demo              shows the whole path on a sample mailbox, no account needed")?;
    screen.line("  onward config example    prints a configuration to start from; it belongs into")?;
    screen.line(format!("                           {}", path.display()))?;
    screen.line("  onward config check      says what is left to do there")?;
    Ok(Exit::Fine)
}

/// How many of the mails that wait for the person lie in Junk.
fn undecided_in_junk(config: &Config, store: &Store, waiting: &Waiting) -> Result<usize> {
    let mut count = 0;
    for row in &waiting.undecided {
        count += usize::from(junk::holds(&store.item(row.id)?.places, Some(config)));
    }
    Ok(count)
}

fn gather(config: &Config, store: &Store, now: Timestamp) -> Result<Status> {
    let approved = store.drafts(&[DraftState::Approved])?;
    let waiting = queue::waiting(store, now, false)?;
    Ok(Status {
        running: config.store.parent().is_some_and(Lock::is_held),
        in_junk: undecided_in_junk(config, store, &waiting)?,
        waiting,
        paused: room(&config.store).err().map(|error| error.to_string()),
        mailboxes: fresh::watched(config, store, now)?,
        counts: store.counts()?,
        news: store.list(&Filter::default())?.iter().filter(|row| !is_held(row, now)).count(),
        approved: approved.len(),
        obstacles: submit::obstacles(config),
        waits: approved.into_iter().filter(|d| !d.remark.is_empty()).map(|d| (d.id, d.remark)).collect(),
        unconfirmed: store.drafts(&[DraftState::Unconfirmed])?.len() + cut_off(config, store)?,
        drafting_rests: config.reply.enabled && ingest::drafting_rests(store, now)?,
    })
}

/// Drafts that were on their way when the process that sent them ended, and that nobody has taken up since.
fn cut_off(config: &Config, store: &Store) -> Result<usize> {
    let sending = || Ok::<_, StoreError>(store.drafts(&[DraftState::Sending])?.len());
    let nobody_delivers = || !config.store.parent().is_some_and(Lock::is_outbox_held);
    // Asked again after the lock: the delivery that was seen may just have ended in order.
    Ok(if sending()? > 0 && nobody_delivers() { sending()? } else { 0 })
}

fn as_json(status: &Status) -> serde_json::Value {
    let mailboxes: Vec<_> = status
        .mailboxes
        .iter()
        .map(|m| json!({ "account": m.account, "mailbox": m.mailbox, "last_look": m.last_look, "stale": m.stale }))
        .collect();
    let outcomes: serde_json::Map<_, _> =
        status.counts.outcomes.iter().map(|(category, n)| (category.as_str().to_owned(), json!(n))).collect();
    let waits: Vec<_> = status.waits.iter().map(|(draft, why)| json!({ "draft": draft, "why": why })).collect();
    json!({
        "obstacles": status.obstacles, "waits": waits,
        "configured": true, "running": status.running, "paused": status.paused, "mailboxes": mailboxes,
        "undecided": status.waiting.undecided.len(), "drafts": status.waiting.drafts.len(),
        "resting": status.waiting.resting.len(), "approved": status.approved, "unconfirmed": status.unconfirmed,
        "drafting_rests": status.drafting_rests, "in_junk": status.in_junk,
        "quarantined": status.counts.quarantined, "messages": status.counts.messages, "outcomes": outcomes,
    })
}

fn text(screen: &mut Screen<'_>, status: &Status, now: Timestamp) -> Result<()> {
    screen.line(if status.running {
        "Onward is running."
    } else {
        "Onward is not running (`onward run`, or the systemd unit)."
    })?;
    if let Some(why) = &status.paused {
        screen.wrapped("", &format!("Paused: {why}."))?;
    }
    for watched in &status.mailboxes {
        let Watched { account, mailbox, last_look, .. } = watched;
        let seen = last_look.map_or("not looked at yet".to_owned(), |at| format!("looked at {}", words::ago(at, now)));
        let stale = watched.is_trouble(status.running);
        let mark = if stale { "  (stale: `onward doctor` finds out why)" } else { "" };
        screen.line(format!("  {mailbox} of {account}: {seen}{mark}"))?;
    }
    let mails = words::counted(status.counts.messages, "mail");
    screen.line(format!("  {mails} read, {} about an application (`onward list`)", status.news))?;
    waits(screen, status)
}

/// What the person can do something about.
fn waits(screen: &mut Screen<'_>, status: &Status) -> Result<()> {
    let (drafts, asks) = (status.waiting.drafts.len(), status.waiting.undecided.len());
    let waits = [(drafts, words::counted(drafts, "draft")), (asks, words::counted(asks, "mail") + " to decide about")];
    let waits: Vec<String> = waits.into_iter().filter_map(|(n, said)| (n > 0).then_some(said)).collect();
    screen.line(if waits.is_empty() {
        "Nothing waits for you.".to_owned()
    } else {
        format!("Waiting for you: {} (`onward review`).", waits.join(", "))
    })?;
    if status.in_junk > 0 {
        let mails = words::counted(status.in_junk, "mail");
        screen.line(format!("{mails} of these found in Junk: look before your provider deletes it."))?;
    }
    if status.approved > 0 {
        let drafts = words::counted(status.approved, "draft");
        screen.line(format!("{drafts} approved and not delivered yet (`onward send`)."))?;
    }
    for (draft, why) in &status.waits {
        screen.wrapped("  ", &format!("draft {draft}: {why}"))?;
    }
    for why in &status.obstacles {
        screen.wrapped("", &format!("Nothing leaves: {why}."))?;
    }
    if status.unconfirmed > 0 {
        let drafts = words::counted(status.unconfirmed, "draft");
        screen.line(format!("{drafts} perhaps sent: look into your Sent mailbox, then `onward draft resolve ID`."))?;
    }
    if status.drafting_rests {
        screen.wrapped(
            "",
            "No drafts are offered for now: the last ten went unused. `onward draft write ID` writes one when you want \
             it, and to use one brings them back.",
        )?;
    }
    if status.counts.quarantined > 0 {
        let mails = words::counted(status.counts.quarantined, "mail");
        screen.line(format!("{mails} could not be read (`onward doctor` says why)."))?;
    }
    Ok(())
}
