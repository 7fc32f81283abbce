//! `onward doctor`: finds out what is wrong, from the configuration to the last server, and says what to do.
//!
//! It reads and connects, and changes nothing: no mail is fetched, nothing is stored.

mod home;

use super::{kit::Kit, submit};
use crate::{
    config::{Account, Config, Deliver, Env, Source},
    io::{clock, maildir},
};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// Whether it is fine.
    pub fine: bool,
    /// What was found; where it is not fine, with what to do.
    pub said: String,
}

fn fine(what: impl Into<String>, said: impl Into<String>) -> Check {
    Check { what: what.into(), fine: true, said: said.into() }
}

fn wrong(what: impl Into<String>, said: impl Into<String>) -> Check {
    Check { what: what.into(), fine: false, said: crate::clean::text(&said.into()) }
}

/// Looks at everything a configured Onward needs. The configuration itself was loaded by the caller.
pub async fn examine(config: &Config, env: &Env) -> Vec<Check> {
    let mut checks = vec![fine("configuration", config.file.display().to_string())];
    checks.push(match Kit::load(config) {
        Ok(kit) => fine("rules and texts", format!("{} rules", kit.rules.rules().len())),
        Err(problems) => wrong("rules and texts", problems.to_string()),
    });
    checks.extend(home::examine(config, env, clock::now()));
    for account in &config.accounts {
        checks.extend(self::account(config, account).await);
    }
    checks
}

/// An account's servers, with its mailboxes and its Drafts.
async fn account(config: &Config, account: &Account) -> Vec<Check> {
    let name = &account.name;
    let login = match &account.source {
        Source::Imap(login) => login,
        Source::Maildir(path) => {
            let mut checks = vec![match maildir::entries(path) {
                Ok(entries) => fine(format!("{name}: Maildir"), format!("{} messages", entries.len())),
                Err(error) => wrong(format!("{name}: Maildir"), format!("{}: {error}", path.display())),
            }];
            if config.reply.enabled && config.reply.deliver == Deliver::Drafts {
                checks.push(wrong(format!("{name}: Drafts"), submit::NO_DRAFTS));
            }
            return checks;
        }
    };
    let at = format!("{name}: {}:{}", login.server.host, login.server.port);
    let mut session = match submit::open(login).await {
        Ok(session) => session,
        Err(error) => return vec![wrong(at, format!("{error:#}"))],
    };
    let mut checks = vec![fine(
        at,
        if session.can("IDLE") { "logged in; new mail is announced" } else { "logged in; asked on a timer" },
    )];
    if config.reply.deliver == Deliver::Drafts {
        checks.push(match submit::drafts_mailbox(&mut session, account).await {
            Ok(mailbox) => fine(format!("{name}: Drafts"), mailbox),
            Err(error) => wrong(format!("{name}: Drafts"), format!("{error:#}")),
        });
    } else if account.smtp.is_none() {
        checks.push(wrong(format!("{name}: SMTP"), "reply.deliver is \"smtp\", but there is no [account.smtp]"));
    }
    for mailbox in &account.mailboxes {
        // A refusal closes the connection; the other mailboxes are worth another one.
        if !session.is_open() {
            match submit::open(login).await {
                Ok(again) => session = again,
                Err(error) => {
                    checks.push(wrong(format!("{name}: {mailbox}"), format!("{error:#}")));
                    break;
                }
            }
        }
        checks.push(match session.examine(mailbox).await {
            Ok(selected) => fine(format!("{name}: {mailbox}"), format!("{} messages", selected.exists)),
            Err(error) => wrong(format!("{name}: {mailbox}"), error.to_string()),
        });
    }
    if session.is_open() {
        session.logout().await;
    }
    checks
}
