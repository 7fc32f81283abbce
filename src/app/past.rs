//! What the log knows around a no, as values for the reply: the thread, the employer's history, how much was drafted.
//!
//! It asks the store and sorts; what follows from it is the core's to say.

use jiff::{SignedDuration, Timestamp};

use super::kit::Kit;
use crate::{
    draft::DraftState,
    io::store::{EmployerHistory, EmployerOutcome, Store, StoreError, ThreadMail},
    message::{Address, Message},
    outcome::{Category, Outcome, employer_key},
    reply::{Caps, DraftKind, Drafted, History, Interview},
};

/// How long an invitation or acknowledgement counts as a process that is under way.
const LIVE_FOR: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How far back a process reaches: from the application to the no.
const PROCESS_REACH: SignedDuration = SignedDuration::from_hours(180 * 24);

/// What is known of the employer of an outcome; `None` where it has no name.
pub fn of_employer(store: &Store, kit: &Kit, outcome: &Outcome, now: Timestamp) -> Result<Past, StoreError> {
    let Some(key) = outcome.employer.as_deref().map(employer_key).filter(|key| !key.is_empty()) else {
        return Ok(Past::default());
    };
    let ask_again = now.checked_sub(kit.policy.caps().ask_again_after()).unwrap_or(Timestamp::UNIX_EPOCH);
    let since = ask_again.min(now - PROCESS_REACH);
    Ok(Past { known: Some(store.history_for_employer(&key, since)?), ask_again })
}

/// The past of an employer.
#[derive(Default)]
pub struct Past {
    known: Option<EmployerHistory>,
    ask_again: Timestamp,
}

impl Past {
    /// What the policy asks of it, for the reply to `message`.
    pub fn history(&self, message: &Message, outcome: &Outcome, now: Timestamp) -> History {
        let Some(known) = &self.known else { return History::default() };
        let asks = |state: DraftState| state.is_out() || matches!(state, DraftState::Pending | DraftState::Approved);
        let asked = known.replies.iter().any(|reply| {
            reply.kind == DraftKind::FeedbackRequest
                && asks(reply.state)
                && reply.at >= self.ask_again
                // The draft for this very mail is the one that is made anew.
                && reply.answers_hash != Some(message.hash)
        });
        let live = |o: &EmployerOutcome| {
            matches!(o.category, Category::Interview | Category::Assessment | Category::Acknowledgement)
                && o.at >= now - LIVE_FOR
                && other_role(&o.role, &outcome.role)
        };
        let same_role = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        };
        let closed = |o: &EmployerOutcome| {
            let mut noes = known.outcomes.iter().filter(|no| no.category == Category::Rejection && no.at >= o.at);
            noes.any(|no| same_role(&no.role, &o.role))
        };
        History {
            asked_recently: asked,
            live_process: known.outcomes.iter().any(|o| live(o) && !closed(o)),
            answered: false,
        }
    }

    /// Mails that belong to the process which a no that arrived at `at` ends: after an earlier no, and not about another
    /// role. None where several roles might be meant.
    fn process(&self, outcome: &Outcome, at: Timestamp) -> Vec<&EmployerOutcome> {
        let outcomes = self.known.iter().flat_map(|known| &known.outcomes);
        let mut mails: Vec<&EmployerOutcome> =
            outcomes.filter(|o| o.at < at && !other_role(&o.role, &outcome.role)).collect();
        let ended = mails.iter().filter(|o| o.category == Category::Rejection).map(|o| o.at).max();
        mails.retain(|o| ended.is_none_or(|ended| o.at > ended));
        let roles: Vec<&Option<String>> = mails.iter().map(|o| &o.role).collect();
        let several = roles.iter().any(|a| roles.iter().any(|b| other_role(a, b)));
        if several { Vec::new() } else { mails }
    }

    /// What may have set, moved or ended a conversation in this process.
    pub fn interviews(&self, outcome: &Outcome, at: Timestamp) -> Vec<Interview> {
        let process = self.process(outcome, at);
        let said = process.iter().filter_map(|o| match (o.category, o.decided) {
            (Category::Interview, true) => Some(Interview { at: o.at, dates: o.dates.clone() }),
            // Nobody can tell what these did to a conversation that was set.
            (Category::OnHold | Category::OtherJob, _) | (_, false) => Some(Interview { at: o.at, dates: Vec::new() }),
            _ => None,
        });
        said.collect()
    }

    /// People who wrote in this process, the latest first. At a free mail provider nobody is anybody's colleague.
    pub fn people(&self, kit: &Kit, outcome: &Outcome, at: Timestamp, thread: &[ThreadMail]) -> Vec<Address> {
        let free = kit.rules.list("freemail-domains");
        let wrote = |mail: &ThreadMail| Address { name: mail.from_name.clone(), email: mail.from_addr.clone() };
        let of_thread = thread.iter().filter(|mail| !mail.noreply && mail.date <= at).map(|m| (m.date, wrote(m)));
        let of_process = self.process(outcome, at).into_iter().filter_map(|o| Some((o.at, o.from.clone()?)));
        let mut all: Vec<(Timestamp, Address)> = of_thread.chain(of_process).collect();
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        all.into_iter().map(|(_, who)| who).filter(|who| !free.iter().any(|domain| domain == who.domain())).collect()
    }
}

/// Whether two roles are certainly not the same: the same vacancy is often written shorter in one of the mails.
fn other_role(a: &Option<String>, b: &Option<String>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            let (a, b) = (employer_key(a), employer_key(b));
            !a.contains(&b) && !b.contains(&a)
        }
        _ => false,
    }
}

/// What was drafted lately to this address and in this thread, the reply to `message` itself left aside.
pub fn drafted(
    store: &Store,
    message: &Message,
    to: Option<&str>,
    thread: &[ThreadMail],
    at: Timestamp,
) -> Result<Drafted, StoreError> {
    let since = at.checked_sub(Caps::WEEK).unwrap_or(Timestamp::UNIX_EPOCH);
    let to_sender = to.map(|to| store.drafts_to(to, since, &message.hash)).transpose()?.unwrap_or_default();
    let lately = |mail: &&ThreadMail| at.duration_since(mail.date).abs() < Caps::DAY;
    let has_draft = |mail: &&ThreadMail| mail.draft.is_some_and(|state| state != DraftState::Withdrawn);
    let in_thread = thread.iter().filter(lately).filter(has_draft).count();
    Ok(Drafted { to_sender, in_thread: u32::try_from(in_thread).unwrap_or(u32::MAX) })
}

/// Other mails of the thread, oldest first. An answer to a reply of ours belongs to the thread of what we answered.
pub fn thread(store: &Store, message: &Message) -> Result<Vec<ThreadMail>, StoreError> {
    let mut references = message.references.clone();
    references.extend(message.in_reply_to.clone());
    let mut answered = Vec::new();
    for id in &references {
        if let Some(draft) = store.draft_by_message_id(id.as_str())? {
            answered.extend(store.draft(draft)?.answers.and_then(|id| crate::message::MessageId::new(&id)));
        }
    }
    references.extend(answered);
    store.thread(message.id.as_ref(), &references)
}
