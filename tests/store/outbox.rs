//! Approval and sending: exactly what was approved, at most once.

use std::sync::Barrier;

use onward::{
    draft::{Digest, DraftEvent, DraftState},
    io::store::{Lapse, Lock, Rewrite, Store, StoreError},
};

use super::fixture::{Home, at, caution, commit_rejection, envelope, mail, plain, proposed, verdict, with_draft};

#[test]
fn of_fifty_approvals_at_once_one_succeeds() {
    let home = Home::new();
    let (_, draft, digest) = with_draft(&mut home.open());
    let stores: Vec<Store> = (0..50).map(|_| home.open()).collect();
    let start = Barrier::new(stores.len());
    let won: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .into_iter()
            .map(|mut store| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    match store.approve(draft, digest, at(10)) {
                        Ok(()) => 1,
                        Err(StoreError::NotAllowed(refused)) => {
                            assert_eq!(refused.state, DraftState::Approved);
                            0
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(won, 1);
    assert_eq!(home.number("SELECT count(*) FROM draft_event WHERE event = 'approve'"), 1);
}

#[test]
fn of_many_takers_one_gets_the_letter() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, digest) = with_draft(&mut store);
    store.approve(draft, digest, at(10)).unwrap();
    let mut stores: Vec<Store> = (0..20).map(|_| home.open()).collect();
    let start = Barrier::new(stores.len());
    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .iter_mut()
            .map(|store| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    usize::from(store.take(draft, at(11)).is_ok())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(taken, 1);
}

#[test]
fn what_is_taken_is_what_was_approved_and_already_sending_on_disk() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, digest) = with_draft(&mut store);
    assert!(matches!(store.take(draft, at(9)).unwrap_err(), StoreError::NotAllowed(_)));
    assert!(matches!(store.approved_for_drafts(draft).unwrap_err(), StoreError::NotAllowed(_)));
    store.approve(draft, digest, at(10)).unwrap();
    let for_drafts = store.approved_for_drafts(draft).unwrap();
    assert_eq!(store.draft(draft).unwrap().state, DraftState::Approved, "APPEND may be repeated");
    let ready = store.take(draft, at(11)).unwrap();
    for ready in [&for_drafts, &ready] {
        assert_eq!((ready.id(), ready.from(), ready.to()), (draft, "me@example.net", "ada@example.org"));
        assert_eq!((ready.message_id(), ready.digest()), ("re@example.net", digest));
        assert_eq!(Digest::of(&envelope(Some(ready.to())), ready.bytes()), digest);
    }
    assert_eq!(home.open().draft(draft).unwrap().state, DraftState::Sending);
    assert!(!format!("{ready:?}").contains("ada@"), "no address in debug output");
    assert_eq!(store.taken_since(at(11)).unwrap(), 1);
    assert_eq!(store.taken_since(at(12)).unwrap(), 0);
    store.record(draft, DraftEvent::Accepted, "250 queued\r\nas 1", at(12)).unwrap();
    let view = store.draft(draft).unwrap();
    assert_eq!((view.state, view.remark.as_str(), view.attempts), (DraftState::Sent, "250 queued as 1", 1));
}

#[test]
fn an_edit_makes_the_approval_void() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, seen) = with_draft(&mut store);
    store.approve(draft, seen, at(10)).unwrap();
    let (to, bytes) = (envelope(Some("ada@example.org")), b"Other words.\r\n".to_vec());
    let rewrite = Rewrite { envelope: &to, message_id: "re@example.net", bytes: &bytes, cautions: &[] };
    let digest = store.edit(draft, rewrite, at(11)).unwrap();
    assert_ne!(digest, seen);
    let view = store.draft(draft).unwrap();
    assert_eq!((view.state, view.revision, view.approved_at), (DraftState::Pending, 2, None));
    assert!(matches!(store.take(draft, at(12)).unwrap_err(), StoreError::NotAllowed(_)));
    assert!(matches!(store.approve(draft, seen, at(12)).unwrap_err(), StoreError::StaleDigest));
    store.approve(draft, digest, at(12)).unwrap();
    assert_eq!(store.take(draft, at(13)).unwrap().bytes(), bytes);
}

#[test]
fn bytes_that_were_changed_from_outside_are_not_sent() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, digest) = with_draft(&mut store);
    store.approve(draft, digest, at(10)).unwrap();
    for column in
        ["bytes = CAST('other' AS BLOB)", "envelope_to = 'eve@example.com'", "envelope_from = 'eve@example.com'"]
    {
        let sql = home.sql();
        sql.execute_batch(&format!(
            "DROP TRIGGER IF EXISTS draft_revision_no_update;
             CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM draft_revision;
             UPDATE draft_revision SET {column};"
        ))
        .unwrap();
        assert!(matches!(store.take(draft, at(11)).unwrap_err(), StoreError::StaleDigest), "{column}");
        assert!(matches!(store.approved_for_drafts(draft).unwrap_err(), StoreError::StaleDigest), "{column}");
        sql.execute_batch(
            "UPDATE draft_revision SET (bytes, envelope_to, envelope_from) = (SELECT bytes, envelope_to, envelope_from FROM kept)",
        )
        .unwrap();
    }
    assert!(store.take(draft, at(11)).is_ok());
}

#[test]
fn without_a_recipient_or_with_a_stopping_caution_nothing_is_approved() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, _) = with_draft(&mut store);
    let bytes = b"x\r\n";
    let ada = Some("ada@example.org");
    for (to, stops, fine) in [(None, false, false), (Some(""), false, false), (ada, true, false), (ada, false, true)] {
        let (to, cautions) = (envelope(to), [caution("harmless", false), caution("reply-to-differs", stops)]);
        let rewrite = Rewrite { envelope: &to, message_id: "re@example.net", bytes, cautions: &cautions };
        let digest = store.edit(draft, rewrite, at(10)).unwrap();
        let result = store.approve(draft, digest, at(11));
        match (fine, result) {
            (true, Ok(())) => {}
            (false, Err(StoreError::NoRecipient)) if !stops => {}
            (false, Err(StoreError::Stopped { code })) if stops => assert_eq!(code, "reply-to-differs"),
            (_, result) => panic!("{to:?} {stops}: {result:?}"),
        }
    }
}

#[test]
fn an_approval_lapses_with_age_and_with_a_new_mail_of_the_thread() {
    let minutes = 48 * 60;
    let answer: &[&str] = &["no@example.org"];
    let cases = [
        ("in time", None, 10 + minutes, None),
        ("too old", None, 11 + minutes, Some(Lapse::TooOld)),
        ("clock went back", None, -5000, None),
        ("another thread", Some(&["else@example.org"] as &[&str]), 12, None),
        ("same thread", Some(answer), 12, Some(Lapse::NewMail)),
    ];
    for (name, references, minute, expected) in cases {
        let home = Home::new();
        let mut store = home.open();
        let (_, draft, digest) = with_draft(&mut store);
        // A mail of the thread that was there before the approval counts for nothing.
        let message = mail(Some("between@example.org"), answer, "between");
        store.commit(&plain(&message, &verdict(onward::outcome::Category::OtherJob), 2), None).unwrap();
        store.approve(draft, digest, at(10)).unwrap();
        if let Some(references) = references {
            let message = mail(Some("later@example.org"), references, "later");
            store.commit(&plain(&message, &verdict(onward::outcome::Category::OtherJob), 3), None).unwrap();
        }
        let result = store.take(draft, at(minute));
        match (expected, result) {
            (None, Ok(_)) => {}
            (Some(expected), Err(StoreError::Lapsed { why })) if why == expected => {
                assert_eq!(store.draft(draft).unwrap().state, DraftState::Pending, "{name}");
                store.approve(draft, digest, at(minute)).unwrap();
                store.take(draft, at(minute)).unwrap();
            }
            (_, result) => panic!("{name}: {result:?}"),
        }
    }
}

#[test]
fn after_a_crash_nobody_knows_and_only_the_person_resolves() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, digest) = with_draft(&mut store);
    store.approve(draft, digest, at(10)).unwrap();
    store.take(draft, at(11)).unwrap();
    store.record(draft, DraftEvent::Begin, "", at(11)).unwrap();
    drop(store);
    let mut store = home.open();
    let lock = Lock::acquire(home.dir()).unwrap();
    assert_eq!(store.recover(&lock, at(20)).unwrap(), [draft]);
    assert_eq!(store.recover(&lock, at(20)).unwrap(), Vec::<i64>::new());
    assert_eq!(store.draft(draft).unwrap().state, DraftState::Unconfirmed);
    assert!(matches!(store.take(draft, at(21)).unwrap_err(), StoreError::NotAllowed(_)));
    store.record(draft, DraftEvent::ResolveRetry, "", at(5000)).unwrap();
    let view = store.draft(draft).unwrap();
    assert_eq!((view.approved_at, view.attempts), (Some(at(5000)), 0), "the person has just looked at it");
    store.take(draft, at(5001)).unwrap();
    store.record(draft, DraftEvent::Deferred, "421 later", at(5002)).unwrap();
    store.take(draft, at(5003)).unwrap();
    assert_eq!(store.draft(draft).unwrap().attempts, 2);
}

/// F1: what was taken and of which nothing was to leave yet is approved as before; no attempt is used up, no limit counts
/// it. What an older version took is in doubt: it did not write down how far it came.
#[test]
fn a_crash_before_the_message_may_leave_is_no_attempt() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, digest) = with_draft(&mut store);
    let lock = Lock::acquire(home.dir()).unwrap();
    store.approve(draft, digest, at(10)).unwrap();
    for minute in [11, 12, 13] {
        store.take(draft, at(minute)).unwrap();
        assert_eq!(store.taken_since(at(0)).unwrap(), 1);
        drop(store);
        store = home.open();
        assert_eq!(store.recover(&lock, at(minute)).unwrap(), Vec::<i64>::new());
        let view = store.draft(draft).unwrap();
        assert_eq!((view.state, view.attempts, view.approved_at), (DraftState::Approved, 0, Some(at(10))));
        assert_eq!(store.taken_since(at(0)).unwrap(), 0);
    }
    store.take(draft, at(14)).unwrap();
    home.sql()
        .execute_batch(
            "DROP TRIGGER event_no_update;
             UPDATE event SET detail = json_remove(detail, '$.remark') WHERE id = (SELECT max(id) FROM event)",
        )
        .unwrap();
    assert_eq!(store.recover(&lock, at(15)).unwrap(), [draft]);
}

/// F14: a copy is due for what a server took, for as long as asked, until it was seen; a restart changes nothing.
#[test]
fn a_copy_is_due_until_it_was_seen() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, digest) = with_draft(&mut store);
    assert!(store.sent_letter(draft).unwrap().is_none());
    store.approve(draft, digest, at(10)).unwrap();
    let bytes = store.take(draft, at(11)).unwrap().bytes().to_vec();
    store.record(draft, DraftEvent::Begin, "", at(11)).unwrap();
    assert_eq!(store.copies_due(at(0)).unwrap(), []);
    store.record(draft, DraftEvent::Accepted, "250 queued", at(12)).unwrap();
    drop(store);
    let mut store = home.open();
    assert_eq!(store.copies_due(at(12)).unwrap(), [(draft, at(12))]);
    assert_eq!(store.copies_due(at(13)).unwrap(), []);
    assert_eq!(store.sent_letter(draft).unwrap().unwrap().bytes(), bytes);
    store.copy_seen(draft, "Sent", true, at(14)).unwrap();
    assert_eq!(store.copies_due(at(0)).unwrap(), []);
    assert_eq!(store.draft(draft).unwrap().state, DraftState::Sent);
}

/// F5: what was refused for good is not taken again, unless the person approves it again.
#[test]
fn a_refused_draft_is_tried_again_by_the_person_alone() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, digest) = with_draft(&mut store);
    store.approve(draft, digest, at(10)).unwrap();
    store.take(draft, at(11)).unwrap();
    store.record(draft, DraftEvent::Refused, "550 5.7.1 spam", at(12)).unwrap();
    assert!(matches!(store.take(draft, at(13)).unwrap_err(), StoreError::NotAllowed(_)));
    store.approve(draft, digest, at(14)).unwrap();
    assert_eq!(store.draft(draft).unwrap().attempts, 0);
    store.take(draft, at(15)).unwrap();
}

#[test]
fn steps_with_checks_of_their_own_cannot_be_recorded_around_them() {
    let home = Home::new();
    let mut store = home.open();
    let (_, draft, _) = with_draft(&mut store);
    for event in [DraftEvent::Approve, DraftEvent::Edit, DraftEvent::Take, DraftEvent::Restore, DraftEvent::Lapse] {
        let refused = store.record(draft, event, "", at(1)).unwrap_err();
        assert!(matches!(refused, StoreError::NotByItself { .. }), "{event}");
    }
    assert!(matches!(store.discard(99, at(1)).unwrap_err(), StoreError::NotFound { what: "draft", id: 99 }));
    store.discard(draft, at(1)).unwrap();
    assert!(matches!(store.discard(draft, at(1)).unwrap_err(), StoreError::NotAllowed(_)));
    assert_eq!(store.restore(draft, at(2)).unwrap(), DraftState::Pending);
}

#[test]
fn drafts_are_found_by_state_and_by_message_id() {
    let home = Home::new();
    let mut store = home.open();
    let (_, first, _) = with_draft(&mut store);
    commit_rejection(&mut store, &mail(Some("no2@example.org"), &[], "two"), 2, &proposed("re2@example.net"));
    store.discard(first, at(3)).unwrap();
    let ids = |states: &[DraftState]| store.drafts(states).unwrap().iter().map(|draft| draft.id).collect::<Vec<_>>();
    assert_eq!(ids(&[]).len(), 2);
    assert_eq!(ids(&[DraftState::Discarded, DraftState::Sent]), [first]);
    assert_eq!(store.draft_by_message_id("re@example.net").unwrap(), Some(first));
    assert_eq!(store.draft_by_message_id("unknown@example.net").unwrap(), None);
}

/// Limits count hours of UTC: the night in which clocks change is neither longer nor shorter, wherever the person lives.
#[test]
fn the_limit_of_a_day_knows_no_summer_time() {
    // Berlin to summer and back, New York to summer and back, Lord Howe's half hour.
    for change in [
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2026-04-04T15:00:00Z",
    ] {
        let change: jiff::Timestamp = change.parse().unwrap();
        let hours = |n: i64| change + jiff::SignedDuration::from_hours(n);
        let home = Home::new();
        let mut store = home.open();
        let (_, draft, digest) = with_draft(&mut store);
        store.approve(draft, digest, hours(-13)).unwrap();
        for taken in [-12, -11, -1, 0, 1, 11, 12] {
            store.take(draft, hours(taken)).unwrap();
            store.record(draft, DraftEvent::Deferred, "451 later", hours(taken)).unwrap();
        }
        for (now, count) in [(12, 7), (13, 6), (14, 5), (23, 5), (24, 4), (36, 1), (37, 0)] {
            let day = jiff::SignedDuration::from_hours(24);
            assert_eq!(store.taken_since(hours(now) - day).unwrap(), count, "{change} and {now} h");
        }
        let first = home.number("SELECT min(event.at) FROM event JOIN draft_event USING (id) WHERE event = 'take'");
        assert_eq!(first, hours(-12).as_second(), "stored as seconds of UTC");
    }
}
