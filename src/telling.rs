//! When the person is told: reading hours, hold by stage. Pure.
//!
//! One function computes when an outcome is told and when its draft may be suggested, so that notification, digest and
//! queue cannot disagree. It must not deliver anything, and must not decide what is said.

use jiff::{
    Span, Timestamp, Zoned,
    civil::{Time, Weekday},
    tz::TimeZone,
};

use crate::outcome::{Category, Outcome, Stage, named};

named! {
    /// How an outcome reaches the person.
    pub enum Urgency {
        /// At once, in quiet hours too: something may have to be answered.
        Now = "now",
        /// At once, but not in quiet hours.
        Awake = "awake",
        /// In the digest, at the reading hour.
        Digest = "digest",
    }
}

/// How far ahead a reading hour is looked for, in days: every weekday twice, as a gap in the clock may take one.
const LOOK_AHEAD_DAYS: i64 = 15;

/// When the person wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TellingPolicy {
    /// The reading hour, local time.
    pub reading_time: Time,
    /// The days that have a reading hour; none means every day.
    pub days: Vec<Weekday>,
    /// The person's zone.
    pub zone: TimeZone,
    /// From when until when nothing that can wait is told; wraps over midnight where the end is before the start.
    pub quiet: Option<(Time, Time)>,
    /// Hold before a task is suggested, in hours after the telling.
    pub hold: Hold,
}

/// Hours between the telling of a no and the first task about it, by stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// After an application, a test, or an unknown stage.
    pub after_application: u16,
    /// After an interview.
    pub after_interview: u16,
    /// After the last round.
    pub after_final: u16,
}

impl Default for Hold {
    fn default() -> Hold {
        Hold { after_application: 0, after_interview: 24, after_final: 48 }
    }
}

impl TellingPolicy {
    /// Weekdays at ten in `zone`, no quiet hours, the usual holds.
    pub fn weekdays_at_ten(zone: TimeZone) -> TellingPolicy {
        use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        TellingPolicy {
            reading_time: Time::constant(10, 0, 0, 0),
            days: vec![Monday, Tuesday, Wednesday, Thursday, Friday],
            zone,
            quiet: None,
            hold: Hold::default(),
        }
    }
}

/// When an outcome is told and when its draft may be suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Telling {
    /// The person is told at this time, not before.
    pub tell_at: Timestamp,
    /// A draft or another task may be suggested from this time on; never before `tell_at`.
    pub draft_due_at: Timestamp,
}

/// How an outcome reaches the person. A guess at an interview, a test or an offer is told like a certain one: to be
/// late there costs more than a false alarm.
pub fn urgency(outcome: &Outcome) -> Urgency {
    match outcome.category {
        Category::Interview | Category::Assessment | Category::Offer => Urgency::Now,
        Category::Outreach => Urgency::Awake,
        Category::Rejection
        | Category::Acknowledgement
        | Category::OnHold
        | Category::Feedback
        | Category::JobAlert
        | Category::OtherJob
        | Category::Unrelated => Urgency::Digest,
    }
}

/// When an outcome detected at `detected_at` is told.
pub fn schedule(outcome: &Outcome, detected_at: Timestamp, policy: &TellingPolicy) -> Telling {
    let tell_at = match urgency(outcome) {
        // What was asked for is heard better after a day.
        Urgency::Digest if outcome.category == Category::Feedback => {
            next_reading(held(detected_at, policy.hold.after_interview, policy), policy)
        }
        Urgency::Now => detected_at,
        Urgency::Awake => end_of_quiet(detected_at, policy),
        Urgency::Digest => next_reading(detected_at, policy),
    };
    let hours = hold_hours(outcome, &policy.hold);
    let draft_due_at = if hours == 0 { tell_at } else { next_reading(held(tell_at, hours, policy), policy) };
    Telling { tell_at, draft_due_at: draft_due_at.max(tell_at) }
}

/// The hold that applies, in hours.
fn hold_hours(outcome: &Outcome, hold: &Hold) -> u16 {
    match (outcome.category, outcome.stage) {
        (Category::Rejection, Stage::AfterInterview) => hold.after_interview,
        (Category::Rejection, Stage::AfterFinal) => hold.after_final,
        (Category::Rejection, _) => hold.after_application,
        _ => 0,
    }
}

/// `hours` later. Whole days are days of the calendar: a clock change shall not push ten o'clock to the next day.
fn held(from: Timestamp, hours: u16, policy: &TellingPolicy) -> Timestamp {
    let span = Span::new().days(i64::from(hours.div_euclid(24))).hours(i64::from(hours.rem_euclid(24)));
    from.to_zoned(policy.zone.clone()).checked_add(span).map_or(from, |z| z.timestamp())
}

/// The first reading hour at or after `from`. Where a clock change skips it, it is the moment after the gap.
pub fn next_reading(from: Timestamp, policy: &TellingPolicy) -> Timestamp {
    let today = from.to_zoned(policy.zone.clone()).date();
    (0..LOOK_AHEAD_DAYS)
        .filter_map(|days| today.checked_add(Span::new().days(days)).ok())
        .filter(|date| policy.days.is_empty() || policy.days.contains(&date.weekday()))
        .filter_map(|date| date.to_datetime(policy.reading_time).to_zoned(policy.zone.clone()).ok())
        .map(|reading| reading.timestamp())
        .find(|reading| *reading >= from)
        .unwrap_or(from)
}

/// `from`, or the end of the quiet hours it falls into.
fn end_of_quiet(from: Timestamp, policy: &TellingPolicy) -> Timestamp {
    let Some((start, end)) = policy.quiet else { return from };
    let local: Zoned = from.to_zoned(policy.zone.clone());
    if !in_window(local.time(), start, end) {
        return from;
    }
    let end_on = |date: jiff::civil::Date| date.to_datetime(end).to_zoned(policy.zone.clone()).ok();
    let today = end_on(local.date()).map(|z| z.timestamp()).filter(|t| *t >= from && local.time() < end);
    let tomorrow = || local.date().tomorrow().ok().and_then(end_on).map(|z| z.timestamp());
    today.or_else(tomorrow).unwrap_or(from)
}

/// Whether a time of day lies in a window that may wrap over midnight; the end is outside, an empty window is empty.
fn in_window(time: Time, start: Time, end: Time) -> bool {
    if start <= end { (start..end).contains(&time) } else { time >= start || time < end }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::Reason;

    /// Zones with whole, half and quarter hours, both hemispheres, the date line, and zones without clock changes.
    const ZONES: [&str; 20] = [
        "UTC",
        "Europe/Berlin",
        "Europe/London",
        "Europe/Lisbon",
        "Europe/Moscow",
        "America/New_York",
        "America/Chicago",
        "America/Los_Angeles",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Africa/Cairo",
        "Africa/Lagos",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Asia/Tokyo",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Pacific/Auckland",
        "Pacific/Apia",
        "Pacific/Kiritimati",
    ];

    fn outcome(category: Category, stage: Stage) -> Outcome {
        Outcome {
            category,
            decided: true,
            stage,
            reason: Reason::None,
            employer: None,
            role: None,
            requisition_id: None,
            contact: None,
        }
    }

    fn policy(zone: &str) -> TellingPolicy {
        TellingPolicy::weekdays_at_ten(TimeZone::get(zone).unwrap())
    }

    fn at(zone: &str, local: &str) -> Timestamp {
        format!("{local}[{zone}]").parse::<Zoned>().unwrap().timestamp()
    }

    /// Told and due, as local times.
    fn told(category: Category, stage: Stage, local: &str, policy: &TellingPolicy, zone: &str) -> (String, String) {
        let telling = schedule(&outcome(category, stage), at(zone, local), policy);
        let show = |t: Timestamp| t.to_zoned(policy.zone.clone()).strftime("%a %Y-%m-%dT%H:%M").to_string();
        (show(telling.tell_at), show(telling.draft_due_at))
    }

    #[test]
    fn a_no_waits_for_the_reading_hour_and_the_draft_for_the_hold() {
        use Stage::{AfterApplication, AfterFinal, AfterInterview};
        let berlin = "Europe/Berlin";
        for (stage, detected, tell, due) in [
            (AfterApplication, "2026-11-18T09:59", "Wed 2026-11-18T10:00", "Wed 2026-11-18T10:00"),
            (AfterApplication, "2026-11-18T10:00", "Wed 2026-11-18T10:00", "Wed 2026-11-18T10:00"),
            (AfterApplication, "2026-11-18T10:01", "Thu 2026-11-19T10:00", "Thu 2026-11-19T10:00"),
            (AfterApplication, "2026-11-20T17:30", "Mon 2026-11-23T10:00", "Mon 2026-11-23T10:00"),
            (AfterInterview, "2026-11-17T23:59", "Wed 2026-11-18T10:00", "Thu 2026-11-19T10:00"),
            (AfterInterview, "2026-11-20T00:00", "Fri 2026-11-20T10:00", "Mon 2026-11-23T10:00"),
            (AfterFinal, "2026-11-18T00:01", "Wed 2026-11-18T10:00", "Fri 2026-11-20T10:00"),
            // The clock goes forward on 29 March and back on 25 October: ten o'clock stays ten o'clock.
            (AfterFinal, "2026-03-27T08:00", "Fri 2026-03-27T10:00", "Mon 2026-03-30T10:00"),
            (AfterFinal, "2026-10-23T08:00", "Fri 2026-10-23T10:00", "Mon 2026-10-26T10:00"),
            (AfterApplication, "2026-03-29T01:59", "Mon 2026-03-30T10:00", "Mon 2026-03-30T10:00"),
        ] {
            let got = told(Category::Rejection, stage, detected, &policy(berlin), berlin);
            assert_eq!(got, (tell.to_owned(), due.to_owned()), "{stage} {detected}");
        }
    }

    #[test]
    fn holds_across_a_clock_change_are_days_of_the_calendar() {
        let mut daily = policy("Europe/Berlin");
        daily.days = Vec::new();
        for (detected, due) in
            [("2026-03-28T10:00", "Sun 2026-03-29T10:00"), ("2026-10-24T10:00", "Sun 2026-10-25T10:00")]
        {
            let got = told(Category::Rejection, Stage::AfterInterview, detected, &daily, "Europe/Berlin");
            assert_eq!(got.1, due, "{detected}");
        }
    }

    #[test]
    fn a_reading_hour_that_the_clock_skips_is_the_moment_after() {
        let mut early = policy("Europe/Berlin");
        (early.reading_time, early.days) = (time(2, 30, 0, 0), Vec::new());
        let got = told(Category::Rejection, Stage::AfterApplication, "2026-03-29T00:10", &early, "Europe/Berlin");
        assert_eq!(got.0, "Sun 2026-03-29T03:30");
    }

    #[test]
    fn what_must_be_answered_is_told_at_once_and_outreach_when_awake() {
        let mut p = policy("America/New_York");
        p.quiet = Some((time(22, 0, 0, 0), time(7, 0, 0, 0)));
        let at_night = |category| told(category, Stage::Unknown, "2026-11-21T23:15", &p, "America/New_York").0;
        for category in [Category::Interview, Category::Assessment, Category::Offer] {
            assert_eq!(at_night(category), "Sat 2026-11-21T23:15", "{category}");
        }
        for (detected, tell) in [
            ("2026-11-21T21:59", "Sat 2026-11-21T21:59"),
            ("2026-11-21T22:00", "Sun 2026-11-22T07:00"),
            ("2026-11-22T00:00", "Sun 2026-11-22T07:00"),
            ("2026-11-22T06:59", "Sun 2026-11-22T07:00"),
            ("2026-11-22T07:00", "Sun 2026-11-22T07:00"),
        ] {
            let got = told(Category::Outreach, Stage::Unknown, detected, &p, "America/New_York").0;
            assert_eq!(got, tell, "{detected}");
        }
    }

    proptest! {
        #[test]
        fn a_no_is_never_told_outside_the_reading_hour(
            zone in 0..ZONES.len(),
            second in 1_700_000_000_i64..1_900_000_000,
            stage in 0..Stage::ALL.len(),
            hour in 0_i8..24,
            days in proptest::collection::vec(0_i8..7, 0..4),
        ) {
            let mut p = policy(ZONES[zone]);
            p.reading_time = time(hour, 0, 0, 0);
            p.days = days.iter().map(|d| Weekday::from_monday_zero_offset(*d).unwrap()).collect();
            let detected = Timestamp::from_second(second).unwrap();
            let telling = schedule(&outcome(Category::Rejection, Stage::ALL[stage]), detected, &p);
            for moment in [telling.tell_at, telling.draft_due_at] {
                let local = moment.to_zoned(p.zone.clone());
                prop_assert!(moment >= detected);
                prop_assert!(p.days.is_empty() || p.days.contains(&local.weekday()), "{local}");
                // Within the hour, and never before it: only a clock change moves it, by its own size.
                let expected = local.date().to_datetime(p.reading_time).to_zoned(p.zone.clone()).unwrap();
                prop_assert_eq!(moment, expected.timestamp());
            }
            prop_assert!(telling.draft_due_at >= telling.tell_at);
            let hold = i64::from(hold_hours(&outcome(Category::Rejection, Stage::ALL[stage]), &p.hold));
            let held = (telling.draft_due_at.as_second() - telling.tell_at.as_second()) / 3600;
            prop_assert!(held >= hold - 2, "held {held} of {hold}");
        }
    }
}
