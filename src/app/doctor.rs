//! `onward doctor`: finds out what is wrong, from the configuration to the last server, and says what to do.
//!
//! It reads and connects, and changes nothing: no mail is fetched, nothing is stored.

mod home;

use super::{
    kit::Kit,
    login::{self, Matter},
    mailboxes, submit,
};
use crate::{
    config::{Account, Config, Deliver, Env, Junk, Source, providers::Provider},
    delivery::SentCopy,
    io::{clock, imap::Session, maildir},
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
    checks.extend(config.hints.iter().map(|hint| fine("hint", hint.as_hint())));
    checks.push(match Kit::load(config) {
        Ok(kit) => fine("rules and texts", format!("{} rules", kit.rules.rules().len())),
        Err(problems) => wrong("rules and texts", problems.to_string()),
    });
    checks.extend(home::examine(config, env, clock::now()));
    checks.extend(delivery(config));
    for account in &config.accounts {
        checks.extend(self::account(config, account).await);
    }
    checks
}

/// Whether what is approved can leave.
fn delivery(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    let by_smtp = config.reply.enabled && config.reply.deliver == Deliver::Smtp;
    for account in config.accounts.iter().filter(|account| by_smtp && account.smtp.is_none()) {
        let why = "reply.deliver is \"smtp\", but there is no [account.smtp]";
        checks.push(wrong(format!("{}: SMTP", account.name), why));
    }
    let obstacles = submit::obstacles(config);
    if obstacles.is_empty() && checks.is_empty() {
        checks.push(fine("delivery", format!("to {}, of what you approve and nothing else", config.reply.deliver)));
    }
    checks.extend(obstacles.into_iter().map(|why| wrong("delivery", why)));
    checks
}

/// Whether the account's OAuth gives a token, where it has one.
async fn oauth(account: &Account) -> Vec<Check> {
    let Some(configured) = account.oauth() else { return Vec::new() };
    let what = format!("{}: OAuth", account.name);
    vec![match crate::io::oauth::access_token(configured).await {
        Ok(_) => fine(what, "authorised; the endpoint gives access tokens"),
        Err(error) => wrong(what, error.to_string()),
    }]
}

/// What a server said, and what is known of the provider where it refused the login.
fn refused(account: &Account, error: &anyhow::Error) -> String {
    let help = account.provider().and_then(Provider::login_help);
    match help.filter(|_| Matter::of(error) == Matter::Refused) {
        Some(help) => format!("{error:#}. {help}"),
        None => format!("{error:#}"),
    }
}

/// Which mailbox is watched as Junk; `None` where that is the person's own business.
async fn junk(session: &mut Session, account: &Account) -> Option<String> {
    if account.junk != Junk::Auto {
        return None;
    }
    let listed = session.list().await.ok()?;
    Some(match mailboxes::junk_among(&listed) {
        Some(found) => format!("{} is watched too; what strangers write there is never taken for certain", found),
        None => "the server has none that can be recognised; name it with `junk = \"…\"`".to_owned(),
    })
}

/// An account's servers, with its mailboxes and its Drafts.
async fn account(config: &Config, account: &Account) -> Vec<Check> {
    let name = &account.name;
    let authorized = oauth(account).await;
    if authorized.iter().any(|check| !check.fine) {
        return authorized;
    }
    let server = match &account.source {
        Source::Imap(server) => server,
        Source::Maildir(path) => {
            let mut checks = authorized;
            checks.push(match maildir::entries(path) {
                Ok(entries) => fine(format!("{name}: Maildir"), format!("{} messages", entries.len())),
                Err(error) => wrong(format!("{name}: Maildir"), format!("{}: {error}", path.display())),
            });
            if config.reply.enabled && config.reply.deliver == Deliver::Drafts {
                checks.push(wrong(format!("{name}: Drafts"), submit::NO_DRAFTS));
            }
            return checks;
        }
    };
    let at = format!("{name}: {}:{}", server.server.host, server.server.port);
    let mut session = match login::open(server).await {
        Ok(session) => session,
        Err(error) => return authorized.into_iter().chain([wrong(at, refused(account, &error))]).collect(),
    };
    let mut checks = authorized;
    checks.push(fine(
        at,
        if session.can("IDLE") { "logged in; new mail is announced" } else { "logged in; asked on a timer" },
    ));
    if config.reply.deliver == Deliver::Drafts {
        checks.push(match mailboxes::drafts(&mut session, account).await {
            Ok(mailbox) => fine(format!("{name}: Drafts"), mailbox),
            Err(error) => wrong(format!("{name}: Drafts"), format!("{error:#}")),
        });
    } else if account.sent_copy != SentCopy::Never {
        checks.push(match mailboxes::sent(&mut session, account).await {
            Ok(mailbox) => fine(format!("{name}: Sent"), mailbox),
            Err(error) => wrong(format!("{name}: Sent"), format!("{error:#}")),
        });
    }
    checks.extend(junk(&mut session, account).await.map(|said| fine(format!("{name}: Junk"), said)));
    for mailbox in &account.mailboxes {
        // A refusal closes the connection; the other mailboxes are worth another one.
        if !session.is_open() {
            match login::open(server).await {
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
