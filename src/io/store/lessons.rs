//! Labels: what the person said of mails. Rows are added in the transaction of the correction itself; where things
//! stand is the last row of a mail, so that undo and redo need no rule of their own. Forgetting deletes.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::Serialize;
use serde_json::json;

use super::{
    Store,
    error::Result,
    events::{Entry, EventKind, log},
    value::{At, Json, Word},
};
use crate::{learn::Traits, outcome::Category};

/// What a correction teaches.
#[derive(Clone, Copy)]
pub struct NewLesson<'a> {
    /// What the person said.
    pub label: Category,
    /// Fingerprint of the rule set that had judged the mail.
    pub rules: &'a str,
    /// What is kept of the mail.
    pub traits: &'a Traits,
}

/// One change of a mail's label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LessonRow {
    /// Its number; the order of what was taught.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The mail's row.
    pub message: i64,
    /// The item's number at that moment.
    pub item: i64,
    /// The category that held before.
    pub before: Category,
    /// What the person said; `None` where they took it back.
    pub label: Option<Category>,
    /// Fingerprint of the rule set that had judged the mail.
    pub rules: String,
    /// What is kept of the mail; `None` where the label was taken back.
    pub traits: Option<Traits>,
}

/// Tells one state of the labels from another: number of rows and the highest one ever given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessonsMark(i64, i64);

/// A row to be written.
pub(super) struct Taught<'a> {
    pub message: i64,
    pub outcome: i64,
    pub before: Category,
    pub lesson: NewLesson<'a>,
    pub now: Timestamp,
}

/// The state of a mail's label as of a row of its chain.
struct State {
    label: Option<Category>,
    rules: String,
    traits: Option<Traits>,
}

impl Store {
    /// Every change of a label, oldest first.
    pub fn lessons(&self) -> Result<Vec<LessonRow>> {
        self.lesson_rows(LESSONS)
    }

    /// The labels that hold, oldest first.
    pub fn labels(&self) -> Result<Vec<LessonRow>> {
        self.lesson_rows(LABELS)
    }

    fn lesson_rows(&self, sql: &str) -> Result<Vec<LessonRow>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], lesson)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether the labels changed since another mark was taken.
    pub fn lessons_mark(&self) -> Result<LessonsMark> {
        let mut statement = self.db.prepare_cached("SELECT count(*), coalesce(max(id), 0) FROM lesson")?;
        Ok(statement.query_row([], |row| Ok(LessonsMark(row.get(0)?, row.get(1)?)))?)
    }

    /// Forgets what the person said of a mail, as if they had never said it; the item stays as they corrected it. Gives
    /// the number of rows deleted: an undo later brings nothing of it back.
    pub fn forget(&mut self, message: i64, now: Timestamp) -> Result<usize> {
        let tx = self.begin()?;
        let deleted = tx.execute("DELETE FROM lesson WHERE message = ?1", [message])?;
        if deleted > 0 {
            let detail = json!({ "labels": deleted });
            log(&tx, &Entry { message: Some(message), detail, ..Entry::new(EventKind::Forgotten, now) })?;
        }
        tx.commit()?;
        self.empty_log()?;
        Ok(deleted)
    }
}

/// The item of a row is the head of its chain by then: what `outcome` says.
const LESSONS: &str = "SELECT id, at, message, outcome, before, label, rules, traits FROM lesson ORDER BY id";

const LABELS: &str = "
    SELECT id, at, message, outcome, before, label, rules, traits
    FROM lesson AS l
    WHERE label IS NOT NULL AND id = (SELECT max(last.id) FROM lesson AS last WHERE last.message = l.message)
    ORDER BY id";

fn lesson(row: &Row<'_>) -> rusqlite::Result<LessonRow> {
    Ok(LessonRow {
        id: row.get("id")?,
        at: row.get::<_, At>("at")?.0,
        message: row.get("message")?,
        item: row.get("outcome")?,
        before: row.get::<_, Word<_>>("before")?.0,
        label: row.get::<_, Option<Word<_>>>("label")?.map(|word| word.0),
        rules: row.get("rules")?,
        traits: row.get::<_, Option<Json<_>>>("traits")?.map(|json| json.0),
    })
}

/// Writes what a correction teaches.
pub(super) fn teach(tx: &Connection, taught: &Taught<'_>) -> Result<()> {
    let NewLesson { label, rules, traits } = taught.lesson;
    let state = State { label: Some(label), rules: rules.to_owned(), traits: Some(traits.clone()) };
    insert(tx, taught.message, taught.outcome, taught.before, &state, taught.now)
}

/// After an undo: the label of the mail is what it was when `before` was the row that held.
pub(super) fn restore_label(
    tx: &Connection,
    message: i64,
    (before, undone): (i64, Category),
    outcome: i64,
    now: Timestamp,
) -> Result<()> {
    let then = state(tx, message, before)?;
    let today = state(tx, message, i64::MAX)?;
    let label = |state: &Option<State>| state.as_ref().and_then(|state| state.label);
    if label(&then) == label(&today) {
        return Ok(());
    }
    let rules = today.map(|state| state.rules).unwrap_or_default();
    let state = then.unwrap_or(State { label: None, rules, traits: None });
    insert(tx, message, outcome, undone, &state, now)
}

/// The last row of a mail that belongs to a row of the chain not after `outcome`.
fn state(tx: &Connection, message: i64, outcome: i64) -> Result<Option<State>> {
    let mut statement = tx.prepare_cached(
        "SELECT label, rules, traits FROM lesson WHERE message = ?1 AND outcome <= ?2 ORDER BY id DESC LIMIT 1",
    )?;
    let state = statement.query_row(params![message, outcome], |row| {
        Ok(State {
            label: row.get::<_, Option<Word<_>>>("label")?.map(|word| word.0),
            rules: row.get("rules")?,
            traits: row.get::<_, Option<Json<_>>>("traits")?.map(|json| json.0),
        })
    });
    Ok(state.optional()?)
}

fn insert(tx: &Connection, message: i64, outcome: i64, before: Category, state: &State, now: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO lesson (at, message, outcome, before, label, rules, traits)
         VALUES (:at, :message, :outcome, :before, :label, :rules, :traits)",
    )?
    .execute(named_params! {
        ":at": At(now),
        ":message": message,
        ":outcome": outcome,
        ":before": Word(before),
        ":label": state.label.map(Word),
        ":rules": state.rules,
        ":traits": state.traits.as_ref().map(Json),
    })?;
    Ok(())
}
