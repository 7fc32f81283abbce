//! Every mail is logged exactly once, or stands in quarantine with a reason, whatever becomes of the mailbox. Each test
//! names the fault of `docs/faults.md` it is for.

use onward::{
    draft::DraftState,
    io::store::{Filter, Store},
    sync::Cursor,
};

use crate::support::{
    fake_imap::{Act, FakeImap},
    watching::{Watching, no, until},
};

const EMPLOYERS: [&str; 6] = ["Larkfield", "Quillstone", "Ambervale", "Thornbury", "Eastwick", "Millbrook"];

impl Watching {
    async fn log<T: Send + 'static>(&self, ask: impl FnOnce(&mut Store) -> T + Send + 'static) -> T {
        self.db.call(|store| Ok(ask(store))).await.unwrap()
    }

    async fn drafts(&self) -> usize {
        self.log(|store| store.drafts(DraftState::ALL).unwrap().len()).await
    }

    async fn cursor(&self) -> Option<Cursor> {
        self.log(|store| store.cursor("a0", "INBOX").unwrap()).await
    }
}

async fn with_mails(count: usize) -> (FakeImap, Watching) {
    let server = FakeImap::start().await;
    for employer in EMPLOYERS.iter().take(count) {
        server.deliver(&no(employer));
    }
    let watching = Watching::start(&[&server]);
    watching.wait_for("a0", count).await;
    (server, watching)
}

/// B5, B8: a mailbox that is renumbered is read anew, and nothing of it is logged or answered twice; what came with the
/// renumbering is.
#[tokio::test(flavor = "multi_thread")]
async fn a_renumbered_mailbox_is_the_same_mail() {
    for (uid_validity, shift) in [(8, 100), (8, 0), (7, 0)] {
        let (server, watching) = with_mails(3).await;
        server.with(|state| {
            state.uid_validity = uid_validity;
            let mails = std::mem::take(&mut state.mails);
            // Under the old UIDVALIDITY the mailbox was put back from a backup: the last mail is another one.
            let kept = if uid_validity == 7 { 2 } else { 3 };
            state.mails = (1 + shift..).zip(mails.into_values().take(kept)).collect();
            state.uid_next = 1 + shift + u32::try_from(kept).unwrap();
        });
        let last = server.deliver(&no(EMPLOYERS[3]));
        if uid_validity == 7 {
            // Only now does UIDNEXT tell: it was higher when three mails had been read.
            server.with(|state| state.uid_next = last);
        }
        watching.wait_for("a0", 4).await;
        assert_eq!(watching.drafts().await, 4);
        let end = Some(Cursor { uid_validity, last_uid: last });
        if uid_validity == 8 {
            until("the cursor stands at the end", async || watching.cursor().await == end).await;
        }
        watching.stop().await;
    }
}

/// B6: a mailbox that is suddenly empty takes no history along.
#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_mailbox_leaves_the_log_as_it_is() {
    let (server, watching) = with_mails(2).await;
    server.with(|state| {
        state.mails.clear();
        (state.uid_validity, state.uid_next) = (9, 1);
    });
    until("it was read anew", async || watching.cursor().await == Some(Cursor { uid_validity: 9, last_uid: 0 })).await;
    assert_eq!((watching.stored("a0").await, watching.drafts().await), (2, 2));
    server.deliver(&no(EMPLOYERS[2]));
    watching.wait_for("a0", 3).await;
    watching.stop().await;
}

/// B7, B10: servers that say neither UIDVALIDITY nor UIDNEXT, and UIDs at the upper end with wide gaps.
#[tokio::test(flavor = "multi_thread")]
async fn missing_numbers_and_huge_ones_are_no_trouble() {
    let server = FakeImap::start().await;
    server.with(|state| (state.uid_validity, state.uid_next) = (0, 0));
    server.deliver(&no(EMPLOYERS[0]));
    server.with(|state| state.uid_next = 0);
    let watching = Watching::start(&[&server]);
    watching.wait_for("a0", 1).await;
    server.deliver(&no(EMPLOYERS[1]));
    server.with(|state| state.uid_next = 0);
    watching.wait_for("a0", 2).await;
    watching.stop().await;

    let server = FakeImap::start().await;
    server.with(|state| state.uid_next = 7);
    server.deliver(&no(EMPLOYERS[0]));
    server.with(|state| state.uid_next = u32::MAX - 2);
    let watching = Watching::start(&[&server]);
    watching.wait_for("a0", 1).await;
    server.deliver(&no(EMPLOYERS[1]));
    server.deliver(&no(EMPLOYERS[2]));
    watching.wait_for("a0", 3).await;
    watching.stop().await;
}

/// B12: a mail whose body is never given is tried again, rests, holds up no other mail, and nothing that is stored is
/// fetched again for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_without_a_body_holds_up_no_other() {
    let server = FakeImap::start().await;
    server.deliver(&no(EMPLOYERS[0]));
    let bare = server.deliver("");
    server.with(|state| state.mails.insert(bare, None));
    server.deliver(&no(EMPLOYERS[1]));
    let watching = Watching::start(&[&server]);
    watching.wait_for("a0", 2).await;
    let tries = |store: &mut Store| store.quarantined().unwrap().iter().map(|row| (row.uid, row.attempts)).collect();
    until("it was tried again", async || watching.log::<Vec<_>>(tries).await == [(bare, 2)]).await;
    let before = server.heard("UID FETCH");
    server.deliver(&no(EMPLOYERS[2]));
    watching.wait_for("a0", 3).await;
    // It rests now: the new mail alone was asked for.
    assert_eq!(server.heard("UID FETCH"), before + 1);
    assert_eq!(watching.cursor().await.unwrap().last_uid, bare - 1, "the cursor waits for it");
    server.with(|state| state.mails.remove(&bare));
    until("it is gone", async || watching.log::<Vec<_>>(tries).await.is_empty()).await;
    watching.stop().await;
}

/// B15, B16, B17: what a mail is known by is its content and its Message-ID together; without an id, or with one that is
/// not usable, it is the content.
#[tokio::test(flavor = "multi_thread")]
async fn mails_are_told_apart_by_content_and_id() {
    let server = FakeImap::start().await;
    let line = |employer: &str| format!("Message-ID: <no@{}.example>", employer.to_lowercase());
    for (employer, id) in [
        ("Larkfield", String::new()),
        ("Quillstone", "Message-ID:\r\n".to_owned()),
        ("Ambervale", format!("Message-ID: <{}@x.example>\r\n", "i".repeat(50_000))),
        ("Thornbury", "Message-ID: <a\"b\\c d@x.example>\r\n".to_owned()),
        ("Eastwick", "Message-ID: <same@x.example>\r\n".to_owned()),
        ("Millbrook", "Message-ID: <same@x.example>\r\n".to_owned()),
    ] {
        let mail = no(employer).replace(&format!("{}\r\n", line(employer)), &id);
        assert!(!mail.contains(&line(employer)));
        server.deliver(&mail);
        // The same once more, by another way.
        server
            .deliver(&format!("Received: from relay.example by mx.example; Mon, 16 Nov 2026 09:00:02 +0000\r\n{mail}"));
    }
    let watching = Watching::start(&[&server]);
    until("all twelve are read", async || watching.cursor().await.is_some_and(|at| at.last_uid == 12)).await;
    assert_eq!(watching.stored("a0").await, 6);
    assert!(watching.log(|store| store.quarantined().unwrap().is_empty()).await);
    watching.stop().await;
}

/// B18: the same mail under two labels of Gmail, which are mailboxes over IMAP.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_mail_in_two_mailboxes_is_one() {
    // The server shows the same messages whatever mailbox is opened.
    let server = FakeImap::start().await;
    server.deliver(&no(EMPLOYERS[0]));
    let mailboxes = ["INBOX", "[Gmail]/All Mail"].map(str::to_owned);
    let watching = Watching::start_with(&[&server], |config| config.accounts[0].mailboxes = mailboxes.to_vec());
    let cursors = |store: &mut Store| store.cursors().unwrap().iter().filter(|at| at.cursor.last_uid == 1).count();
    until("both are read", async || watching.log(cursors).await == 2).await;
    assert_eq!((watching.stored("a0").await, watching.drafts().await), (1, 1));
    watching.stop().await;
}

/// B25, B26: thousands of mails are read in batches, in the order of their UIDs, with short commands; a look that is cut
/// off goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_backlog_is_read_in_batches_and_resumed() {
    let server = FakeImap::start().await;
    let mails = 350;
    for n in 0..mails {
        server.deliver(&no(&format!("Works{n}")));
    }
    server.fails("UID FETCH 201:", 1, Act::Close);
    let watching = Watching::start(&[&server]);
    // Not `wait_for`: to list what is there is work, and the daemon has enough.
    let messages = |store: &mut Store| store.counts().unwrap().messages;
    until("all are stored", async || watching.log(messages).await as usize == mails).await;
    let fetches: Vec<String> = server.with(|state| {
        let said = state.commands.iter().map(|(_, command)| command.clone());
        said.filter(|command| command.starts_with("UID FETCH")).collect()
    });
    assert!(fetches.iter().all(|command| command.len() < 1_000), "short commands");
    assert!(fetches.len() <= mails / 100 + 2, "nothing is fetched twice but the batch that failed: {fetches:?}");
    let mut rows = watching.log(|store| store.list(&Filter::default()).unwrap()).await;
    rows.sort_by_key(|row| row.id);
    let employers: Vec<_> = rows.into_iter().filter_map(|row| row.outcome.employer).collect();
    let in_order: Vec<_> = (0..mails).map(|n| format!("Works{n}")).collect();
    assert_eq!(employers, in_order, "in the order in which they came");
    watching.stop().await;
}

/// B27: of a huge mail the beginning is read, and the row says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_huge_mail_is_read_in_part() {
    let server = FakeImap::start().await;
    server.deliver(&format!("{}{}", no(EMPLOYERS[0]), "An appendix of many words. ".repeat(60 << 20 >> 5)));
    server.deliver(&no(EMPLOYERS[1]));
    let watching = Watching::start(&[&server]);
    watching.wait_for("a0", 2).await;
    let rows = watching.log(|store| store.list(&Filter::default()).unwrap()).await;
    let decided: Vec<bool> = rows.iter().map(|row| row.outcome.decided).collect();
    assert_eq!(decided.iter().filter(|decided| !**decided).count(), 1, "a no that goes on unread is asked about");
    watching.stop().await;
}

/// B31: a copy of a reply of ours that comes back is no news.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_reply_that_comes_back_is_no_news() {
    let (server, watching) = with_mails(1).await;
    let ids = |store: &mut Store| {
        let drafts = store.drafts(DraftState::ALL).unwrap();
        drafts.iter().map(|draft| draft.message_id.clone()).collect::<Vec<_>>()
    };
    let id = watching.log(ids).await.remove(0);
    let uid = server.deliver(&no(EMPLOYERS[1]).replace("<no@quillstone.example>", &format!("<{id}>")));
    until("it was read", async || watching.cursor().await.is_some_and(|at| at.last_uid == uid)).await;
    assert_eq!((watching.stored("a0").await, watching.drafts().await), (1, 1));
    watching.stop().await;
}
