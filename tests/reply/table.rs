//! The table of replies as it was decided, written down by hand: every signal, stage and sender, with the draft and the
//! one who gets it. What the program's own table says is compared with this one, cell by cell.

use onward::{
    outcome::{Reason, Stage},
    reply::{DraftKind, SenderKind},
};

use super::{Case, address, text, thread_mail};

/// What a mail or the log says besides stage and sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    None,
    AskedRecently,
    LiveProcess,
    NoFeedback,
    OffersFeedback,
    PositionClosed,
    InternalHire,
}

/// Who gets the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Sender,
    /// The human who wrote earlier in the thread.
    Human,
    Nobody,
}

use DraftKind::{FeedbackRequest as Ask, ThankYou as Thanks};
use SenderKind::{Agency, Human, NoReply, Relay};
use Signal::{AskedRecently, InternalHire, LiveProcess, NoFeedback, OffersFeedback, PositionClosed};
use Stage::{AfterApplication, AfterAssessment, AfterFinal, AfterInterview, Unknown};

const EARLY: &[Stage] = &[AfterApplication, Unknown];
const LATE: &[Stage] = &[AfterAssessment, AfterInterview, AfterFinal];
const ANY: &[Stage] = &[AfterApplication, AfterAssessment, AfterInterview, AfterFinal, Unknown];
const MACHINE: &[SenderKind] = &[Relay, NoReply];
const READER: &[SenderKind] = &[Human, Agency];

type Line = (Signal, &'static [Stage], &'static [SenderKind], Option<bool>, DraftKind, To);

/// Signal, stages, senders, whether a human wrote in the thread (`None`: either way), draft, recipient.
const EXPECTED: &[Line] = &[
    // Asked lately, or another process is open: thanks alone.
    (AskedRecently, ANY, READER, None, Thanks, To::Sender),
    (AskedRecently, ANY, MACHINE, None, Thanks, To::Nobody),
    (LiveProcess, ANY, READER, None, Thanks, To::Sender),
    (LiveProcess, ANY, MACHINE, None, Thanks, To::Nobody),
    // They give no feedback: thanks, never a question.
    (NoFeedback, ANY, READER, None, Thanks, To::Sender),
    (NoFeedback, ANY, MACHINE, None, Thanks, To::Nobody),
    // They offer it: the offer is taken.
    (OffersFeedback, ANY, READER, None, Ask, To::Sender),
    (OffersFeedback, ANY, MACHINE, None, Ask, To::Nobody),
    // Nobody was preferred: thanks that leave the door open.
    (PositionClosed, ANY, READER, None, Thanks, To::Sender),
    (PositionClosed, ANY, MACHINE, None, Thanks, To::Nobody),
    (InternalHire, ANY, READER, None, Thanks, To::Sender),
    (InternalHire, ANY, MACHINE, None, Thanks, To::Nobody),
    // A human after a conversation or a test: one question.
    (Signal::None, LATE, &[Human], None, Ask, To::Sender),
    // A machine, but a human wrote before: the question goes to them.
    (Signal::None, LATE, MACHINE, Some(true), Ask, To::Human),
    (Signal::None, LATE, MACHINE, Some(false), Thanks, To::Nobody),
    // An agency: thanks, and what the client saw.
    (Signal::None, ANY, &[Agency], None, Thanks, To::Sender),
    // A human after the application alone: short thanks.
    (Signal::None, EARLY, &[Human], None, Thanks, To::Sender),
    (Signal::None, EARLY, MACHINE, None, Thanks, To::Nobody),
];

#[test]
fn every_cell_of_the_table_is_what_was_decided() {
    let signals = [Signal::None, AskedRecently, LiveProcess, NoFeedback, OffersFeedback, PositionClosed, InternalHire];
    let mut cells = 0;
    for signal in signals {
        for (stage, sender) in Stage::ALL.iter().flat_map(|st| SenderKind::ALL.iter().map(move |se| (*st, *se))) {
            for human in [false, true] {
                let fits = |line: &&Line| {
                    let (of, stages, senders, in_thread, ..) = line;
                    *of == signal
                        && stages.contains(&stage)
                        && senders.contains(&sender)
                        && in_thread.is_none_or(|wanted| wanted == human)
                };
                let lines: Vec<&Line> = EXPECTED.iter().filter(fits).collect();
                let [(.., kind, to)] = lines.as_slice() else { panic!("{signal:?} {stage} {sender}: {lines:?}") };
                let mut case = Case::new().sent_by(sender).stage(stage);
                match signal {
                    Signal::None => {}
                    AskedRecently => case.history.asked_recently = true,
                    LiveProcess => case.history.live_process = true,
                    NoFeedback => case.facts.no_feedback = true,
                    OffersFeedback => case.facts.offers_feedback = true,
                    PositionClosed => case.outcome.reason = Reason::PositionClosed,
                    InternalHire => case.outcome.reason = Reason::InternalHire,
                }
                if human {
                    case.thread = vec![thread_mail(1, address("Ben Ito", "ben@kestrel.example"), true)];
                }
                let recipient = match to {
                    To::Sender => Some(case.message.from[0].email.as_str()),
                    To::Human => Some("ben@kestrel.example"),
                    To::Nobody => None,
                };
                let draft = case.propose();
                let what = format!("{signal:?} {stage} {sender} {human}: row {}", draft.row);
                assert_eq!((draft.kind, draft.envelope.to.as_deref()), (*kind, recipient), "{what}");
                assert_eq!(draft.approvable(), recipient.is_some(), "{what}: {:?}", draft.cautions);
                let asks = text(&draft).contains('?');
                assert!(
                    asks == (*kind == Ask) || (sender == Agency && signal == Signal::None),
                    "{what}: {}",
                    text(&draft)
                );
                assert!(!draft.row.is_empty() && draft.row != "otherwise", "{what}");
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 7 * 5 * 4 * 2);
}
