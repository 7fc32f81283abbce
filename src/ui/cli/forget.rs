//! `onward forget`: takes away what mails say, and with it the backups that hold it too.

use anyhow::{Result, bail};
use serde_json::json;

use super::{Exit, args::ForgetArgs, home::Home};
use crate::{
    io::{clock, store::Forgotten},
    ui::{term::Screen, words},
};

/// Runs the verb.
pub fn run(home: &Home, args: &ForgetArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    let mut store = home.store()?;
    if args.all && !args.yes {
        let mails = words::counted(store.counts()?.messages, "mail");
        bail!(
            "this takes away the text, the subject and the sender of {mails}, what was learned from them, and the \
             backups; it cannot be undone. Say `onward forget --all --yes`"
        );
    }
    let now = clock::now();
    let done = if args.all {
        vec![store.forget_everything(now)?]
    } else {
        // All of them are looked up before the first one is touched.
        let mut mails = Vec::new();
        for id in &args.ids {
            let Some(mail) = store.item(*id)?.row.mail else {
                bail!("item {id} was entered by hand: there is no mail to forget");
            };
            mails.push(mail.message);
        }
        mails.into_iter().map(|mail| Ok(store.forget_mail(mail, now)?)).collect::<Result<Vec<_>>>()?
    };
    tell(home, &done, screen)?;
    Ok(Exit::Fine)
}

fn tell(home: &Home, done: &[Forgotten], screen: &mut Screen<'_>) -> Result<()> {
    let mails: usize = done.iter().map(|forgotten| forgotten.mails).sum();
    let copies: usize = done.iter().map(|forgotten| forgotten.copies).sum();
    let complete = done.iter().all(|forgotten| forgotten.complete);
    if home.json() {
        let value = json!({ "mails": mails, "backups_removed": copies, "complete": complete });
        writeln!(screen.raw(), "{value}")?;
        return Ok(());
    }
    let backups = words::counted(copies, "backup");
    screen.wrapped(
        "",
        &format!(
            "Forgotten: what {} said. {backups} removed, a new one made. Outcomes, notes and your own replies stay.",
            words::counted(mails, "mail")
        ),
    )?;
    if !complete {
        screen.wrapped("", "Another onward is reading just now: the last traces go when it ends.")?;
    }
    Ok(())
}
