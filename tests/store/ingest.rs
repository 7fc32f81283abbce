//! Exactly once: redelivery, moves, UIDVALIDITY, crashes, poison.

use onward::{
    io::store::{ATTEMPTS_MAX, Attempt, Committed, EventFilter, EventKind, Filter, Place, StoreError},
    message::Message,
    outcome::Category,
    sync::Cursor,
};

use super::fixture::{ACCOUNT, Home, at, commit_rejection, id, mail, note, plain, proposed, verdict};

fn inbox(uid: u32) -> Place<'static> {
    Place { account: ACCOUNT, mailbox: "INBOX", uid_validity: 1, uid }
}

#[test]
fn a_message_is_stored_with_everything_that_follows() {
    let home = Home::new();
    let mut store = home.open();
    let message = mail(Some("no@example.org"), &["hello@example.org"], "one");
    let committed = commit_rejection(&mut store, &message, 7, &proposed("re@example.net"));
    let Committed::Stored { outcome: Some(outcome), .. } = committed else { panic!("{committed:?}") };
    let item = store.item(outcome).unwrap();
    assert_eq!(item.row.outcome.employer.as_deref(), Some("Example Bakery Ltd"));
    assert_eq!(item.row.mail.as_ref().unwrap().message_id.as_deref(), Some("no@example.org"));
    assert_eq!((item.row.tell_at, item.row.told_at), (Some(at(60)), None));
    assert_eq!(item.places, [(ACCOUNT.to_owned(), "INBOX".to_owned())]);
    assert_eq!(item.classification.unwrap().0, verdict(Category::Rejection));
    assert_eq!(item.note.unwrap().0, note("en/after-interview/01"));
    let draft = item.draft.unwrap();
    assert_eq!((draft.revision, draft.message_id.as_str()), (1, "re@example.net"));
    assert_eq!(draft.bytes, proposed("re@example.net").bytes);
    assert_eq!(draft.answers.as_deref(), Some("no@example.org"));
    assert_eq!(store.cursor(ACCOUNT, "INBOX").unwrap(), Some(Cursor { uid_validity: 1, last_uid: 7 }));
    assert!(store.raw(item.row.mail.unwrap().message).unwrap().is_some());
}

#[test]
fn the_same_mail_is_logged_once_however_often_it_comes() {
    let home = Home::new();
    let mut store = home.open();
    let message = mail(Some("no@example.org"), &[], "one");
    let verdict = verdict(Category::Rejection);
    let first = commit_rejection(&mut store, &message, 7, &proposed("re@example.net"));
    let Committed::Stored { message: row, .. } = first else { panic!("{first:?}") };
    // What differs from the first delivery: mailbox, UIDVALIDITY, UID; and the places known afterwards.
    let again = [("INBOX", 1, 7, 1), ("INBOX", 1, 8, 2), ("INBOX", 2, 1, 3), ("Junk", 5, 7, 4), ("Junk", 5, 7, 4)];
    for (mailbox, uid_validity, uid, places) in again {
        let ingest = onward::io::store::Ingest {
            mailbox,
            uid_validity,
            draft: Some(&proposed("other@example.net")),
            ..plain(&message, &verdict, uid)
        };
        assert_eq!(store.commit(&ingest, None).unwrap(), Committed::Duplicate { of: row });
        assert_eq!(home.number("SELECT count(*) FROM location"), places, "{mailbox} {uid_validity} {uid}");
    }
    assert_eq!(store.list(&Filter::default()).unwrap().len(), 1);
    assert_eq!(store.drafts(&[]).unwrap().len(), 1);
    assert_eq!(store.known(ACCOUNT, message.id.as_ref(), &message.hash).unwrap(), Some(row));
    assert_eq!(store.known("other", message.id.as_ref(), &message.hash).unwrap(), None);
    assert_eq!(store.located(inbox(8)).unwrap(), Some(row));
}

#[test]
fn one_message_id_with_two_contents_is_two_messages() {
    let home = Home::new();
    let mut store = home.open();
    let same_id: [Message; 2] = [mail(Some("dup@example.org"), &[], "one"), mail(Some("dup@example.org"), &[], "two")];
    let no_id: [Message; 3] = [mail(None, &[], "a"), mail(None, &[], "b"), mail(None, &[], "c")];
    for (message, uid) in same_id.iter().chain(&no_id).zip(1..) {
        let committed = store.commit(&plain(message, &verdict(Category::Unrelated), uid), None).unwrap();
        assert!(matches!(committed, Committed::Stored { .. }), "{uid}");
    }
    assert_eq!(store.counts().unwrap().messages, 5);
}

#[test]
fn without_uidvalidity_a_uid_proves_nothing() {
    let home = Home::new();
    let mut store = home.open();
    for text in ["before", "after the mailbox was made anew"] {
        let message = mail(None, &[], text);
        let verdict = verdict(Category::Unrelated);
        let ingest = onward::io::store::Ingest { uid_validity: 0, ..plain(&message, &verdict, 1) };
        assert!(matches!(store.commit(&ingest, None).unwrap(), Committed::Stored { .. }), "{text}");
        assert!(matches!(store.commit(&ingest, None).unwrap(), Committed::Duplicate { .. }), "{text}");
    }
    assert_eq!(home.number("SELECT count(*) FROM location"), 1);
}

#[test]
fn octets_of_other_mail_are_not_kept_and_a_purge_leaves_none() {
    let home = Home::new();
    let mut store = home.open();
    let other = store.commit(&plain(&mail(None, &[], "bill"), &verdict(Category::Unrelated), 1), None).unwrap();
    let Committed::Stored { message, outcome: None, .. } = other else { panic!("{other:?}") };
    assert_eq!(store.raw(message).unwrap(), None);
    commit_rejection(&mut store, &mail(Some("no@x.org"), &[], "one"), 2, &proposed("re@example.net"));
    assert_eq!(store.purge_raw(at(2), at(3)).unwrap(), 0);
    assert_eq!(store.purge_raw(at(3), at(3)).unwrap(), 1);
    drop(store);
    for entry in std::fs::read_dir(home.path().parent().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"canary-body"));
    }
}

/// Every table a commit writes to. An error at any of them has to leave nothing in all of them.
const TABLES: &[&str] = &[
    "message",
    "message_reference",
    "location",
    "classification",
    "outcome",
    "draft",
    "draft_revision",
    "draft_event",
    "note",
    "event",
    "cursor",
];

#[test]
fn a_commit_that_fails_at_any_table_leaves_nothing() {
    let home = Home::new();
    let mut store = home.open();
    let message = mail(Some("no@example.org"), &["a@example.org"], "one");
    let rows = || -> i64 { TABLES.iter().map(|table| home.number(&format!("SELECT count(*) FROM {table}"))).sum() };
    let mut refused = 0;
    for table in TABLES {
        let sql = home.sql();
        sql.execute_batch(&format!(
            "CREATE TRIGGER fault BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no space for canary'); END"
        ))
        .unwrap();
        let outcome = super::fixture::outcome(Category::Rejection, "Example Bakery");
        let verdict = verdict(Category::Rejection);
        let ingest = onward::io::store::Ingest {
            outcome: Some(super::fixture::new_outcome(&outcome, onward::outcome::Origin::Rules)),
            draft: Some(&proposed("re@example.net")),
            note: Some(&note("n")),
            ..plain(&message, &verdict, 1)
        };
        let error = store.commit(&ingest, Some(Cursor { uid_validity: 1, last_uid: 1 })).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
        assert_eq!(rows(), 0, "{table}");
        sql.execute_batch("DROP TRIGGER fault").unwrap();
        refused += 1;
    }
    assert_eq!(refused, TABLES.len());
    let committed = commit_rejection(&mut store, &message, 1, &proposed("re@example.net"));
    assert!(matches!(committed, Committed::Stored { draft: Some(_), .. }));
}

#[test]
fn what_is_written_stays_written() {
    let home = Home::new();
    let mut store = home.open();
    super::fixture::with_draft(&mut store);
    let sql = home.sql();
    for (table, column) in [
        ("event", "kind"),
        ("draft_event", "state"),
        ("draft_revision", "bytes"),
        ("outcome", "category"),
        ("draft", "kind"),
    ] {
        for statement in [format!("UPDATE {table} SET {column} = {column}"), format!("DELETE FROM {table}")] {
            let refused = sql.execute(&statement, []).unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{statement}: {refused}");
        }
    }
}

#[test]
fn a_cursor_goes_forward_and_waits_for_what_is_not_stored() {
    let home = Home::new();
    let mut store = home.open();
    let mut to = |uid_validity, last_uid| {
        store.advance_cursor(ACCOUNT, "INBOX", Cursor { uid_validity, last_uid }, at(1)).unwrap().last_uid
    };
    assert_eq!([to(1, 10), to(1, 4), to(1, 12), to(2, 3)], [10, 10, 12, 3]);
    store.reset_cursor(ACCOUNT, "INBOX", Cursor { uid_validity: 1, last_uid: 5 }, at(2)).unwrap();
    assert_eq!(store.begin_attempt(inbox(7), at(2)).unwrap(), Attempt::Try { number: 1 });
    let message = mail(Some("eight@x"), &[], "");
    let cursor = Cursor { uid_validity: 1, last_uid: 8 };
    store.commit(&plain(&message, &verdict(Category::Unrelated), 8), Some(cursor)).unwrap();
    assert_eq!(store.cursor(ACCOUNT, "INBOX").unwrap().unwrap().last_uid, 6, "7 is not stored yet");
    let message = mail(Some("seven@x"), &[], "");
    store.commit(&plain(&message, &verdict(Category::Unrelated), 7), Some(cursor)).unwrap();
    assert_eq!(store.cursor(ACCOUNT, "INBOX").unwrap(), Some(cursor));
    assert_eq!(store.cursors().unwrap().len(), 1);
    assert!(store.quarantined().unwrap().is_empty());
}

#[test]
fn a_message_that_takes_the_process_down_is_given_up_after_three_times() {
    let home = Home::new();
    for number in 1..=ATTEMPTS_MAX {
        // The store is dropped between attempt and commit, as by a crash.
        assert_eq!(home.open().begin_attempt(inbox(7), at(0)).unwrap(), Attempt::Try { number });
    }
    let mut store = home.open();
    assert_eq!(store.begin_attempt(inbox(7), at(9)).unwrap(), Attempt::Quarantined);
    assert_eq!(store.begin_attempt(inbox(7), at(9)).unwrap(), Attempt::Quarantined);
    let given_up = store.quarantined().unwrap();
    assert_eq!((given_up.len(), given_up[0].attempts, given_up[0].quarantined_at), (1, ATTEMPTS_MAX, Some(at(9))));
    assert_eq!(store.counts().unwrap().quarantined, 1);
    let cursor = Cursor { uid_validity: 1, last_uid: 9 };
    assert_eq!(store.advance_cursor(ACCOUNT, "INBOX", cursor, at(9)).unwrap(), cursor);
}

#[test]
fn a_message_that_fails_with_a_reason_shows_the_last_one() {
    let home = Home::new();
    let mut store = home.open();
    for number in 1..=ATTEMPTS_MAX {
        store.begin_attempt(inbox(7), at(0)).unwrap();
        let attempt = store.fail_attempt(inbox(7), &format!("no body\u{1b}[31m, {number}"), at(1)).unwrap();
        let last = number == ATTEMPTS_MAX;
        assert_eq!(attempt, if last { Attempt::Quarantined } else { Attempt::Try { number: number + 1 } });
    }
    assert_eq!(store.quarantined().unwrap()[0].reason, "no body[31m, 3");
    store.begin_attempt(inbox(8), at(2)).unwrap();
    store.vanished(inbox(8), at(2)).unwrap();
    let kinds: Vec<EventKind> = store.events(&EventFilter::default()).unwrap().iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [EventKind::Quarantine, EventKind::Vanished]);
}

#[test]
fn a_mail_that_retracts_takes_the_place_of_the_first_and_withdraws_its_draft() {
    let home = Home::new();
    let mut store = home.open();
    let (first, draft, _) = super::fixture::with_draft(&mut store);
    let message = mail(Some("sorry@example.org"), &["no@example.org"], "two");
    let outcome = super::fixture::outcome(Category::OtherJob, "Example Bakery");
    let verdict = verdict(Category::OtherJob);
    let ingest = onward::io::store::Ingest {
        outcome: Some(super::fixture::new_outcome(&outcome, onward::outcome::Origin::Superseded)),
        supersedes: Some(first),
        ..plain(&message, &verdict, 2)
    };
    let committed = store.commit(&ingest, None).unwrap();
    let Committed::Stored { outcome: Some(second), withdrawn, .. } = committed else { panic!("{committed:?}") };
    assert_eq!(withdrawn, [draft]);
    let held = store.list(&Filter::default()).unwrap();
    assert_eq!(held.iter().map(|row| row.id).collect::<Vec<_>>(), [second]);
    assert_eq!(held[0].told_at, None, "a change that a mail brought has to be told");
    assert_eq!(store.item(first).unwrap().row.id, second, "the old number stays good");
    // Undone: the no holds again with its draft, and the later mail has an outcome of its own.
    let undone = store.undo(second, at(5)).unwrap();
    assert_eq!(undone.restored, [draft]);
    let held = store.list(&Filter::default()).unwrap();
    let mut categories: Vec<_> = held.iter().map(|row| row.outcome.category).collect();
    categories.sort();
    assert_eq!(categories, [Category::Rejection, Category::OtherJob]);
    assert_eq!(store.thread(Some(&id("no@example.org")), &[]).unwrap().len(), 1);
    assert!(matches!(store.undo(99, at(5)).unwrap_err(), StoreError::NotFound { what: "item", id: 99 }));
}
