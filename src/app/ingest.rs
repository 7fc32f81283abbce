//! From raw bytes to one committed transaction: parse, classify, compose, store.
//!
//! This is the one path for IMAP, Maildir, `import` and `demo`. It asks the log what it knows, hands values to the
//! core, and commits what comes back. It must not decide what a mail means nor what a reply says.

use jiff::{SignedDuration, Timestamp};

use super::{
    facts::{self, AtHand},
    junk,
    kit::Kit,
    past,
};
use crate::{
    classify::{Classification, classify_with},
    io::store::{self, Committed, Ingest, NewOutcome, Store, StoreError},
    learn::Learned,
    message::{Address, Fetched, Message, MessageId},
    note::{Note, NoteContext, choose},
    outcome::{Category, Origin, Outcome, Stage, employer_key},
    reply::{
        Caution, DraftKind, NoDraft, NotProposed, ProposedDraft, Relays, ReplyContext, ThreadMail,
        habit::{self, UNUSED_MAX},
        propose, propose_in, propose_later, suspicion,
        suspicion::asks,
    },
    sync::Cursor,
};

/// How far back a mail may take back an earlier one ("sent in error").
const RETRACTION_REACH: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long an answer to a question is waited for from the person who was asked, outside of its thread.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_hours(90 * 24);
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
    // Somebody the person is in conversation with is no stranger in Junk either.
    let (classification, nothing) = match arrived.in_junk {
        true => {
            let known = !past::thread(store, &message)?.is_empty();
            match junk::judged(classification.clone(), known) {
                Some(verdict) => (verdict, false),
                None => (classification.without_text(), true),
            }
        }
        false => (classification, false),
    };
    let warnings = if nothing || is_nothing(&classification) {
        Vec::new()
    } else {
        warnings(kit, arrived.account, &message, &classification)
    };
    let classification = doubted(classification, &warnings, &message);
    let verdict = Some((classification.category, classification.decided));
    let returned = returned(store, &message)?;
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
        no_draft: None,
        note: None,
        bounced: returned.as_ref().map(|(draft, reason)| (*draft, reason.as_str())),
        now,
    };
    if store.known(arrived.account, message.id.as_ref(), &message.hash)?.is_some() || is_ours(store, &message)? {
        return Ok(Ingested { committed: store.commit(&base, cursor)?, verdict: None });
    }
    let question = question_answered(store, &message, &classification, arrived.internal_date)?;
    let nothing = nothing || is_nothing(&classification);
    if (nothing && question.is_none()) || is_report(&message) {
        if let Some((draft, _)) = returned {
            tracing::info!(draft, "A reply came back.");
        }
        return Ok(Ingested { committed: store.commit(&base, cursor)?, verdict });
    }
    let thread = past::thread(store, &message)?;
    let outcome = match question {
        // What they say of the application they were asked about may well repeat the no.
        Some(_) => Outcome { category: Category::Feedback, decided: true, ..classification.outcome() },
        None => with_stage_of_thread(classification.outcome(), &thread),
    };
    let told = crate::telling::schedule(&outcome, now, &kit.telling);
    let supersedes = retracted(store, &message, &classification, &outcome, &thread, now)?;
    // Not the moment of reading: old mail that is read today is old news, and is counted as such.
    let detected_at = arrived.internal_date.min(now);
    let mail = Mail {
        message: &message,
        classification: &classification,
        thread: &thread,
        warnings: &warnings,
        arrived: detected_at,
    };
    let response = respond(store, kit, mail, &outcome, now)?;
    let new = NewOutcome {
        outcome: &outcome,
        origin: Origin::Rules,
        detected_at,
        tell_at: Some(told.tell_at),
        draft_due_at: response.draft.as_ref().map(|_| told.draft_due_at),
    };
    let ingest = Ingest {
        outcome: Some(new),
        supersedes,
        draft: response.draft.as_ref(),
        no_draft: response.no_draft,
        note: response.note.as_ref(),
        ..base
    };
    let verdict = Some((outcome.category, outcome.decided));
    let is_feedback = outcome.category == Category::Feedback && outcome.decided;
    store.together(|store| {
        let committed = store.commit(&ingest, cursor)?;
        if let Committed::Stored { message: row, outcome: Some(outcome), .. } = &committed
            && is_feedback
        {
            store.add_feedback((*row, *outcome), question, &message, now)?;
        }
        // An alert is no answer.
        if let Committed::Stored { .. } = &committed
            && !matches!(verdict, Some((Category::JobAlert | Category::Unrelated, _)))
        {
            let key = ingest.outcome.and_then(|new| new.outcome.employer.as_deref()).map(employer_key);
            let ids: Vec<&str> = thread.iter().filter_map(|mail| mail.message_id.as_deref()).collect();
            store.withdraw_later(key.as_deref().filter(|key| !key.is_empty()), &ids, now)?;
        }
        Ok(Ingested { committed, verdict })
    })
}

/// The question of ours that a mail answers, if a person wrote it. An invitation is an invitation, whatever it answers.
fn question_answered(
    store: &Store,
    message: &Message,
    classification: &Classification,
    received_at: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let better = matches!(classification.category, Category::Interview | Category::Assessment | Category::Offer);
    let headers = &message.headers;
    let by_program = headers.auto_submitted || headers.delivery_report || headers.null_return_path || message.is_bulk();
    if by_program || (better && classification.decided) {
        return Ok(None);
    }
    let mut references = message.references.clone();
    references.extend(message.in_reply_to.clone());
    // Who was asked may say no once more, to another application: outside of the thread only what is nothing of its own
    // counts as an answer.
    let nothing_else = matches!(classification.category, Category::Unrelated | Category::Feedback | Category::OtherJob);
    let sender = message.first_from().filter(|_| nothing_else).map(|from| from.email.as_str());
    store.question_answered(&references, sender, received_at - ANSWER_WITHIN)
}

/// Red flags of a mail that came to an account.
pub fn warnings(kit: &Kit, account: &str, message: &Message, classification: &Classification) -> Vec<Caution> {
    // What was passed on by the person was taken in somewhere else: what was found out here is about themselves.
    let auth = message.auth.as_ref().filter(|_| message.inside.is_none());
    let auth = kit.auth_services.get(account).and_then(|service| service.believed(auth));
    suspicion(&kit.rules, message.unwrapped(), &classification.facts, auth)
}

/// The verdict, asked about where the mail is not what it claims. A report of a mail server says nothing of its own: of
/// the letter that comes back with it no sentence is kept.
fn doubted(mut verdict: Classification, warnings: &[Caution], message: &Message) -> Classification {
    if is_report(message) {
        return verdict.without_text();
    }
    for ask in asks(warnings) {
        verdict.decided = false;
        if !verdict.asks.contains(&ask) {
            verdict.asks.push(ask);
        }
    }
    verdict
}

/// Whether a mail server speaks of a mail: one that came back, is late, or was read.
fn is_report(message: &Message) -> bool {
    message.headers.delivery_report || message.returned.is_some()
}

/// The draft that a report says could not be delivered, and the server's reason.
fn returned(store: &Store, message: &Message) -> Result<Option<(i64, String)>, StoreError> {
    let Some(returned) = &message.returned else { return Ok(None) };
    let Some(draft) = store.draft_by_message_id(returned.id.as_str())? else { return Ok(None) };
    let said: Vec<&str> =
        returned.status.as_deref().into_iter().chain([returned.reason.as_str()]).filter(|s| !s.is_empty()).collect();
    let said = if said.is_empty() { "the mail server gave no reason".to_owned() } else { said.join(" ") };
    Ok(Some((draft, format!("it came back: {said}"))))
}

/// A draft and a note for a decided no; nothing for anything else.
#[derive(Debug, Default)]
pub struct Response {
    /// The reply.
    pub draft: Option<ProposedDraft>,
    /// Why there is none, where there could be one.
    pub no_draft: Option<NoDraft>,
    /// The note.
    pub note: Option<Note>,
}

/// A mail as the reply to it needs it.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    /// The mail.
    pub message: &'a Message,
    /// The verdict on it.
    pub classification: &'a Classification,
    /// Other mails of its thread.
    pub thread: &'a [store::ThreadMail],
    /// Its red flags, see [`warnings`].
    pub warnings: &'a [Caution],
    /// When it arrived.
    pub arrived: Timestamp,
}

/// What Onward has to say to an outcome, from the mail and what the log knows `now`.
pub fn respond(
    store: &Store,
    kit: &Kit,
    mail: Mail<'_>,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Response, StoreError> {
    if outcome.category != Category::Rejection || !outcome.decided {
        return Ok(Response::default());
    }
    let Mail { message, classification, arrived, .. } = mail;
    let proposed = if kit.drafts { draft(store, kit, mail, outcome, Wording::default(), now)? } else { None };
    let no_draft = match &proposed {
        Some(proposed) => no_draft(store, kit, mail, proposed, now)?,
        None => None,
    };
    if let Some(why) = no_draft {
        tracing::info!(why = why.as_str(), "No draft was made.");
    }
    let at_hand = AtHand { message, outcome, at: arrived };
    let note = note(store, kit, at_hand, classification, now)?;
    Ok(Response { draft: proposed.filter(|_| no_draft.is_none()), no_draft, note })
}

/// Why a no that could have a draft gets none.
fn no_draft(
    store: &Store,
    kit: &Kit,
    mail: Mail<'_>,
    proposed: &ProposedDraft,
    now: Timestamp,
) -> Result<Option<NoDraft>, StoreError> {
    let Mail { message, arrived, .. } = mail;
    let drafted = past::drafted(store, message, proposed.envelope.to.as_deref(), mail.thread, arrived)?;
    Ok(if store.is_answered(message.id.as_ref(), &message.references, arrived)? {
        Some(NoDraft::Answered)
    } else if let Some(why) = kit.policy.caps().no_draft(drafted, arrived, now) {
        Some(why)
    } else {
        drafting_rests(store, now)?.then_some(NoDraft::Unused)
    })
}

/// Whether no draft is offered by itself, because none was used lately.
pub fn drafting_rests(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    let offered: Vec<_> = store.last_offered(UNUSED_MAX)?.into_iter().map(|o| (o.state, o.at)).collect();
    Ok(habit::drafting_rests(&offered, now))
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
pub fn draft(
    store: &Store,
    kit: &Kit,
    mail: Mail<'_>,
    outcome: &Outcome,
    wording: Wording<'_>,
    now: Timestamp,
) -> Result<Option<ProposedDraft>, StoreError> {
    compose(store, kit, mail, outcome, wording.variant, now, |context| {
        match wording.language {
            Some(language) => propose_in(&kit.policy, &kit.templates, context, language),
            None => propose(&kit.policy, &kit.templates, context),
        }
        .map(Some)
    })
}

/// A mail that answers no other; `None` where nobody could be written to, or no text says it.
pub fn later_draft(
    store: &Store,
    kit: &Kit,
    mail: Mail<'_>,
    outcome: &Outcome,
    offer: (DraftKind, &str),
    variant: u32,
    now: Timestamp,
) -> Result<Option<ProposedDraft>, StoreError> {
    compose(store, kit, mail, outcome, variant, now, |context| propose_later(&kit.templates, context, offer))
}

/// Gathers what a draft is made from.
fn compose(
    store: &Store,
    kit: &Kit,
    mail: Mail<'_>,
    outcome: &Outcome,
    variant: u32,
    now: Timestamp,
    propose: impl FnOnce(&ReplyContext<'_>) -> Result<Option<ProposedDraft>, NotProposed>,
) -> Result<Option<ProposedDraft>, StoreError> {
    let seed = uuid::Uuid::new_v4().to_string();
    let thread: Vec<ThreadMail> = mail.thread.iter().filter_map(for_reply).collect();
    let message = mail.message.unwrapped();
    let known = |address: Option<&Address>| address.is_some_and(|a| kit.rules.senders().by_address(a).is_some());
    let past = past::of_employer(store, kit, outcome, now)?;
    let context = ReplyContext {
        message,
        facts: &mail.classification.facts,
        outcome,
        identities: &kit.identities,
        thread: &thread,
        history: past.history(mail.message, outcome, now),
        warnings: mail.warnings,
        relays: Relays { from: known(message.from.first()), reply_to: known(message.reply_to.first()) },
        arrived: mail.arrived,
        interviews: &past.interviews(outcome, mail.arrived),
        people: &past.people(kit, outcome, mail.arrived, mail.thread),
        now: &now.to_zoned(kit.telling.zone.clone()),
        message_id_seed: &seed,
        variant,
    };
    match propose(&context) {
        Ok(draft) => Ok(draft),
        Err(error @ (NotProposed::NoIdentity | NotProposed::Seed | NotProposed::NotComposed(_))) => {
            tracing::warn!(%error, "No draft was made.");
            Ok(None)
        }
    }
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
