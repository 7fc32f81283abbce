//! The review queue: what waits, and what the person may do with it. The command line and every later surface go
//! through here, so that they cannot disagree. It must not print, and every state change is the store's.

use anyhow::{Context as _, Result, bail};
use jiff::{SignedDuration, Timestamp};

use super::{
    ingest::{self, Mail, Response},
    kit::Kit,
    past,
};
use crate::{
    classify::{Classification, traits},
    draft::{Digest, DraftState},
    io::store::{self, DraftView, Filter, Item, NewLesson, NewOutcome, OutcomeRow, Rewrite, Store, Superseded},
    message::{Fetched, Message},
    outcome::{Category, Origin, Outcome, Reason, Stage},
    reply::{Addressee, Caution, Edit, Purpose, editable, parse_edit, recompose, template::group_of},
};

/// Oldest `Date` a draft is shown with for approval.
const DATE_AGE_MAX: SignedDuration = SignedDuration::from_hours(6);

/// What waits for the person, in the order it is offered: mail to be asked about first, then drafts by age.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Outcomes the rules would not decide alone.
    pub undecided: Vec<OutcomeRow>,
    /// Outcomes with a draft to look at.
    pub drafts: Vec<OutcomeRow>,
    /// Drafts that rest until their time; the earliest moment one is offered.
    pub resting: Vec<OutcomeRow>,
}

/// What waits at `now`; with `all` also what still rests.
pub fn waiting(store: &Store, now: Timestamp, all: bool) -> Result<Waiting> {
    let mut waiting =
        Waiting { undecided: store.list(&Filter { decided: Some(false), ..Filter::default() })?, ..Waiting::default() };
    waiting.undecided.sort_by_key(|row| row.id);
    let states = vec![DraftState::Pending, DraftState::Failed, DraftState::Unconfirmed];
    let mut rows = store.list(&Filter { draft_states: states, decided: Some(true), ..Filter::default() })?;
    rows.sort_by_key(|row| row.id);
    for row in rows {
        let due = row.draft_due_at.is_none_or(|due| due <= now);
        if due || all { waiting.drafts.push(row) } else { waiting.resting.push(row) }
    }
    Ok(waiting)
}

/// A correction by the person; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Correction {
    /// What it really is.
    pub category: Option<Category>,
    /// The stage of a rejection.
    pub stage: Option<Stage>,
    /// The reason of a rejection.
    pub reason: Option<Reason>,
    /// The employer.
    pub employer: Option<String>,
    /// The role.
    pub role: Option<String>,
}

impl Correction {
    /// Whether nothing is corrected.
    pub fn is_empty(&self) -> bool {
        self.category.is_none()
            && self.stage.is_none()
            && self.reason.is_none()
            && self.employer.is_none()
            && self.role.is_none()
    }
}

/// Corrects an outcome; a no gets a draft and a note, anything else loses them. Decided from then on.
pub fn fix(store: &mut Store, kit: &Kit, id: i64, correction: &Correction, now: Timestamp) -> Result<Superseded> {
    let item = store.item(id)?;
    let before = item.row.outcome.clone();
    let category = correction.category.unwrap_or(before.category);
    let no = category == Category::Rejection;
    if !no && (correction.stage.is_some() || correction.reason.is_some()) {
        bail!("only a rejection has a stage and a reason; say `--as rejection` as well if it is one");
    }
    let outcome = Outcome {
        category,
        decided: true,
        stage: if no { correction.stage.unwrap_or(before.stage) } else { Stage::Unknown },
        reason: if no { correction.reason.unwrap_or(before.reason) } else { Reason::None },
        employer: correction.employer.clone().or(before.employer),
        role: correction.role.clone().or(before.role),
        ..before
    };
    let mail = mail_of(store, &item)?;
    let response = match &mail {
        Some((message, classification)) => {
            let thread = past::thread(store, message)?;
            let warnings = warnings(kit, &item, message, classification);
            let arrived = item.row.detected_at;
            let mail = Mail { message, classification, thread: &thread, warnings: &warnings, arrived };
            ingest::respond(store, kit, mail, &outcome, now)?
        }
        None => Response::default(),
    };
    // Only what the person said themselves is a label: who corrects the employer's name has not judged the mail.
    let traits = mail.filter(|_| correction.category.is_some()).map(|(message, _)| traits(&kit.rules, &message));
    let lesson = traits.as_ref().map(|traits| NewLesson { label: category, rules: kit.rules.fingerprint(), traits });
    let told = crate::telling::schedule(&outcome, now, &kit.telling);
    let new = NewOutcome {
        outcome: &outcome,
        origin: Origin::Person,
        detected_at: item.row.detected_at,
        tell_at: Some(told.tell_at),
        draft_due_at: response.draft.as_ref().map(|_| now),
    };
    let Response { draft, no_draft, note } = &response;
    let correction = store::Correction { new, draft: draft.as_ref(), no_draft: *no_draft, note: note.as_ref(), lesson };
    let corrected = store.correct(id, correction, now)?;
    if category == Category::Feedback
        && let (Some(mail), Some((letter, _))) = (&item.row.mail, mail_of(store, &item)?)
    {
        store.add_feedback((mail.message, corrected.outcome), None, &letter, now)?;
    }
    Ok(corrected)
}

/// A draft to be shown for approval. One that waited long is dated anew first: what is approved says when it was
/// written, to the byte, and a letter of days ago is taken for a machine's, or for spam.
pub fn redated(store: &mut Store, kit: &Kit, draft: i64, now: Timestamp) -> Result<DraftView> {
    let view = store.draft(draft)?;
    let dated = Message::parse(&view.bytes, Fetched::of(false)).date;
    let fresh = dated.is_some_and(|date| now.duration_since(date) < DATE_AGE_MAX);
    if fresh || view.state != DraftState::Pending {
        return Ok(view);
    }
    let zoned = now.to_zoned(kit.telling.zone.clone());
    let new = recompose(&view.bytes, &editable(&view.bytes)?, purpose(&view), &kit.identities, &zoned)?;
    // Text and recipient are the same, and so is what there is to say about them.
    let DraftView { envelope, message_id, cautions, .. } = &view;
    store.edit(view.id, Rewrite { envelope, message_id, bytes: &new.bytes, cautions }, now)?;
    Ok(store.draft(draft)?)
}

/// Gives a draft another recipient.
pub fn readdress(store: &mut Store, kit: &Kit, draft: i64, to: &str, now: Timestamp) -> Result<Digest> {
    let view = store.draft(draft)?;
    let Some(typed) = Addressee::typed(to) else {
        bail!("`{}` is no mail address: write it as name@domain", crate::clean::line(to));
    };
    let edit = Edit { to: Some(typed), ..editable(&view.bytes)? };
    rewrite(store, kit, &view, &edit, now)
}

/// Takes the text the person wrote in their editor (`To:`, `Subject:`, blank line, body).
pub fn edit(store: &mut Store, kit: &Kit, draft: i64, text: &str, now: Timestamp) -> Result<Digest> {
    let view = store.draft(draft)?;
    let edit = parse_edit(text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the text cannot be sent as it is:\n  {}", lines.join("\n  "))
    })?;
    rewrite(store, kit, &view, &edit, now)
}

fn purpose(view: &DraftView) -> Purpose<'_> {
    Purpose { language: &view.language, kind: view.kind, template: &view.template }
}

fn rewrite(store: &mut Store, kit: &Kit, view: &DraftView, edit: &Edit, now: Timestamp) -> Result<Digest> {
    let zoned = now.to_zoned(kit.telling.zone.clone());
    let new = recompose(&view.bytes, edit, purpose(view), &kit.identities, &zoned)?;
    let rewrite =
        Rewrite { envelope: &new.envelope, message_id: &view.message_id, bytes: &new.bytes, cautions: &new.cautions };
    Ok(store.edit(view.id, rewrite, now)?)
}

/// Proposes another wording of the same kind, or, where the mail's language has no text, the English one.
pub fn other_wording(store: &mut Store, kit: &Kit, draft: i64, now: Timestamp) -> Result<Digest> {
    let view = store.draft(draft)?;
    let item = store.item(view.outcome)?;
    let (message, classification) =
        mail_of(store, &item)?.context("the mail itself is no longer stored, so no other wording can be made")?;
    let thread = past::thread(store, &message)?;
    let warnings = warnings(kit, &item, &message, &classification);
    let arrived = item.row.detected_at;
    let mail =
        Mail { message: &message, classification: &classification, thread: &thread, warnings: &warnings, arrived };
    let empty = view.cautions.iter().any(|caution| caution.code == "no-template-in-language");
    let ask = ingest::Wording { language: empty.then_some("en"), variant: view.revision };
    let proposed = match later_group(&view) {
        Some(group) => {
            ingest::later_draft(store, kit, mail, &item.row.outcome, (view.kind, group), view.revision, now)?
        }
        None => ingest::draft(store, kit, mail, &item.row.outcome, ask, now)?,
    };
    let proposed = proposed.context("no draft could be made: `onward config check` says what is missing")?;
    // The Message-ID stays for the draft's life: it is what makes delivery idempotent.
    let written = editable(&proposed.bytes)?;
    let mut edit = editable(&view.bytes)?;
    edit.body = written.body;
    if edit.to.is_none() {
        edit.to = written.to;
    }
    let language = if empty { "en" } else { &view.language };
    let purpose = Purpose { language, kind: view.kind, template: &proposed.template };
    let zoned = now.to_zoned(kit.telling.zone.clone());
    let new = recompose(&view.bytes, &edit, purpose, &kit.identities, &zoned)?;
    let stops = proposed.cautions.into_iter().filter(|c| c.stops && edit.to.is_none());
    let cautions: Vec<_> = new.cautions.into_iter().chain(stops).collect();
    let rewrite =
        Rewrite { envelope: &new.envelope, message_id: &view.message_id, bytes: &new.bytes, cautions: &cautions };
    Ok(store.edit(view.id, rewrite, now)?)
}

/// Writes a reply that nobody offered: to a mail the person answered, to an old one, or while drafting rests. Gives the
/// draft's number.
pub fn write(store: &mut Store, kit: &Kit, id: i64, now: Timestamp) -> Result<i64> {
    let item = store.item(id)?;
    let outcome = &item.row.outcome;
    if outcome.category != Category::Rejection {
        bail!(
            "item {id} is no rejection, and replies are written to those (`onward fix {id} --as rejection` if it is)"
        );
    }
    let (message, classification) =
        mail_of(store, &item)?.context("the mail itself is not stored, so no reply can be written to it")?;
    let thread = past::thread(store, &message)?;
    let warnings = warnings(kit, &item, &message, &classification);
    let arrived = item.row.detected_at;
    let mail =
        Mail { message: &message, classification: &classification, thread: &thread, warnings: &warnings, arrived };
    let draft = ingest::draft(store, kit, mail, outcome, ingest::Wording::default(), now)?
        .context("no draft could be made: `onward config check` says what is missing")?;
    store.add_draft(id, &draft, now)?.with_context(|| {
        let other = item.draft.as_ref().map(|draft| draft.id).unwrap_or_default();
        format!("draft {other} answers this mail already (`onward draft show {other}`)")
    })
}

/// The group of texts of a draft that answers no mail, as its template says.
fn later_group(draft: &DraftView) -> Option<&str> {
    (!draft.kind.is_reply()).then(|| group_of(&draft.template)).flatten()
}

/// The red flags of an item's mail.
fn warnings(kit: &Kit, item: &Item, message: &Message, verdict: &Classification) -> Vec<Caution> {
    let account = item.row.mail.as_ref().map_or("", |mail| mail.account.as_str());
    ingest::warnings(kit, account, message, verdict)
}

/// The mail of an item and its latest verdict; `None` for an entry by hand or a purged mail.
pub fn mail_of(store: &Store, item: &Item) -> store::Result<Option<(Message, Classification)>> {
    let Some(mail) = &item.row.mail else { return Ok(None) };
    let (Some(raw), Some((classification, _))) = (store.raw(mail.message)?, item.classification.clone()) else {
        return Ok(None);
    };
    Ok(Some((Message::parse(&raw, Fetched::of(mail.truncated)), classification)))
}
