//! `onward auth`: shows where to say yes, and waits for it.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{Exit, args::AuthArgs, home::Home};
use crate::{
    config::{Config, OAuth},
    io::oauth::authorize::{self, Way},
    ui::term::Screen,
};

/// Runs the verb.
pub fn run(home: &Home, args: &AuthArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    let config = home.config()?;
    let oauth = chosen(&config, args.account.as_deref())?;
    let way = match (args.device, args.browser) {
        (true, _) => Some(Way::Device),
        (_, true) => Some(Way::Browser),
        _ => None,
    };
    let runtime = super::run::runtime()?;
    let pending = runtime.block_on(authorize::begin(oauth, way))?;
    let shown = pending.shown();
    let minutes = shown.within.as_secs().div_ceil(60);
    if home.json() {
        writeln!(screen.raw(), "{}", json!({ "account": oauth.account, "url": shown.url, "code": shown.code }))?;
    } else {
        // Not wrapped: a broken address cannot be clicked.
        match &shown.code {
            Some(code) => {
                screen.line(format!(
                    "Open this address on any device, and log in as the owner of `{}`:",
                    oauth.account
                ))?;
                screen.line(format!("\n    {}\n\nIt asks for this code:\n\n    {code}\n", shown.url))?;
            }
            None => {
                screen
                    .line("Open this address in a browser on this machine, and log in as the owner of the mailbox:")?;
                screen.line(format!("\n    {}\n", shown.url))?;
            }
        }
        screen.wrapped("", &format!("Waiting for up to {minutes} minutes; nothing is changed if you end this."))?;
    }
    // The person needs it now, and we wait.
    screen.raw().flush()?;
    let finished = runtime.block_on(pending.finish());
    runtime.shutdown_background();
    finished?;
    if home.json() {
        writeln!(screen.raw(), "{}", json!({ "account": oauth.account, "authorized": true }))?;
    } else {
        screen.line(format!("`{}` is authorised. A running onward takes it up within a minute.", oauth.account))?;
        screen.aside("`onward doctor` tries the servers with it.")?;
    }
    Ok(Exit::Fine)
}

/// The account that is meant.
fn chosen<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a OAuth> {
    if let Some(name) = name {
        let account = config.account(name);
        let account = account.with_context(|| format!("there is no account `{name}`: {}", names(config)))?;
        return account.oauth().with_context(|| {
            format!("the account `{name}` does not log in with OAuth: `oauth` in config.example.toml shows how")
        });
    }
    let mut found = config.accounts.iter().filter_map(|account| account.oauth());
    match (found.next(), found.next()) {
        (Some(oauth), None) => Ok(oauth),
        (Some(_), Some(_)) => anyhow::bail!("several accounts log in with OAuth: {}", names(config)),
        (None, _) => anyhow::bail!("no account logs in with OAuth: `oauth` in config.example.toml shows how"),
    }
}

fn names(config: &Config) -> String {
    let names: Vec<&str> = config.accounts.iter().map(|account| account.name.as_str()).collect();
    format!("name one of {}", names.join(", "))
}
