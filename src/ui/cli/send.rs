//! `onward send`: delivers the approved drafts, or shows what would be delivered; pauses delivery and lets it go on; tries
//! sending with a mail to oneself.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::{Exit, args::SendArgs, home::Home};
use crate::{
    app::submit::{self, Delivered, Outbox, When},
    config::{Config, Deliver, Source},
    draft::DraftState,
    io::{clock, gate, store::Store},
    ui::{term::Screen, words},
};

/// Runs the verb.
pub fn run(home: &Home, args: &SendArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    if let Some(why) = &args.pause {
        return pause(home, why, screen);
    }
    if args.resume {
        return resume(home, screen);
    }
    if args.test {
        return rehearse(home, screen);
    }
    let store = home.log()?;
    let config = home.config()?;
    if args.dry_run {
        return dry_run(home, &store, &config, screen);
    }
    // What an ended process left on its way is told of, and is not sent again.
    let cut_off = store.drafts(&[DraftState::Sending])?;
    let ids: Vec<i64> = cut_off.iter().map(|draft| draft.id).chain(submit::approved(&store)?).collect();
    if ids.is_empty() && !home.json() {
        screen.line("Nothing is approved and waiting.")?;
        if let Some(why) = submit::obstacles(&config).first() {
            screen.wrapped("", &format!("Nothing would leave now: {why}."))?;
        }
    }
    deliver(home, &ids, screen)
}

/// Shows what would be delivered.
fn dry_run(home: &Home, store: &Store, config: &Config, screen: &mut Screen<'_>) -> Result<Exit> {
    let approved = submit::approved(store)?;
    for draft in approved.iter().map(|id| store.draft(*id)) {
        let draft = draft?;
        let to = draft.envelope.to.as_deref().unwrap_or("(nobody)");
        let of = store.item(draft.outcome)?.row.mail.map(|mail| mail.account);
        let account = of.and_then(|name| config.account(&name)).or(config.accounts.first());
        let maildir = account.is_some_and(|account| matches!(account.source, Source::Maildir(_)));
        let how = match config.reply.deliver {
            Deliver::Drafts if maildir => format!("would stay here: {}", submit::NO_DRAFTS),
            Deliver::Drafts => "would be put into your Drafts mailbox".to_owned(),
            Deliver::Smtp => "would be sent".to_owned(),
        };
        if home.json() {
            let value =
                json!({ "draft": draft.id, "to": to, "deliver": config.reply.deliver, "bytes": draft.bytes.len() });
            writeln!(screen.raw(), "{value}")?;
        } else {
            screen.wrapped("", &format!("Draft {} to {to} ({} bytes) {how}.", draft.id, draft.bytes.len()))?;
        }
    }
    if home.json() {
        return Ok(Exit::Fine);
    }
    if approved.is_empty() {
        screen.line("Nothing is approved and waiting.")?;
    }
    for why in submit::obstacles(config) {
        screen.wrapped("", &format!("For now nothing would leave: {why}."))?;
    }
    Ok(Exit::Fine)
}

/// Pauses delivery. A message whose DATA was said is past stopping; nothing else leaves from here on.
fn pause(home: &Home, why: &str, screen: &mut Screen<'_>) -> Result<Exit> {
    let dir = state_dir(home)?;
    let pause = gate::pause(&dir, why, clock::now()).with_context(|| format!("cannot write in {}", dir.display()))?;
    if home.json() {
        writeln!(screen.raw(), "{}", json!({ "paused": pause }))?;
    } else {
        screen.line("Delivery is paused. What you approve waits until `onward send --resume`.")?;
    }
    Ok(Exit::Fine)
}

fn resume(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let dir = state_dir(home)?;
    let was = gate::resume(&dir).with_context(|| format!("cannot write in {}", dir.display()))?;
    if home.json() {
        writeln!(screen.raw(), "{}", json!({ "paused": null, "was_paused": was }))?;
    } else {
        screen.line(if was { "Delivery goes on." } else { "Delivery was not paused." })?;
    }
    Ok(Exit::Fine)
}

/// Tries sending, for every account that has an SMTP server.
fn rehearse(home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let config = home.config()?;
    let accounts: Vec<_> = config.accounts.iter().filter(|account| account.smtp.is_some()).collect();
    if accounts.is_empty() {
        bail!("no account has [account.smtp]: there is nothing to try");
    }
    let runtime = super::run::runtime()?;
    let mut exit = Exit::Fine;
    for account in accounts {
        let done = runtime.block_on(submit::rehearse(&config, account));
        if done.is_err() {
            exit = Exit::Findings;
        }
        let name = &account.name;
        if home.json() {
            let error = done.as_ref().err().map(|error| crate::clean::line(&format!("{error:#}")));
            writeln!(screen.raw(), "{}", json!({ "account": name, "works": error.is_none(), "error": error }))?;
            continue;
        }
        screen.wrapped(
            "",
            &match done {
                Ok(address) => {
                    format!("{name}: a mail is on its way to {address}. Replies you approve can be sent from now on.")
                }
                Err(error) => format!("{name}: {error:#}"),
            },
        )?;
    }
    runtime.shutdown_background();
    Ok(exit)
}

fn state_dir(home: &Home) -> Result<PathBuf> {
    Ok(home.database()?.parent().map(Path::to_path_buf).unwrap_or_default())
}

/// Delivers these drafts now and says what came of each.
pub fn deliver(home: &Home, ids: &[i64], screen: &mut Screen<'_>) -> Result<Exit> {
    if ids.is_empty() {
        return Ok(Exit::Fine);
    }
    let config = home.config()?;
    let outbox = Outbox::open(&config)?;
    let runtime = super::run::runtime()?;
    let done = runtime.block_on(submit::deliver(&outbox, ids, When::Now));
    // A name that is still being looked up holds nobody up; what was stored is stored.
    runtime.shutdown_background();
    let mut exit = Exit::Fine;
    for (id, delivered) in &done {
        let delivered = &as_far_as_known(home, *id, delivered)?;
        if !matches!(delivered, Delivered::Placed { .. } | Delivered::Sent) {
            exit = Exit::Attention;
        }
        if home.json() {
            writeln!(screen.raw(), "{}", json!({ "draft": id, "delivered": delivered }))?;
        } else {
            screen.wrapped("", &format!("Draft {id}: {}", said(delivered)))?;
        }
    }
    Ok(exit)
}

/// What became of a draft. That one was not sent is more than is known, where a process ended while it was being sent.
fn as_far_as_known(home: &Home, id: i64, delivered: &Delivered) -> Result<Delivered> {
    let Delivered::Not(_) = delivered else { return Ok(delivered.clone()) };
    let draft = home.log()?.draft(id)?;
    let in_doubt = draft.state == DraftState::Unconfirmed;
    Ok(if in_doubt { Delivered::Unconfirmed(draft.remark) } else { delivered.clone() })
}

/// What became of a draft, for the person.
fn said(delivered: &Delivered) -> String {
    match delivered {
        Delivered::Placed { mailbox, other_text: true } => format!("{mailbox}: {}.", submit::OTHER_TEXT),
        Delivered::Placed { mailbox, .. } => format!("it lies in {mailbox}; your mail client sends it when you want."),
        Delivered::Sent => "sent.".to_owned(),
        Delivered::Later(why) => format!("not yet: {why}. It stays approved and is tried again."),
        Delivered::Refused(why) => {
            format!("refused: {why}. Change it (`onward draft edit`), approve it again, or discard it.")
        }
        Delivered::Unconfirmed(why) => {
            format!("{}: {why}. Look into your Sent mailbox.", words::draft_state(DraftState::Unconfirmed))
        }
        Delivered::Not(why) => format!("not delivered: {why}."),
    }
}
