//! When to write without having been written to: a question after a silence, a sign of life after a no. Pure.
//!
//! It decides whether and which; the draft waits for the person like any other. It must not look at addresses.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::DraftKind;
use crate::{
    draft::DraftState,
    outcome::{Category, Stage},
};

/// Silence after which a second question is due, counted from the first.
const SECOND_AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Questions about one application: more are bombardment (`experience.md`, "deliberately not built").
const QUESTIONS_MAX: usize = 2;
/// When silence is an answer: nobody is asked about what they have forgotten.
const TOO_LATE: SignedDuration = SignedDuration::from_hours(75 * 24);
/// How long after its day a sign of life is still offered: who was away for a quarter begins anew.
const SIGN_WITHIN: SignedDuration = SignedDuration::from_hours(45 * 24);

/// After how long the person wants to be offered something; `None`: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// Silence after an application.
    pub application: Option<SignedDuration>,
    /// Silence after an interview or a test.
    pub interview: Option<SignedDuration>,
    /// A sign of life after a no.
    pub sign_of_life: Option<SignedDuration>,
}

/// What the log knows of an application when its last mail is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What the last mail is.
    pub category: Category,
    /// The stage of a no.
    pub stage: Stage,
    /// When it arrived.
    pub heard_at: Timestamp,
    /// When the person wrote last in its thread, as far as Sent tells.
    pub wrote_at: Option<Timestamp>,
    /// Days that the mail names: an appointment that is still to come is no silence.
    pub dates: Vec<Date>,
    /// Drafts to this mail: what they want, where they stand, since when.
    pub drafts: Vec<(DraftKind, DraftState, Timestamp)>,
}

/// What is offered: the kind, and the group of texts.
pub type Offer = (DraftKind, &'static str);

/// Whether enough time has passed since a mail of this kind for anything to be offered: what is asked before the log is.
pub fn may_be_due(category: Category, heard_at: Timestamp, after: &After, now: Timestamp) -> bool {
    let silence = match category {
        Category::Acknowledgement => after.application,
        Category::Interview | Category::Assessment => after.interview,
        Category::Rejection => after.sign_of_life,
        _ => None,
    };
    silence.is_some_and(|silence| now.duration_since(heard_at) >= silence)
}

/// What to offer now, if anything.
pub fn offer(standing: &Standing, after: &After, now: Timestamp) -> Option<Offer> {
    match standing.category {
        Category::Acknowledgement => question(standing, after.application?, "follow-up-application", now),
        Category::Interview | Category::Assessment => question(standing, after.interview?, "follow-up-interview", now),
        Category::Rejection => sign_of_life(standing, after.sign_of_life?, now),
        _ => None,
    }
}

/// A question how things stand: the first after the silence the person set, the second two weeks after it went out.
fn question(standing: &Standing, silence: SignedDuration, group: &'static str, now: Timestamp) -> Option<Offer> {
    let asked: Vec<_> = standing.drafts.iter().filter(|(kind, ..)| *kind == DraftKind::FollowUp).collect();
    // One that waits, was dropped or did not go out: the person has it in hand.
    if asked.len() >= QUESTIONS_MAX || asked.iter().any(|(_, state, _)| !is_with_them(*state)) {
        return None;
    }
    let appointment = standing.dates.iter().max().and_then(|date| end_of(*date));
    let first = asked.iter().map(|(.., at)| *at).max();
    let quiet_since = [Some(standing.heard_at), standing.wrote_at, appointment, first].into_iter().flatten().max()?;
    let quiet = now.duration_since(quiet_since);
    let due = if first.is_some() { SECOND_AFTER.max(silence) } else { silence };
    let too_late = now.duration_since(standing.heard_at.max(appointment.unwrap_or(standing.heard_at))) > TOO_LATE;
    let group = if first.is_some() { "follow-up-second" } else { group };
    (quiet >= due && !too_late).then_some((DraftKind::FollowUp, group))
}

/// A sign of life: once, to those who met the person and were thanked.
fn sign_of_life(standing: &Standing, after: SignedDuration, now: Timestamp) -> Option<Offer> {
    let met = matches!(standing.stage, Stage::AfterInterview | Stage::AfterFinal);
    let thanked = standing.drafts.iter().any(|(kind, state, _)| {
        matches!(kind, DraftKind::ThankYou | DraftKind::FeedbackRequest) && is_with_them(*state)
    });
    let before = standing.drafts.iter().any(|(kind, ..)| *kind == DraftKind::KeepInTouch);
    let quiet_since = standing.wrote_at.map_or(standing.heard_at, |wrote| wrote.max(standing.heard_at));
    let since_then = now.duration_since(quiet_since);
    (met && thanked && !before && since_then >= after && since_then < after + SIGN_WITHIN)
        .then_some((DraftKind::KeepInTouch, "keep-in-touch"))
}

/// Whether a draft went out, or lies where the person sends it from.
fn is_with_them(state: DraftState) -> bool {
    matches!(state, DraftState::Placed | DraftState::Sent)
}

/// The end of a day, wherever on earth it was meant.
fn end_of(date: Date) -> Option<Timestamp> {
    let next = date.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(next.timestamp() + SignedDuration::from_hours(12))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn ago(days: i32) -> Timestamp {
        now() - DAY * days
    }

    fn after() -> After {
        After { application: Some(DAY * 14), interview: Some(DAY * 10), sign_of_life: Some(DAY * 90) }
    }

    fn heard(category: Category, days: i32) -> Standing {
        let stage = if category == Category::Rejection { Stage::AfterInterview } else { Stage::Unknown };
        Standing { category, stage, heard_at: ago(days), wrote_at: None, dates: Vec::new(), drafts: Vec::new() }
    }

    #[test]
    fn silence_is_asked_about_twice_at_most() {
        use Category::{Acknowledgement as Received, Interview};
        use DraftKind::{FollowUp, ThankYou};
        use DraftState::{Discarded, Pending, Placed, Sent};
        let with = |standing: Standing, drafts: &[(DraftKind, DraftState, i32)]| Standing {
            drafts: drafts.iter().map(|(kind, state, days)| (*kind, *state, ago(*days))).collect(),
            ..standing
        };
        let wrote = |days: i32, standing: Standing| Standing { wrote_at: Some(ago(days)), ..standing };
        let on = |date: Date, standing: Standing| Standing { dates: vec![date], ..standing };
        let date = jiff::civil::date;
        for (standing, group) in [
            (heard(Received, 13), None),
            (heard(Received, 14), Some("follow-up-application")),
            (heard(Received, 76), None),
            (wrote(3, heard(Received, 30)), None),
            (wrote(15, heard(Received, 30)), Some("follow-up-application")),
            (heard(Interview, 9), None),
            (heard(Interview, 11), Some("follow-up-interview")),
            (on(date(2026, 11, 25), heard(Interview, 20)), None),
            (on(date(2026, 11, 15), heard(Interview, 20)), None),
            (on(date(2026, 11, 9), heard(Interview, 20)), Some("follow-up-interview")),
            (with(heard(Received, 40), &[(FollowUp, Pending, 2)]), None),
            (with(heard(Received, 40), &[(FollowUp, Discarded, 20)]), None),
            (with(heard(Received, 40), &[(FollowUp, Sent, 10)]), None),
            (with(heard(Received, 40), &[(FollowUp, Placed, 15)]), Some("follow-up-second")),
            (with(heard(Received, 60), &[(FollowUp, Sent, 40), (FollowUp, Sent, 20)]), None),
            (with(heard(Received, 40), &[(ThankYou, Sent, 39)]), Some("follow-up-application")),
            (heard(Category::OnHold, 40), None),
            (heard(Category::Offer, 40), None),
        ] {
            assert_eq!(offer(&standing, &after(), now()).map(|(_, group)| group), group, "{standing:?}");
            assert!(group.is_none() || may_be_due(standing.category, standing.heard_at, &after(), now()));
        }
        let never = After { application: None, interview: None, sign_of_life: None };
        assert_eq!(offer(&heard(Received, 30), &never, now()), None);
    }

    #[test]
    fn a_sign_of_life_goes_once_to_those_who_met_and_were_thanked() {
        let thanked = (DraftKind::ThankYou, DraftState::Sent, ago(99));
        for (days, stage, drafts, due) in [
            (100, Stage::AfterInterview, vec![thanked], true),
            (89, Stage::AfterInterview, vec![thanked], false),
            (140, Stage::AfterInterview, vec![thanked], false),
            (100, Stage::AfterApplication, vec![thanked], false),
            (100, Stage::AfterFinal, vec![], false),
            (100, Stage::AfterFinal, vec![(DraftKind::ThankYou, DraftState::Discarded, ago(99))], false),
            (100, Stage::AfterFinal, vec![thanked, (DraftKind::KeepInTouch, DraftState::Discarded, ago(5))], false),
        ] {
            let standing = Standing { stage, drafts, ..heard(Category::Rejection, days) };
            let offered = offer(&standing, &after(), now());
            assert_eq!(offered.map(|(kind, _)| kind), due.then_some(DraftKind::KeepInTouch), "{standing:?}");
        }
    }
}
