//! `onward` without a verb: how things are, in a few lines.

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::json;

use super::{Exit, home::Home};
use crate::{
    app::queue,
    draft::DraftState,
    io::{clock, store::Lock},
    outcome::Category,
    ui::{term::Screen, words},
};

/// A mailbox that was not looked at for this many poll intervals is stale.
const STALE_POLLS: u32 = 3;

/// Runs the verb.
pub fn run(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let Some(config) = home.config_if_any()? else {
        screen.line("Onward is not set up yet.")?;
        screen.gap()?;
        screen.line("  onward demo              shows the whole path on a sample mailbox")?;
        screen.line(format!(
            "  onward config example    prints a configuration to start from, for {}",
            home.config_path()?.display()
        ))?;
        return Ok(Exit::Fine);
    };
    if !config.store.exists() {
        screen.line("Nothing was looked at yet: `onward once` looks now, `onward run` keeps looking.")?;
        return Ok(Exit::Fine);
    }
    let store = home.log()?;
    let now = clock::now();
    let running = config.store.parent().is_some_and(Lock::is_held);
    let waiting = queue::waiting(&store, now, false)?;
    let counts = store.counts()?;
    let unconfirmed = store.drafts(&[DraftState::Unconfirmed])?.len();
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
            "running": running,
            "mailboxes": mailboxes.iter().map(|(account, mailbox, at, stale)| json!({
                "account": account, "mailbox": mailbox, "last_look": at, "stale": stale })).collect::<Vec<_>>(),
            "undecided": waiting.undecided.len(), "drafts": waiting.drafts.len(), "resting": waiting.resting.len(),
            "unconfirmed": unconfirmed, "quarantined": counts.quarantined, "messages": counts.messages,
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
    let open: u64 = counts.outcomes.iter().filter(|(c, _)| *c != Category::Rejection).map(|(_, n)| u64::from(*n)).sum();
    screen.line(format!("  {} mails read, {open} of them other news about applications", counts.messages))?;
    let asks = waiting.undecided.len();
    let drafts = waiting.drafts.len();
    if asks + drafts > 0 {
        screen.line(format!("Waiting for you: {drafts} to look at, {asks} to decide (`onward review`)."))?;
    } else {
        screen.line("Nothing waits for you.")?;
    }
    if unconfirmed > 0 {
        screen.line(format!("{unconfirmed} perhaps sent: look into Sent, then `onward draft resolve`."))?;
    }
    if counts.quarantined > 0 {
        screen.line(format!("{} mails could not be read (`onward doctor`).", counts.quarantined))?;
    }
    Ok(exit)
}
