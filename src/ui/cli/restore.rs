//! `onward restore`: puts a backup in the place of the log, and says what that means for replies.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Exit, home::Home};
use crate::{
    io::{
        clock,
        store::{Lock, last_good_backup, restore},
    },
    ui::{term::Screen, words},
};

/// Runs the verb.
pub fn run(home: &Home, backup: Option<&Path>, screen: &mut Screen<'_>) -> Result<Exit> {
    let database = home.database()?;
    let dir = database.parent().context("the database has no directory")?;
    let backup = match backup {
        Some(backup) => backup.to_path_buf(),
        None => last_good_backup(&database).with_context(|| {
            format!("no sound backup lies beside {}; name one: `onward restore FILE`", database.display())
        })?,
    };
    let (running, outbox) = (Lock::acquire(dir)?, Lock::acquire_outbox(dir)?);
    let done = restore(&database, &backup, &running, &outbox, clock::now())?;
    if home.json() {
        let value = json!({
            "restored": backup, "aside": done.aside, "asked_again": done.asked_again, "unconfirmed": done.unconfirmed,
        });
        writeln!(screen.raw(), "{value}")?;
        return Ok(Exit::Fine);
    }
    screen.wrapped("", &format!("{} is the log again.", backup.display()))?;
    if let Some(aside) = &done.aside {
        screen.wrapped("", &format!("What was there lies in {}.", aside.display()))?;
    }
    screen.wrapped(
        "",
        "Mail that came since is read again at the next look. Replies that left since are not known any more: look into \
         your Sent mailbox before you approve one.",
    )?;
    if !done.asked_again.is_empty() {
        let drafts = words::counted(done.asked_again.len(), "draft");
        screen.wrapped("", &format!("{drafts} lost the approval (`onward review`)."))?;
    }
    if !done.unconfirmed.is_empty() {
        let drafts = words::counted(done.unconfirmed.len(), "draft");
        screen.wrapped("", &format!("{drafts} may have left (`onward draft resolve ID`)."))?;
    }
    Ok(Exit::Fine)
}
