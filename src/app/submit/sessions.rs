//! Connections opened while delivering, one an account, with the mailboxes found by them.
//!
//! It must not read or write a mailbox.

use anyhow::{Context as _, Result};

use super::NO_DRAFTS;
use crate::{
    app::{login, mailboxes},
    config::{Account, Source},
    io::imap::Session,
};

/// The connections.
#[derive(Default)]
pub(super) struct Sessions(Vec<Open>);

struct Open {
    account: String,
    session: Session,
    drafts: Option<String>,
    sent: Option<String>,
}

impl Sessions {
    /// The session of an account and the name of its Drafts mailbox.
    pub async fn drafts(&mut self, account: &Account) -> Result<(&mut Session, String)> {
        let open = self.of(account).await?;
        let name = match &open.drafts {
            Some(name) => name.clone(),
            None => open.drafts.insert(mailboxes::drafts(&mut open.session, account).await?).clone(),
        };
        Ok((&mut open.session, name))
    }

    /// The session of an account and the name of its Sent mailbox.
    pub async fn sent(&mut self, account: &Account) -> Result<(&mut Session, String)> {
        let open = self.of(account).await?;
        let name = match &open.sent {
            Some(name) => name.clone(),
            None => open.sent.insert(mailboxes::sent(&mut open.session, account).await?).clone(),
        };
        Ok((&mut open.session, name))
    }

    async fn of(&mut self, account: &Account) -> Result<&mut Open> {
        self.0.retain(|open| open.session.is_open());
        if !self.0.iter().any(|open| open.account == account.name) {
            let Source::Imap(login) = &account.source else { anyhow::bail!(NO_DRAFTS) };
            let session = login::open(login).await?;
            self.0.push(Open { account: account.name.clone(), session, drafts: None, sent: None });
        }
        self.0.iter_mut().find(|open| open.account == account.name).context("the session is gone")
    }

    /// Says goodbye. What goes wrong here changes nothing.
    pub async fn close(self) {
        for open in self.0 {
            if open.session.is_open() {
                open.session.logout().await;
            }
        }
    }
}
