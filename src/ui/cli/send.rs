//! `onward send`: delivers the approved drafts, or shows what would be delivered.

use anyhow::Result;
use serde_json::json;

use super::{Exit, home::Home};
use crate::{
    app::submit::{self, Delivered, Outbox, When},
    config::{Deliver, Source},
    draft::DraftState,
    ui::{term::Screen, words},
};

/// Runs the verb.
pub fn run(home: &Home, dry_run: bool, screen: &mut Screen<'_>) -> Result<Exit> {
    let store = home.log()?;
    let approved = store.drafts(&[DraftState::Approved])?;
    let config = home.config()?;
    if dry_run {
        for draft in &approved {
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
        if approved.is_empty() && !home.json() {
            screen.line("Nothing is approved and waiting.")?;
        }
        return Ok(Exit::Fine);
    }
    // What an ended process left on its way is told of, and is not sent again.
    let cut_off = store.drafts(&[DraftState::Sending])?;
    let ids: Vec<i64> = cut_off.iter().chain(&approved).map(|draft| draft.id).collect();
    if ids.is_empty() && !home.json() {
        screen.line("Nothing is approved and waiting.")?;
    }
    deliver(home, &ids, screen)
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
        Delivered::Placed { mailbox } => format!("it lies in {mailbox}; your mail client sends it when you want."),
        Delivered::Sent => "sent.".to_owned(),
        Delivered::Later(why) => format!("not yet: {why}. It stays approved and is tried again."),
        Delivered::Refused(why) => format!("refused: {why}. Change it (`onward draft edit`) or discard it."),
        Delivered::Unconfirmed(why) => {
            format!("{}: {why}. Look into your Sent mailbox.", words::draft_state(DraftState::Unconfirmed))
        }
        Delivered::Not(why) => format!("not delivered: {why}."),
    }
}
