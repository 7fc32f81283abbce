//! What is not kept any longer leaves no byte behind, in no file of the state directory.

use std::fs;

use onward::{
    classify::{Fact, Hit, Modality},
    io::store::{Committed, Ingest, NewLesson, Store, StoreError},
    message::Zone,
    outcome::{Category, Origin},
};

use super::fixture::{Home, at, mail, new_outcome, outcome, plain, proposed, verdict};

/// Stands in a mail's octets, and in each of the places to which text of a mail goes.
const CANARY: &str = "canary-of-the-mine";

/// Every file of the state directory in which the text stands.
fn holding(home: &Home, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(home.path().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

/// Stores a no of many pages whose text is told in its verdict, too. Gives the mail and its outcome.
fn store_no(store: &mut Store, uid: u32, text: &str) -> (i64, i64) {
    let mut message = mail(Some(&format!("no{uid}@x.org")), &[], text);
    message.from[0].name = format!("{text} of Northgate");
    let mut verdict = verdict(Category::Rejection);
    verdict.hits.push(Hit {
        rule: "en.rejection.not-forward".into(),
        title: "A no".into(),
        file: "rules/11-en-choice.toml".into(),
        line: 13,
        category: Some(Category::Rejection),
        zone: Zone::Body,
        sentence: format!("Unfortunately {text}."),
        span: (0, 13),
        modality: Modality::Asserted,
        cue: Some(text.into()),
        weight: 6.0,
        dropped: None,
    });
    verdict.facts.signed_by = Some(Fact { value: text.into(), source: "signature".into() });
    let outcome = outcome(Category::Rejection, "Example Bakery Ltd");
    let raw = format!("Subject: {text}\r\n\r\n{}\r\n", format!("{text} and more of it. ").repeat(2000));
    let ingest = Ingest {
        raw: raw.as_bytes(),
        outcome: Some(new_outcome(&outcome, Origin::Rules)),
        draft: Some(&proposed(&format!("re{uid}@x.org"))),
        ..plain(&message, &verdict, uid)
    };
    match store.commit(&ingest, None).unwrap() {
        Committed::Stored { message, outcome: Some(outcome), .. } => (message, outcome),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_forgotten_mail_leaves_no_byte_in_database_log_and_backups() {
    let home = Home::new();
    let mut store = home.open();
    let (message, item) = store_no(&mut store, 1, CANARY);
    let (other, _) = store_no(&mut store, 2, "another-story");
    store.back_up(at(5)).unwrap().unwrap();
    // A power cut while a copy was made, and a log that was put aside.
    for left in ["onward.db.backup-2026-01-01.part", "onward.db.damaged-20260101T000000Z"] {
        fs::write(home.path().with_file_name(left), CANARY).unwrap();
    }
    let before = store.item(item).unwrap().row;
    assert!(holding(&home, CANARY).len() >= 2, "it was there: {:?}", holding(&home, CANARY));

    let forgotten = store.forget_mail(message, at(6)).unwrap();
    assert_eq!((forgotten.mails, forgotten.copies, forgotten.complete), (1, 3, true));
    assert_eq!(holding(&home, CANARY), [] as [&str; 0]);
    assert!(home.path().with_file_name("onward.db-wal").exists(), "looked at while it is open");
    assert!(!onward::io::store::daily_backups(&home.path()).is_empty(), "a new backup was made");

    // That there was a no stays, with its reply, and the other mail whole.
    let after = store.item(item).unwrap();
    assert_eq!((after.row.outcome, after.row.draft), (before.outcome, before.draft));
    assert_eq!(after.classification.unwrap().0.hits[0].rule, "en.rejection.not-forward");
    assert!(store.raw(other).unwrap().is_some() && !holding(&home, "another-story").is_empty());
    // It is known when it comes again: nothing is answered twice.
    let again = mail(Some("no1@x.org"), &[], CANARY);
    assert_eq!(store.known("home", again.id.as_ref(), &again.hash).unwrap(), Some(message));
    assert!(matches!(store.forget_mail(99, at(7)), Err(StoreError::NotFound { what: "message", id: 99 })));
}

#[test]
fn to_forget_everything_forgets_what_was_learned_too() {
    let home = Home::new();
    let mut store = home.open();
    for uid in 1..6 {
        store_no(&mut store, uid, &format!("{CANARY}-{uid}"));
    }
    // Mail without an outcome has a subject and a sender.
    store.commit(&plain(&mail(Some("bill@x"), &[], CANARY), &verdict(Category::Unrelated), 9), None).unwrap();
    let traits: onward::learn::Traits = serde_json::from_value(serde_json::json!({
        "version": 1, "print": 7, "length": 2, "words": 2, "sentences": [1], "anchors": [], "terms": [CANARY],
    }))
    .unwrap();
    let new = outcome(Category::Offer, "Example Bakery Ltd");
    let lesson = NewLesson { label: Category::Offer, rules: "00ff", traits: &traits };
    let correction = onward::io::store::Correction {
        new: new_outcome(&new, Origin::Person),
        draft: None,
        no_draft: None,
        note: None,
        lesson: Some(lesson),
    };
    store.correct(1, correction, at(3)).unwrap();
    assert_eq!(store.labels().unwrap().len(), 1);
    let counts = store.counts().unwrap();
    let forgotten = store.forget_everything(at(6)).unwrap();
    assert_eq!(forgotten.mails, 6);
    assert_eq!(holding(&home, CANARY), [] as [&str; 0]);
    assert_eq!(store.labels().unwrap(), []);
    assert_eq!(store.counts().unwrap(), counts, "outcomes and drafts stay");
    drop(store);
    assert_eq!(holding(&home, CANARY), [] as [&str; 0], "closing brings nothing back");
    home.open();
}

/// Octets go when their time is over, in the transaction that says so, and the file gives the room back.
#[test]
fn old_mail_loses_its_octets_and_the_file_its_size() {
    let home = Home::new();
    let mut store = home.open();
    for uid in 1..40 {
        store_no(&mut store, uid, CANARY);
    }
    let size = || fs::metadata(home.path()).unwrap().len();
    store.purge_raw(at(0), at(100)).unwrap();
    drop(store);
    let before = size();
    let mut store = home.open();
    assert_eq!(store.purge_raw(at(20), at(100)).unwrap(), 19);
    assert_eq!(store.purge_raw(at(20), at(101)).unwrap(), 0);
    assert!(store.raw(19).unwrap().is_none() && store.raw(20).unwrap().is_some());
    assert_eq!(store.item(1).unwrap().classification.unwrap().0.hits[0].span, (0, 13), "the sentence stays");
    assert!(size() < before * 2 / 3, "{} of {before}", size());
    let events = home.number("SELECT count(*) FROM event WHERE kind = 'purge'");
    assert_eq!(events, 1, "one row, with the one change");
}

/// A clock that is wrong by years costs a part, not everything.
#[test]
fn one_run_purges_a_bounded_part() {
    let home = Home::new();
    let mut store = home.open();
    for uid in 1..=250 {
        let (message, verdict) = (mail(Some(&format!("{uid}@x")), &[], "x"), verdict(Category::Rejection));
        let outcome = outcome(Category::Rejection, "Example");
        let ingest = Ingest { outcome: Some(new_outcome(&outcome, Origin::Rules)), ..plain(&message, &verdict, uid) };
        store.commit(&ingest, None).unwrap();
    }
    let runs: Vec<usize> = (0..4).map(|n| store.purge_raw(at(10_000), at(n)).unwrap()).collect();
    assert_eq!(runs, [100, 100, 50, 0], "the oldest first, the rest at the next turns");
}
