//! `onward` without a verb: how things are, in a few lines.

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::json;

use super::{Exit, home::Home, list::is_held};
use crate::{
    app::queue,
    draft::DraftState,
    io::{
        clock,
        store::{Filter, Lock},
    },
    ui::{term::Screen, words},
};

/// A mailbox that was not looked at for this many poll intervals is stale.
const STALE_POLLS: u32 = 3;

/// Runs the verb.
pub fn run(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let Some(config) = home.config_if_any()? else {
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
        return Ok(Exit::Fine);
    };
    if !config.store.exists() {
        if home.json() {
            writeln!(screen.raw(), "{}", json!({ "configured": true, "messages": 0 }))?;
            return Ok(Exit::Fine);
        }
        screen.line("Nothing was looked at yet: `onward once` looks now, `onward run` keeps looking.")?;
        return Ok(Exit::Fine);
    }
    let store = home.log()?;
    let now = clock::now();
    let running = config.store.parent().is_some_and(Lock::is_held);
    let waiting = queue::waiting(&store, now, false)?;
    let counts = store.counts()?;
    let unconfirmed = store.drafts(&[DraftState::Unconfirmed])?.len();
    let approved = store.drafts(&[DraftState::Approved])?.len();
    let mut mailboxes = Vec::new();
    for account in &config.accounts {
        for mailbox in &account.mailboxes {
            let polled = store.cursors()?.into_iter().find(|c| c.account == account.name && &c.mailbox == mailbox);
            let limit = SignedDuration::try_from(account.poll * STALE_POLLS).unwrap_or(SignedDuration::MAX);
            let stale = polled.as_ref().is_none_or(|c| now.duration_since(c.polled_at) > limit);
            mailboxes.push((account.name.clone(), mailbox.clone(), polled.map(|c| c.polled_at), stale));
        }
    }
    let attention = unconfirmed > 0 || counts.quarantined > 0 || (running && mailboxes.iter().any(|m| m.3));
    let exit = if attention { Exit::Attention } else { Exit::Fine };
    if home.json() {
        let value = json!({
            "configured": true,
            "running": running,
            "mailboxes": mailboxes.iter().map(|(account, mailbox, at, stale)| json!({
                "account": account, "mailbox": mailbox, "last_look": at, "stale": stale })).collect::<Vec<_>>(),
            "undecided": waiting.undecided.len(), "drafts": waiting.drafts.len(), "resting": waiting.resting.len(),
            "approved": approved, "unconfirmed": unconfirmed, "quarantined": counts.quarantined, "messages": counts.messages,
            "outcomes": counts.outcomes.iter().map(|(c, n)| (c.as_str(), n)).collect::<std::collections::BTreeMap<_, _>>(),
        });
        writeln!(screen.raw(), "{value}")?;
        return Ok(exit);
    }
    screen.line(if running {
        "Onward is running."
    } else {
        "Onward is not running (`onward run`, or the systemd unit)."
    })?;
    for (account, mailbox, at, stale) in &mailboxes {
        let seen = at.map_or("not looked at yet".to_owned(), |at| format!("looked at {}", words::ago(at, now)));
        let mark = if *stale && running { "  (stale: `onward doctor` finds out why)" } else { "" };
        screen.line(format!("  {mailbox} of {account}: {seen}{mark}"))?;
    }
    // What is held for the reading hour is not counted here either: the number alone would tell.
    let news = store.list(&Filter::default())?.iter().filter(|row| !is_held(row, now)).count();
    screen.line(format!(
        "  {} read, {news} about an application (`onward list`)",
        words::counted(counts.messages, "mail")
    ))?;
    let waits: Vec<String> = [
        (waiting.drafts.len(), words::counted(waiting.drafts.len(), "reply draft")),
        (waiting.undecided.len(), words::counted(waiting.undecided.len(), "mail") + " to decide about"),
    ]
    .into_iter()
    .filter_map(|(n, said)| (n > 0).then_some(said))
    .collect();
    if waits.is_empty() {
        screen.line("Nothing waits for you.")?;
    } else {
        screen.line(format!("Waiting for you: {} (`onward review`).", waits.join(", ")))?;
    }
    if approved > 0 {
        screen
            .line(format!("{} approved and not delivered yet (`onward send`).", words::counted(approved, "draft")))?;
    }
    if unconfirmed > 0 {
        let drafts = words::counted(unconfirmed, "draft");
        screen.line(format!("{drafts} perhaps sent: look into your Sent mailbox, then `onward draft resolve ID`."))?;
    }
    if counts.quarantined > 0 {
        let mails = words::counted(counts.quarantined, "mail");
        screen.line(format!("{mails} could not be read (`onward doctor` says why)."))?;
    }
    Ok(exit)
}
