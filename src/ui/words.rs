//! The words for outcomes that the person reads: "a no after the interview", never "rejected".

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    classify::Ask,
    draft::DraftState,
    outcome::{Category, Outcome, Reason, Stage},
    reply::{DraftKind, NoDraft},
};

/// What an outcome is, in a few words.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome.category {
        other if !outcome.decided => format!("perhaps {}", category(other)),
        Category::Rejection => no(outcome.stage).to_owned(),
        other => category(other).to_owned(),
    }
}

/// A category, in a few words.
pub fn category(category: Category) -> &'static str {
    match category {
        Category::Rejection => "a no",
        Category::Offer => "an offer",
        Category::Interview => "an interview",
        Category::Assessment => "a test to take",
        Category::Acknowledgement => "received",
        Category::OnHold => "on hold",
        Category::Feedback => "feedback",
        Category::Outreach => "somebody wrote first",
        Category::JobAlert => "a job alert",
        Category::OtherJob => "other job mail",
        Category::Unrelated => "not about a job",
    }
}

/// A no at that stage.
pub fn no(stage: Stage) -> &'static str {
    match stage {
        Stage::AfterApplication => "a no after the application",
        Stage::AfterAssessment => "a no after the test",
        Stage::AfterInterview => "a no after the interview",
        Stage::AfterFinal => "a no after the final round",
        Stage::Unknown => "a no",
    }
}

/// The reason given, as the end of "they say: …"; `None` when none is given.
pub fn reason(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::OtherCandidate => Some("somebody else was chosen"),
        Reason::InternalHire => Some("somebody from inside got it"),
        Reason::SkillsGap => Some("other skills were wanted"),
        Reason::Experience => Some("other experience was wanted"),
        Reason::PositionClosed => Some("the position is gone"),
        Reason::LocationVisa => Some("place of work or work permit"),
        Reason::Salary => Some("pay expectations"),
        Reason::CultureFit => Some("fit with the team"),
        Reason::Volume => Some("many applied"),
        Reason::None => None,
    }
}

/// Who and what for: `Larkfield · Data Analyst`.
pub fn subject_of(outcome: &Outcome) -> String {
    match (&outcome.employer, &outcome.role) {
        (Some(employer), Some(role)) => format!("{employer} · {role}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "(no employer named)".to_owned(),
    }
}

/// What a draft is.
pub fn draft_kind(kind: DraftKind) -> &'static str {
    match kind {
        DraftKind::ThankYou => "thank-you",
        DraftKind::FeedbackRequest => "thanks and one question",
        DraftKind::FollowUp => "a question how things stand",
        DraftKind::KeepInTouch => "a sign of life",
    }
}

/// Where a draft stands.
pub fn draft_state(state: DraftState) -> &'static str {
    match state {
        DraftState::Pending => "waits for you",
        DraftState::Approved => "approved, not delivered yet",
        DraftState::Sending => "being sent",
        DraftState::Placed => "in your Drafts mailbox",
        DraftState::Sent => "sent",
        DraftState::Failed => "refused by a server, or came back",
        DraftState::Unconfirmed => "perhaps sent: you decide (`onward draft resolve`)",
        DraftState::Discarded => "discarded",
        DraftState::Withdrawn => "withdrawn: a later mail or correction made it pointless",
    }
}

/// Why a no has no draft.
pub fn no_draft(why: NoDraft) -> &'static str {
    match why {
        NoDraft::OldNews => "it came too long ago for an answer",
        NoDraft::SenderCap => "this address has had as many drafts as a week may bring",
        NoDraft::Answered => "you answered it yourself",
        NoDraft::Unused => "the last ten drafts went unused (`onward draft write` writes one)",
        NoDraft::ThreadCap => "this thread has had its draft for the day",
    }
}

/// What is said beside a mail that lies in Junk.
pub const JUNK_CAUTION: &str = "Your provider took it for spam. Real invitations land there, and frauds that look like \
                                them: check who it is from, and move it to the inbox if it is real.";

/// Why a mail is not decided.
pub fn because(ask: Ask) -> &'static str {
    match ask {
        Ask::NoAnchor => "only weak evidence for a final outcome",
        Ask::LowScore => "too little evidence",
        Ask::NarrowMargin => "two readings are too close",
        Ask::Conflict => "it states two outcomes that exclude each other",
        Ask::NotJobMail => "nothing says that it is about an application",
        Ask::UnknownKind => "it looks like job mail, but says nothing the rules know",
        Ask::Truncated => "the text goes on beyond what was read",
        Ask::NoText => "there is no text to judge",
        Ask::Forwarded => "it is a mail passed on",
        Ask::UnknownLanguage => "no rules for its language",
        Ask::BayesDisagrees => "the words of the mails you labelled speak against it",
        Ask::DoubtfulSender => "the sender may not be who it claims to be",
        Ask::DoubtfulRequest => {
            "it asks for what no employer asks for by mail: money, bank data, papers, another channel"
        }
        Ask::DoubtfulLink => "a link leads elsewhere than it shows",
        Ask::InJunk => "a stranger wrote it and it lies in Junk: fraud often looks like this, so check who it is from",
    }
}

/// A number of things: `1 mail`, `2 mails`.
pub fn counted(n: impl TryInto<u64>, thing: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// A moment in the person's zone: `Mon 16 Nov 2026 10:00`.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %e %b %Y %H:%M").to_string().replace("  ", " ")
}

/// A day in the person's zone: `16 Nov`.
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%e %b").to_string()
}

/// How long ago: `just now`, `5 minutes ago`, `3 days ago`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    let (n, unit) = match seconds {
        0..90 => return "just now".to_owned(),
        90..5_400 => (seconds / 60, "minute"),
        5_400..129_600 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{} ago", counted(n, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_never_called_a_rejection() {
        for stage in Stage::ALL {
            assert!(!no(*stage).contains("reject"));
        }
        for c in Category::ALL {
            assert!(!category(*c).contains("reject"));
        }
    }

    #[test]
    fn time_is_told_in_round_units() {
        let now: Timestamp = "2026-11-16T10:00:00Z".parse().unwrap();
        for (seconds, said) in
            [(10, "just now"), (300, "5 minutes ago"), (7_200, "2 hours ago"), (200_000, "2 days ago")]
        {
            assert_eq!(ago(now - jiff::SignedDuration::from_secs(seconds), now), said);
        }
    }
}
