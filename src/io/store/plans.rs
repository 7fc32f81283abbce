//! The lookups of every mail and every screen use indexes: checked with SQLite's own query plans.

use super::{
    Store, chain, drafts,
    feedback::QUESTION,
    history::{DRAFTS_TO, EMPLOYER_OUTCOMES, EMPLOYER_REPLIES, THREAD},
    ingest::{KNOWN, LOCATED},
    list::OUTCOME_ROW,
    outbox::NEWER_IN_THREAD,
    sent::{ANSWERED, ANSWERS},
};

/// Whether a step of a plan reads a whole table of ours. Small sets made on the way (JSON arrays, recursion) are fine.
fn reads_everything(step: &str) -> bool {
    const TABLES: &[&str] = &[
        "message",
        "message_reference",
        "location",
        "classification",
        "outcome",
        "draft",
        "draft_revision",
        "draft_event",
        "event",
        "note",
        "told",
        "sent_mail",
        "sent_reference",
        "x",
        "f",
        "k",
        "feedback",
        "feedback_mark",
        "m",
        "o",
        "d",
        "r",
        "e",
        "c",
        "p",
        "s",
        "later",
        "last",
    ];
    step.strip_prefix("SCAN ").is_some_and(|rest| TABLES.contains(&rest.split(' ').next().unwrap_or_default()))
}

#[test]
fn hot_lookups_use_indexes() {
    let store = Store::in_memory().unwrap();
    let without_index = plan(&store, "SELECT id FROM message AS m WHERE m.subject = ?1");
    assert!(without_index.iter().any(|step| reads_everything(step)), "{without_index:?}");
    let draft = format!("{} WHERE d.id = ?1", drafts::DRAFT_VIEW);
    let item = format!("{OUTCOME_ROW} WHERE o.id = ?1");
    for sql in [
        KNOWN,
        LOCATED,
        chain::CHAIN,
        drafts::STANDING,
        drafts::DRAFT_BY_MESSAGE_ID,
        drafts::LATER,
        NEWER_IN_THREAD,
        ANSWERED,
        ANSWERS,
        QUESTION,
        THREAD,
        DRAFTS_TO,
        EMPLOYER_OUTCOMES,
        EMPLOYER_REPLIES,
        &draft,
        &item,
    ] {
        let steps = plan(&store, sql);
        assert!(!steps.is_empty());
        assert!(!steps.iter().any(|step| reads_everything(step)), "{sql}\n{steps:#?}");
    }
}

/// What SQLite says it would do.
fn plan(store: &Store, sql: &str) -> Vec<String> {
    let mut statement = store.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let nothing = vec![rusqlite::types::Null; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(nothing), |row| row.get("detail")).unwrap();
    steps.collect::<rusqlite::Result<_>>().unwrap()
}
