//! From raw bytes to one committed transaction: parse, classify, compose, store.
//!
//! This is the one path for IMAP, Maildir, `import` and `demo`. It asks the log what it knows, hands values to the
//! core, and commits what comes back. It must not decide what a mail means nor what a reply says.

use jiff::{SignedDuration, Timestamp};

use super::{
    facts::{self, AtHand},
    junk,
    kit::Kit,
};
use crate::{
    classify::{Classification, classify_with},
    io::store::{self, Committed, Ingest, NewOutcome, Store, StoreError},
    learn::Learned,
    message::{Address, Fetched, Message, MessageId},
    note::{Note, NoteContext, choose},
    outcome::{Category, Origin, Outcome, Stage, employer_key},
    reply::{DraftKind, History, NotProposed, ProposedDraft, ReplyContext, ThreadMail, propose, propose_in},
    sync::Cursor,
};

/// How long after an ask the same employer is not asked again (`experience.md` §2).
pub const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(180 * 24);
/// How long an invitation or acknowledgement counts as a process that is under way.
const LIVE_FOR: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How far back a mail may take back an earlier one ("sent in error").
const RETRACTION_REACH: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How far back the use of notes is looked at: the longest rest of a note, with room.
const NOTE_MEMORY: SignedDuration = SignedDuration::from_hours(120 * 24);
/// What counts as recent for "several late noes": notes get shorter then.
const LATE_STAGE_WINDOW: SignedDuration = SignedDuration::from_hours(10 * 24);

/// A message as it came from a mailbox or a file.
#[derive(Clone, Copy)]
pub struct Arrived<'a> {
    /// The account's name.
    pub account: &'a str,
    /// The mailbox, or what an import calls its source.
    pub mailbox: &'a str,
    /// Whether that is where the provider puts what it takes for spam.
    pub in_junk: bool,
    /// UIDVALIDITY; 0 where there is none.
    pub uid_validity: u32,
    /// UID; `None` for files.
    pub uid: Option<u32>,
    /// INTERNALDATE, or for files the best date known.
    pub internal_date: Timestamp,
    /// Size in octets as the server says.
    pub size: u64,
    /// Whether `bytes` is only the beginning.
    pub truncated: bool,
    /// The octets.
    pub bytes: &'a [u8],
}

/// What became of a message, for progress and logs: numbers and words, no text of the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// Whether it was stored, or met before.
    pub committed: Committed,
    /// The verdict's category and whether it was decided; `None` for a message met before.
    pub verdict: Option<(Category, bool)>,
}

/// A message that was read and judged, and not stored: all that needs no log.
pub struct Judged {
    message: Message,
    classification: Classification,
}

/// Reads and judges a message.
pub fn judge(kit: &Kit, learned: &Learned, arrived: &Arrived<'_>) -> Judged {
    let message = Message::parse(arrived.bytes, Fetched::of(arrived.truncated));
    let verdict = classify_with(&kit.rules, &message, learned);
    // The log keeps no sentence of a mail that is none of its business, and memory none while the batch is judged.
    let classification = if is_nothing(&verdict) { verdict.without_text() } else { verdict };
    Judged { message, classification }
}

/// Whether a verdict says that the mail is nothing to log.
fn is_nothing(verdict: &Classification) -> bool {
    verdict.category == Category::Unrelated && verdict.decided
}

/// Judges a message and stores everything that follows from it together with the cursor.
pub fn ingest(
    store: &mut Store,
    kit: &Kit,
    arrived: &Arrived<'_>,
    cursor: Option<Cursor>,
    now: Timestamp,
) -> Result<Ingested, StoreError> {
    let learned = kit.learned(store)?;
    file(store, kit, arrived, judge(kit, &learned, arrived), cursor, now)
}

/// Stores a judged message and everything that follows from it together with the cursor.
pub fn file(
    store: &mut Store,
    kit: &Kit,
    arrived: &Arrived<'_>,
    judged: Judged,
    cursor: Option<Cursor>,
    now: Timestamp,
) -> Result<Ingested, StoreError> {
    let Judged { message, classification } = judged;
    let thread = thread(store, &message)?;
    let (classification, nothing) = if arrived.in_junk {
        match junk::judged(classification.clone(), !thread.is_empty()) {
            Some(verdict) => (verdict, false),
            None => (classification.without_text(), true),
        }
    } else {
        (classification, false)
    };
    let verdict = Some((classification.category, classification.decided));
    let base = Ingest {
        account: arrived.account,
        mailbox: arrived.mailbox,
        uid_validity: arrived.uid_validity,
        uid: arrived.uid,
        internal_date: arrived.internal_date,
        size: arrived.size,
        message: &message,
        raw: arrived.bytes,
        classification: &classification,
        outcome: None,
        supersedes: None,
        draft: None,
        note: None,
        now,
    };
    if store.known(arrived.account, message.id.as_ref(), &message.hash)?.is_some() || is_ours(store, &message)? {
        return Ok(Ingested { committed: store.commit(&base, cursor)?, verdict: None });
    }
    if nothing || is_nothing(&classification) {
        return Ok(Ingested { committed: store.commit(&base, cursor)?, verdict });
    }
    let outcome = with_stage_of_thread(classification.outcome(), &thread);
    let told = crate::telling::schedule(&outcome, now, &kit.telling);
    let supersedes = retracted(store, &message, &classification, &outcome, &thread, now)?;
    // Not the moment of reading: old mail that is read today is old news, and is counted as such.
    let detected_at = arrived.internal_date.min(now);
    let response = respond(store, kit, &message, &classification, &outcome, &thread, (detected_at, now))?;
    let new = NewOutcome {
        outcome: &outcome,
        origin: Origin::Rules,
        detected_at,
        tell_at: Some(told.tell_at),
        draft_due_at: response.draft.as_ref().map(|_| told.draft_due_at),
    };
    let ingest =
        Ingest { outcome: Some(new), supersedes, draft: response.draft.as_ref(), note: response.note.as_ref(), ..base };
    Ok(Ingested { committed: store.commit(&ingest, cursor)?, verdict })
}

/// A draft and a note for a decided no; nothing for anything else.
#[derive(Debug, Default)]
pub struct Response {
    /// The reply.
    pub draft: Option<ProposedDraft>,
    /// The note.
    pub note: Option<Note>,
}

/// What Onward has to say to an outcome that arrived `at`, from the mail and what the log knows `now`.
pub fn respond(
    store: &Store,
    kit: &Kit,
    message: &Message,
    classification: &Classification,
    outcome: &Outcome,
    thread: &[store::ThreadMail],
    (at, now): (Timestamp, Timestamp),
) -> Result<Response, StoreError> {
    if outcome.category != Category::Rejection || !outcome.decided {
        return Ok(Response::default());
    }
    let draft = if kit.drafts {
        draft(store, kit, message, classification, outcome, thread, Wording::default(), now)?
    } else {
        None
    };
    let at_hand = AtHand { message, outcome, at };
    Ok(Response { draft, note: note(store, kit, at_hand, classification, now)? })
}

/// Which wording of a reply is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wording<'a> {
    /// ISO 639-1; `None` for the language of the mail.
    pub language: Option<&'a str>,
    /// 0 for the first choice, counted up for others.
    pub variant: u32,
}

/// The reply to a no.
#[expect(clippy::too_many_arguments, reason = "each is one fact the reply depends on; a struct would only rename them")]
pub fn draft(
    store: &Store,
    kit: &Kit,
    message: &Message,
    classification: &Classification,
    outcome: &Outcome,
    thread: &[store::ThreadMail],
    wording: Wording<'_>,
    now: Timestamp,
) -> Result<Option<ProposedDraft>, StoreError> {
    let seed = uuid::Uuid::new_v4().to_string();
    let thread: Vec<ThreadMail> = thread.iter().filter_map(for_reply).collect();
    let context = ReplyContext {
        message: message.unwrapped(),
        facts: &classification.facts,
        outcome,
        identities: &kit.identities,
        thread: &thread,
        history: history(store, outcome, now)?,
        now: &now.to_zoned(kit.telling.zone.clone()),
        message_id_seed: &seed,
        variant: wording.variant,
    };
    let proposed = match wording.language {
        Some(language) => propose_in(&kit.policy, &kit.templates, &context, language),
        None => propose(&kit.policy, &kit.templates, &context),
    };
    match proposed {
        Ok(draft) => Ok(Some(draft)),
        Err(error @ (NotProposed::NoIdentity | NotProposed::Seed | NotProposed::NotComposed(_))) => {
            tracing::warn!(%error, "No draft was made.");
            Ok(None)
        }
    }
}

/// Other mails of the thread, oldest first.
pub fn thread(store: &Store, message: &Message) -> Result<Vec<store::ThreadMail>, StoreError> {
    let mut references = message.references.clone();
    references.extend(message.in_reply_to.clone());
    store.thread(message.id.as_ref(), &references)
}

/// A mail that Onward itself composed and that came back, e.g. a copy to oneself: it is no news.
fn is_ours(store: &Store, message: &Message) -> Result<bool, StoreError> {
    match &message.id {
        Some(id) => Ok(store.draft_by_message_id(id.as_str())?.is_some()),
        None => Ok(false),
    }
}

/// The stage a no has by its thread, where its own text says nothing better: a form letter after an interview is a no
/// after an interview.
fn with_stage_of_thread(outcome: Outcome, thread: &[store::ThreadMail]) -> Outcome {
    if outcome.category != Category::Rejection || !matches!(outcome.stage, Stage::Unknown | Stage::AfterApplication) {
        return outcome;
    }
    let met = |category| thread.iter().any(|mail| mail.decided && mail.category == Some(category));
    let stage = if met(Category::Interview) {
        Stage::AfterInterview
    } else if met(Category::Assessment) {
        Stage::AfterAssessment
    } else {
        outcome.stage
    };
    Outcome { stage, ..outcome }
}

/// The earlier no that this mail takes back, if it does: in the same thread, else the employer's last one.
fn retracted(
    store: &Store,
    message: &Message,
    classification: &Classification,
    outcome: &Outcome,
    thread: &[store::ThreadMail],
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    if !classification.facts.retracts || outcome.category == Category::Rejection {
        return Ok(None);
    }
    let in_thread = thread.iter().rev().filter(|mail| mail.category == Some(Category::Rejection));
    for outcome in in_thread.filter_map(|mail| mail.outcome) {
        // One that another mail or the person took back already is not taken back once more.
        if store.item(outcome)?.row.outcome.category == Category::Rejection {
            return Ok(Some(outcome));
        }
    }
    let Some(key) = outcome.employer.as_deref().map(employer_key).filter(|key| !key.is_empty()) else {
        return Ok(None);
    };
    let said = message.date.unwrap_or(now).min(now);
    let since = said.checked_sub(RETRACTION_REACH).unwrap_or(Timestamp::UNIX_EPOCH);
    let history = store.history_for_employer(&key, since)?;
    Ok(history.outcomes.iter().rev().find(|o| o.category == Category::Rejection).map(|o| o.outcome))
}

/// What the log knows about the employer.
fn history(store: &Store, outcome: &Outcome, now: Timestamp) -> Result<History, StoreError> {
    let Some(key) = outcome.employer.as_deref().map(employer_key).filter(|key| !key.is_empty()) else {
        return Ok(History::default());
    };
    let known = store.history_for_employer(&key, now - ASK_AGAIN_AFTER)?;
    let other_role = |role: &Option<String>| match (role, &outcome.role) {
        // The same vacancy is often written shorter in one of the mails.
        (Some(a), Some(b)) => {
            let (a, b) = (employer_key(a), employer_key(b));
            !a.contains(&b) && !b.contains(&a)
        }
        _ => false,
    };
    let live = |o: &store::EmployerOutcome| {
        matches!(o.category, Category::Interview | Category::Assessment | Category::Acknowledgement)
            && o.at >= now - LIVE_FOR
            && other_role(&o.role)
    };
    let same_role = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    };
    let closed = |o: &store::EmployerOutcome| {
        let noes = known.outcomes.iter().filter(|no| no.category == Category::Rejection && no.at >= o.at);
        noes.into_iter().any(|no| same_role(&no.role, &o.role))
    };
    Ok(History {
        asked_recently: known.replies.iter().any(|r| r.kind == DraftKind::FeedbackRequest && r.state.is_out()),
        live_process: known.outcomes.iter().any(|o| live(o) && !closed(o)),
        answered: false,
    })
}

/// The note for a no; `None` where no text fits.
fn note(
    store: &Store,
    kit: &Kit,
    at_hand: AtHand<'_>,
    classification: &Classification,
    now: Timestamp,
) -> Result<Option<Note>, StoreError> {
    let Some(language) = kit.note_language(&classification.facts.language) else { return Ok(None) };
    let usage = store.note_usage(now - NOTE_MEMORY)?;
    let facts = facts::note_facts(store, at_hand, classification.facts.applicants, &usage)?;
    let AtHand { message, outcome, .. } = at_hand;
    let used: Vec<(String, Timestamp)> = usage.into_iter().map(|u| (u.template, u.at)).collect();
    Ok(choose(
        &kit.notes,
        &NoteContext {
            stage: outcome.stage,
            employer: outcome.employer.as_deref(),
            language,
            facts: &facts,
            next: None,
            used: &used,
            now,
            late_stage_recent: facts::late_stage_noes(store, now - LATE_STAGE_WINDOW, at_hand)?,
            seed: &message.hash,
        },
    ))
}

/// A mail of the thread as the reply half sees it.
fn for_reply(mail: &store::ThreadMail) -> Option<ThreadMail> {
    let id = MessageId::new(mail.message_id.as_deref()?)?;
    Some(ThreadMail {
        message_id: id,
        from: Address { name: mail.from_name.clone(), email: mail.from_addr.clone() },
        subject: mail.subject.clone(),
        date: mail.date,
        human: !mail.noreply,
        references: mail.references.iter().filter_map(|id| MessageId::new(id)).collect(),
    })
}
