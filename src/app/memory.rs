//! What the person's corrections taught, as the log holds it: read when it is first asked for, and again when a label
//! was added or forgotten, by whichever process. It must not learn from anything else.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;

use crate::{
    classify::traits,
    io::store::{LessonRow, LessonsMark, Store, StoreError},
    learn::{LESSONS_MAX, Learned, Lesson, TRAITS_VERSION, Traits},
    message::{Fetched, Message},
    rules::RuleSet,
};

/// What was learned, kept between two mails.
#[derive(Default)]
pub struct Memory {
    known: Mutex<Option<(LessonsMark, Arc<Learned>)>>,
}

impl Memory {
    /// What was learned up to now.
    pub fn current(&self, store: &Store, rules: &RuleSet, zone: &TimeZone) -> Result<Arc<Learned>, StoreError> {
        let mark = store.lessons_mark()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, learned)) = known.as_ref().filter(|(at, _)| *at == mark) {
            return Ok(Arc::clone(learned));
        }
        let learned = Arc::new(read(store, rules, zone)?);
        *known = Some((mark, Arc::clone(&learned)));
        Ok(learned)
    }

    /// Takes this for what was learned, until a label in that log changes.
    pub fn presume(&self, store: &Store, learned: Learned) -> Result<(), StoreError> {
        let mark = store.lessons_mark()?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((mark, Arc::new(learned)));
        Ok(())
    }
}

/// Builds what the labels that hold teach.
pub fn read(store: &Store, rules: &RuleSet, zone: &TimeZone) -> Result<Learned, StoreError> {
    let rows = store.labels()?;
    let skip = rows.len().saturating_sub(LESSONS_MAX);
    let mut lessons = Vec::new();
    for row in rows.into_iter().skip(skip) {
        lessons.extend(lesson(store, rules, row, zone)?);
    }
    Ok(Learned::from_lessons(&lessons))
}

/// A label as a lesson. One whose traits are of another version is read anew from its mail, and rests where that is no
/// longer stored.
fn lesson(store: &Store, rules: &RuleSet, row: LessonRow, zone: &TimeZone) -> Result<Option<Lesson>, StoreError> {
    let (Some(label), Some(kept)) = (row.label, row.traits) else { return Ok(None) };
    let today = if kept.version == TRAITS_VERSION { Some(kept) } else { anew(store, rules, row.message)? };
    let day = row.at.to_zoned(zone.clone()).date();
    Ok(today.map(|traits| Lesson { item: row.item, day, label, traits }))
}

fn anew(store: &Store, rules: &RuleSet, message: i64) -> Result<Option<Traits>, StoreError> {
    let raw = store.raw(message)?;
    Ok(raw.map(|raw| traits(rules, &Message::parse(&raw, Fetched::of(false)))))
}
