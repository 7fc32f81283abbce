//! From approval to the server, by the outbox itself: each fault of placing and of sending, with what is left of it.

mod drafts;
mod gate;
mod sending;
mod sent;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use onward::{
    app::submit::{self, Delivered, Outbox, When},
    config::Config,
    delivery::SendLimits,
    draft::DraftState,
    io::store::{Committed, Db, DraftView, Store},
};
use tempfile::TempDir;

use crate::{
    store::fixture::{commit_rejection, mail, proposed},
    support::{fake_imap::FakeImap, home::age_log, prove_smtp, smtp_sink::Sink, watching::config_in},
};

/// Limits no test reaches.
const MANY: SendLimits = SendLimits { a_minute: 1000, a_day: 1000 };

/// A log with replies, and the servers they go to.
struct Desk {
    dir: TempDir,
    config: Config,
    drafts: Vec<i64>,
}

impl Desk {
    /// With so many replies; `account` and `more` are parts of the configuration.
    fn new(account: &str, more: &str, replies: u32) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let config = config_in(
            dir.path(),
            &format!(
                "[[identity]]\nname = \"Ada Stein\"\naddresses = [\"me@example.net\"]\n\n[[account]]\nname = \"home\"\n\
                 {account}\n{more}"
            ),
        );
        prove_smtp(dir.path(), &dir.path().join("config.toml"), dir.path());
        let mut store = Store::open(&config.store).unwrap();
        let reply = |n: u32| {
            let letter = mail(Some(&format!("no{n}@example.org")), &[], &n.to_string());
            let committed = commit_rejection(&mut store, &letter, n, &proposed(&format!("re{n}@example.net")));
            let Committed::Stored { draft: Some(draft), .. } = committed else { panic!("{committed:?}") };
            draft
        };
        let drafts = (1..=replies).map(reply).collect();
        Desk { dir, config, drafts }
    }

    /// Drafts go to an IMAP server at this port, which marks no mailbox unless `account` names them.
    fn imap(port: u16, user: &str, account: &str, more: &str, replies: u32) -> Desk {
        let imap = format!(
            "{account}\n[account.imap]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none-loopback\"\nuser = \"{user}\"\n\
             password.file = \"password\"\n"
        );
        Desk::new(&imap, more, replies)
    }

    /// Replies are sent to the sink; Sent is at the IMAP server.
    fn smtp(sink: &Sink, imap: &FakeImap, account: &str, replies: u32) -> Desk {
        let smtp = format!(
            "[account.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none-loopback\"\n[reply]\ndeliver = \"smtp\"\n",
            sink.port
        );
        Desk::imap(imap.port(), "ada", &format!("sent = \"Sent\"\n{account}"), &smtp, replies)
    }

    /// Another connection to the log, as a process that starts has it.
    fn store(&self) -> Store {
        Store::open(&self.config.store).unwrap()
    }

    /// Approves a reply now.
    fn approve(&self, draft: i64) {
        self.approve_at(draft, Timestamp::now());
    }

    fn approve_at(&self, draft: i64, at: Timestamp) {
        let mut store = self.store();
        let digest = store.draft(draft).unwrap().digest;
        store.approve(draft, digest, at).unwrap();
    }

    /// Delivers everything that is approved, as a process that has just started.
    async fn deliver(&self) -> Vec<(i64, Delivered)> {
        self.deliver_as(When::Now, MANY).await
    }

    async fn deliver_as(&self, when: When, limits: SendLimits) -> Vec<(i64, Delivered)> {
        let outbox = Outbox { db: Db::new(self.store()), config: &self.config, limits };
        let approved = outbox.db.call(|store| submit::approved(store)).await.unwrap();
        submit::deliver(&outbox, &approved, when).await
    }

    fn draft(&self, draft: i64) -> DraftView {
        self.store().draft(draft).unwrap()
    }

    fn state(&self, draft: i64) -> DraftState {
        self.draft(draft).state
    }

    fn pass_time(&self, span: Duration) {
        age_log(&self.config.store, span);
    }
}

fn seconds_ago(seconds: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_secs(seconds)
}
