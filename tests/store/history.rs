//! What policies read of the past.

use onward::{
    draft::{DraftEvent, DraftState},
    io::store::{Ingest, Store},
    outcome::{Category, employer_key},
    reply::DraftKind,
};

use super::fixture::{Home, at, commit_rejection, id, mail, plain, proposed, verdict, with_draft};

/// Mails of one thread and one outside it, in the order they came.
fn thread_of_four(store: &mut Store) {
    let mails = [
        mail(Some("first@example.org"), &["root@ats.example"], "hello"),
        mail(Some("second@example.org"), &["root@ats.example", "mine@example.net"], "talk"),
        mail(Some("outside@example.org"), &["elsewhere@example.org"], "other"),
        mail(Some("third@example.org"), &["second@example.org"], "test"),
    ];
    for (message, uid) in mails.iter().zip(10..) {
        let mut verdict = verdict(Category::Interview);
        verdict.facts.noreply = uid == 10;
        store.commit(&plain(message, &verdict, uid), None).unwrap();
    }
}

#[test]
fn a_thread_is_what_refers_to_each_other() {
    let home = Home::new();
    let mut store = home.open();
    thread_of_four(&mut store);
    let subjects = |own: &str, references: &[&str]| -> Vec<String> {
        let references: Vec<_> = references.iter().map(|r| id(r)).collect();
        store
            .thread(Some(&id(own)), &references)
            .unwrap()
            .iter()
            .map(|mail| mail.subject.replace("Your application ", ""))
            .collect()
    };
    for (name, own, references, expected) in [
        ("through a root that is not stored", "new@x.org", vec!["root@ats.example"], vec!["hello", "talk"]),
        ("the mail it answers and what answers that", "new@x.org", vec!["second@example.org"], vec!["talk", "test"]),
        ("without the mail itself", "second@example.org", vec!["root@ats.example"], vec!["hello", "test"]),
        ("nothing", "new@x.org", vec![], vec![]),
        ("characters that mean something elsewhere", "new@x.org", vec!["%@\"x'"], vec![]),
    ] {
        assert_eq!(subjects(own, &references), expected, "{name}");
    }
    let first = &store.thread(None, &[id("root@ats.example")]).unwrap()[0];
    assert_eq!(
        (first.noreply, first.category, first.outcome, first.draft),
        (true, Some(Category::Interview), None, None)
    );
    assert_eq!(first.references, ["root@ats.example"]);
}

#[test]
fn a_thread_knows_the_reply_to_each_mail() {
    let home = Home::new();
    let mut store = home.open();
    let (outcome, ..) = with_draft(&mut store);
    let mails = store.thread(None, &[id("no@example.org")]).unwrap();
    assert_eq!((mails[0].outcome, mails[0].draft), (Some(outcome), Some(DraftState::Pending)));
    assert_eq!((mails[0].category, mails[0].from_addr.as_str()), (Some(Category::Rejection), "ada@example.org"));
}

#[test]
fn an_employer_is_one_by_key_and_replies_count_by_state_and_time() {
    let home = Home::new();
    let mut store = home.open();
    let (outcome, draft, digest) = with_draft(&mut store);
    let key = employer_key("EXAMPLE Bakery, Limited");
    let history = store.history_for_employer(&key, at(0)).unwrap();
    assert_eq!(history.outcomes.iter().map(|o| o.outcome).collect::<Vec<_>>(), [outcome]);
    assert_eq!((history.replies[0].kind, history.replies[0].state), (DraftKind::FeedbackRequest, DraftState::Pending));
    assert!(!store.answered("ada@example.org", at(0)).unwrap(), "nobody has approved it");
    store.approve(draft, digest, at(20)).unwrap();
    store.record(draft, DraftEvent::Place, "", at(30)).unwrap();
    let reply = &store.history_for_employer(&key, at(30)).unwrap().replies[0];
    assert_eq!((reply.state, reply.at, reply.to.as_deref()), (DraftState::Placed, at(30), Some("ada@example.org")));
    assert!(store.answered("ADA@example.org", at(30)).unwrap());
    assert!(!store.answered("ada@example.org", at(31)).unwrap());
    assert!(store.history_for_employer(&key, at(31)).unwrap().replies.is_empty());
    assert!(store.history_for_employer("example", at(0)).unwrap().outcomes.is_empty());
}

#[test]
fn notes_and_numbers_are_of_the_log() {
    let home = Home::new();
    let mut store = home.open();
    for uid in 1..=3 {
        let message = mail(Some(&format!("no{uid}@example.org")), &[], "x");
        commit_rejection(&mut store, &message, uid, &proposed(&format!("re{uid}@example.net")));
    }
    let (message, unrelated) = (mail(None, &[], "bill"), verdict(Category::Unrelated));
    store.commit(&Ingest { uid: None, ..plain(&message, &unrelated, 4) }, None).unwrap();
    let usage = store.note_usage(at(2)).unwrap();
    assert_eq!(usage.len(), 2);
    assert_eq!((usage[0].template.as_str(), usage[0].at), ("en/after-interview/01", at(2)));
    assert_eq!(usage[0].facts, ["interviews"]);
    let counts = store.counts().unwrap();
    assert_eq!((counts.messages, counts.undecided, counts.untold), (4, 0, 3));
    assert_eq!(counts.outcomes, [(Category::Rejection, 3)]);
    assert_eq!(counts.drafts, [(DraftState::Pending, 3)]);
}
