//! The words a rule file may use as values, and older spellings that are still understood.

use super::{
    diagnostic::{Problems, did_you_mean},
    reader::Text,
    set::{Scope, Settings, Status},
};
use crate::{
    classify::Modality,
    message::Zone,
    outcome::{Category, Reason, Stage},
};

/// Bits of log-odds by name.
pub(super) const STRENGTHS: [(&str, f64); 7] = [
    ("decisive", 7.0),
    ("strong", 5.0),
    ("moderate", 3.0),
    ("weak", 1.5),
    ("hint", 0.5),
    ("none", 0.0),
    ("against", -3.0),
];

/// Name of the unscored helper category.
pub(super) const SIGNAL: &str = "signal";

/// Names of earlier drafts of the format and what they are called now.
const OLD_CATEGORIES: [(&str, &str); 9] = [
    ("job-alert", "job_alert"),
    ("on-hold", "on_hold"),
    ("other-job", "other_job"),
    ("status", "on_hold"),
    ("action", "other_job"),
    ("account", "other_job"),
    ("survey", "other_job"),
    ("withdrawn", "other_job"),
    ("referral", "outreach"),
];
const OLD_REASONS: [(&str, Reason); 5] = [
    ("not_specified", Reason::None),
    ("no_fit", Reason::SkillsGap),
    ("position_filled", Reason::PositionClosed),
    ("position_cancelled", Reason::PositionClosed),
    ("location/visa", Reason::LocationVisa),
];
/// Stages of an interview process, which say nothing about the stage of a rejection.
const PROCESS_STAGES: [&str; 6] = ["screen", "assessment", "technical", "onsite", "trial_day", "reference_check"];

/// Finds a value by its name, or reports it with the names there are.
pub(super) fn one_of<T: Copy>(text: &Text, what: &str, known: &[(&str, T)], problems: &mut Problems<'_>) -> Option<T> {
    let found = known.iter().find(|(name, _)| *name == text.text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(n, _)| *n).collect();
        let help =
            did_you_mean(&text.text, names.iter().copied()).unwrap_or_else(|| format!("one of {}", names.join(", ")));
        problems.error("R011", text.at, format!("unknown {what} `{}`", text.text), Some(help));
    }
    found
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<(&'static str, T)> {
    all.iter().map(|v| (name(*v), *v)).collect()
}

/// A category; `Some(None)` is `signal`, `None` is an error that was reported.
pub(super) fn category(text: &Text, problems: &mut Problems<'_>) -> Option<Option<Category>> {
    if let Some((old, new)) = OLD_CATEGORIES.iter().find(|(old, _)| *old == text.text) {
        problems.warn("R100", text.at, format!("category `{old}` is called `{new}`"), None);
        return new.parse().ok().map(Some);
    }
    let mut known: Vec<(&str, Option<Category>)> = Category::ALL.iter().map(|c| (c.as_str(), Some(*c))).collect();
    known.push((SIGNAL, None));
    one_of(text, "category", &known, problems)
}

pub(super) fn strength(text: &Text, problems: &mut Problems<'_>) -> Option<f64> {
    one_of(text, "strength", &STRENGTHS, problems)
}

pub(super) fn zones(texts: &[Text], problems: &mut Problems<'_>) -> Vec<Zone> {
    let known = names(Zone::ALL, Zone::as_str);
    texts.iter().filter_map(|t| one_of(t, "zone", &known, problems)).collect()
}

pub(super) fn modalities(texts: &[Text], problems: &mut Problems<'_>) -> Vec<Modality> {
    let known = names(Modality::ALL, Modality::as_str);
    texts.iter().filter_map(|t| one_of(t, "modality", &known, problems)).collect()
}

pub(super) fn status(text: &Text, problems: &mut Problems<'_>) -> Option<Status> {
    let known = [
        ("stable", Status::Stable),
        ("preview", Status::Preview),
        ("shadow", Status::Shadow),
        ("deprecated", Status::Deprecated),
    ];
    one_of(text, "status", &known, problems)
}

pub(super) fn scope(text: &Text, problems: &mut Problems<'_>) -> Option<Scope> {
    let known = [
        ("match", Scope::Match),
        ("sentence", Scope::Sentence),
        ("paragraph", Scope::Paragraph),
        ("message", Scope::Message),
    ];
    one_of(text, "scope", &known, problems)
}

/// The name of a reason as design and older files write it.
pub(crate) fn reason_named(name: &str) -> Option<Reason> {
    let name = name.replace('-', "_");
    name.parse().ok().or_else(|| OLD_REASONS.iter().find(|(old, _)| *old == name).map(|(_, r)| *r))
}

/// The name of a stage as design and older files write it.
pub(crate) fn stage_named(name: &str) -> Option<Stage> {
    name.replace('-', "_").parse().ok()
}

/// The `set` table of a rule.
pub(super) fn settings(pairs: &[(Text, Text)], problems: &mut Problems<'_>) -> Settings {
    const KEYS: [&str; 9] =
        ["reason", "stage", "event", "note", "noreply", "no_feedback", "offers_feedback", "retracts", "agency"];
    let mut out = Settings::default();
    for (key, value) in pairs {
        match key.text.as_str() {
            "reason" => match reason_named(&value.text) {
                Some(r) => out.reason = Some(r),
                None => unknown(value, "reason", Reason::ALL.iter().map(|r| r.as_str()), problems),
            },
            "stage" => match stage_named(&value.text) {
                Some(s) => out.stage = Some(s),
                None if PROCESS_STAGES.contains(&value.text.replace('-', "_").as_str()) => {}
                None => unknown(value, "stage", Stage::ALL.iter().map(|s| s.as_str()), problems),
            },
            "event" => out.event = Some(value.text.clone()),
            "note" => {}
            "noreply" => out.noreply = flag(value, problems),
            "no_feedback" => out.no_feedback = flag(value, problems),
            "offers_feedback" => out.offers_feedback = flag(value, problems),
            "retracts" => out.retracts = flag(value, problems),
            "agency" => out.agency = flag(value, problems),
            _ => unknown(key, "key in `set`", KEYS.iter().copied(), problems),
        }
    }
    out
}

fn unknown<'k>(text: &Text, what: &str, known: impl Iterator<Item = &'k str>, problems: &mut Problems<'_>) {
    let known: Vec<(&str, ())> = known.map(|k| (k, ())).collect();
    one_of(text, what, &known, problems);
}

fn flag(value: &Text, problems: &mut Problems<'_>) -> bool {
    one_of(value, "flag", &[("true", true), ("false", false)], problems).unwrap_or_default()
}
