//! Corrections and undo: the log only grows, and what holds is the last row.

use onward::{
    draft::{DraftEvent, DraftState},
    io::store::{EventFilter, EventKind, Filter, StoreError},
    outcome::{Category, Origin},
};

use super::fixture::{Home, at, new_outcome, note, outcome, proposed, with_draft};

#[test]
fn a_fix_and_its_undo_are_rows_and_the_draft_follows() {
    let home = Home::new();
    let mut store = home.open();
    let (first, draft, digest) = with_draft(&mut store);
    store.approve(draft, digest, at(10)).unwrap();

    let corrected = outcome(Category::OnHold, "Example Bakery");
    let fix = store.supersede(first, new_outcome(&corrected, Origin::Person), None, None, at(11)).unwrap();
    assert_eq!((fix.withdrawn.as_slice(), fix.draft), ([draft].as_slice(), None));
    let item = store.item(first).unwrap();
    assert_eq!((item.row.id, item.row.outcome.category), (fix.outcome, Category::OnHold));
    assert_eq!(item.row.told_at, Some(at(11)), "who corrects need not be told");
    assert_eq!(item.draft.unwrap().state, DraftState::Withdrawn);
    assert_eq!(item.chain.len(), 2);

    let undone = store.undo(first, at(12)).unwrap();
    assert_eq!(undone.restored, [draft]);
    let item = store.item(fix.outcome).unwrap();
    assert_eq!(
        (item.row.id, item.row.outcome.category, item.row.origin),
        (undone.outcome, Category::Rejection, Origin::Person)
    );
    let view = item.draft.unwrap();
    assert_eq!((view.state, view.approved_at), (DraftState::Pending, None), "the approval is void");
    assert_eq!(item.note.unwrap().0, note("en/after-interview/01"));

    // An undo of the undo brings the correction back, and so on for ever.
    let again = store.undo(first, at(13)).unwrap();
    assert_eq!((again.withdrawn.as_slice(), again.restored.as_slice()), ([draft].as_slice(), [].as_slice()));
    assert_eq!(store.item(first).unwrap().row.outcome.category, Category::OnHold);
    assert_eq!(store.undo(first, at(14)).unwrap().restored, [draft]);
    assert_eq!(store.list(&Filter::default()).unwrap().len(), 1);
    assert_eq!(store.list(&Filter { superseded: true, ..Filter::default() }).unwrap().len(), 5);
}

#[test]
fn a_fix_with_a_draft_of_its_own_gives_way_on_undo() {
    let home = Home::new();
    let mut store = home.open();
    let (first, old, _) = with_draft(&mut store);
    let corrected = outcome(Category::Rejection, "Example Bakery");
    let draft = proposed("second@example.net");
    let fix = store
        .supersede(first, new_outcome(&corrected, Origin::Person), Some(&draft), Some(&note("n/2")), at(11))
        .unwrap();
    let new = fix.draft.unwrap();
    assert_eq!(store.item(first).unwrap().row.draft.unwrap().id, new);
    assert!(matches!(store.restore(old, at(12)).unwrap_err(), StoreError::OtherDraft { other } if other == new));
    let undone = store.undo(first, at(13)).unwrap();
    assert_eq!((undone.withdrawn, undone.restored), (vec![new], vec![old]));
}

#[test]
fn a_reply_that_is_out_is_not_taken_back_and_stays_the_only_one() {
    let home = Home::new();
    let mut store = home.open();
    let (first, draft, digest) = with_draft(&mut store);
    store.approve(draft, digest, at(10)).unwrap();
    store.record(draft, DraftEvent::Place, "", at(11)).unwrap();
    let corrected = outcome(Category::Rejection, "Example Bakery");
    let second = proposed("second@example.net");
    let fix = store.supersede(first, new_outcome(&corrected, Origin::Person), Some(&second), None, at(12)).unwrap();
    assert!(fix.withdrawn.is_empty() && fix.draft.is_none());
    assert_eq!(store.add_draft(first, &second, at(13)).unwrap(), None);
    let left_out = store.events(&EventFilter { draft: Some(draft), ..EventFilter::default() }).unwrap();
    assert_eq!(left_out.iter().filter(|e| e.kind == EventKind::DraftLeftOut).count(), 2);
    assert_eq!(store.item(first).unwrap().row.draft.unwrap().state, DraftState::Placed);
}

#[test]
fn what_was_entered_by_hand_is_an_outcome_like_any_other() {
    let home = Home::new();
    let mut store = home.open();
    let by_hand = outcome(Category::Interview, "Corner Shop");
    let id = store.add_outcome(new_outcome(&by_hand, Origin::Person), at(1)).unwrap();
    let item = store.item(id).unwrap();
    assert!(item.row.mail.is_none() && item.classification.is_none() && item.places.is_empty());
    assert_eq!(item.row.outcome, by_hand);
    assert!(matches!(store.undo(id, at(2)).unwrap_err(), StoreError::NothingToUndo { .. }));
}

#[test]
fn the_person_is_told_when_the_time_has_come_and_once() {
    let home = Home::new();
    let mut store = home.open();
    let (first, ..) = with_draft(&mut store);
    let due = |store: &onward::io::store::Store, minute| {
        let filter = Filter { told: Some(false), tell_by: Some(at(minute)), ..Filter::default() };
        store.list(&filter).unwrap().iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(due(&store, 59), Vec::<i64>::new());
    assert_eq!(due(&store, 60), [first]);
    assert_eq!(store.counts().unwrap().untold, 1);
    store.mark_told(&[first], "digest", at(60)).unwrap();
    assert_eq!(due(&store, 61), Vec::<i64>::new());
    assert_eq!(store.item(first).unwrap().row.told_at, Some(at(60)));
    assert_eq!(store.counts().unwrap().untold, 0);
    assert!(matches!(store.mark_told(&[first, 77], "digest", at(61)), Err(StoreError::NotFound { id: 77, .. })));
    assert_eq!(home.number("SELECT count(*) FROM told"), 1, "all or nothing");
}

#[test]
fn lists_are_filtered_by_what_the_row_says() {
    let home = Home::new();
    let mut store = home.open();
    let (first, ..) = with_draft(&mut store);
    let mut asked = outcome(Category::Interview, "Corner Shop");
    asked.decided = false;
    let mut later = new_outcome(&asked, Origin::Rules);
    later.detected_at = at(500);
    let second = store.add_outcome(later, at(500)).unwrap();
    let cases: Vec<(&str, Filter, Vec<i64>)> = vec![
        ("all, newest first", Filter::default(), vec![second, first]),
        ("limit", Filter { limit: Some(1), ..Filter::default() }, vec![second]),
        ("category", Filter { categories: vec![Category::Rejection], ..Filter::default() }, vec![first]),
        ("undecided", Filter { decided: Some(false), ..Filter::default() }, vec![second]),
        ("since", Filter { since: Some(at(500)), ..Filter::default() }, vec![second]),
        ("until", Filter { until: Some(at(500)), ..Filter::default() }, vec![first]),
        ("employer", Filter { employer_key: Some("example bakery".into()), ..Filter::default() }, vec![first]),
        ("draft not due", Filter { draft_due_by: Some(at(119)), ..Filter::default() }, vec![]),
        ("draft due", Filter { draft_due_by: Some(at(120)), limit: Some(5), ..Filter::default() }, vec![second, first]),
        ("draft", Filter { draft_states: vec![DraftState::Pending], ..Filter::default() }, vec![first]),
        ("no such draft", Filter { draft_states: vec![DraftState::Sent], ..Filter::default() }, vec![]),
    ];
    for (name, filter, expected) in cases {
        let ids: Vec<i64> = store.list(&filter).unwrap().iter().map(|row| row.id).collect();
        assert_eq!(ids, expected, "{name}");
    }
}
