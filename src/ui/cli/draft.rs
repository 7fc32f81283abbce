//! `onward draft …`: look at, change, approve, drop and resolve replies.

use std::{
    fs,
    io::{BufRead as _, IsTerminal as _, Read as _},
    path::Path,
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};

use super::{
    Exit,
    args::{DraftVerb, Resolution},
    home::Home,
};
use crate::{
    app::{queue, submit},
    clean,
    draft::{DraftEvent, DraftState, NotAllowed},
    io::{
        clock, editor,
        store::{DraftView, Lock, Store, StoreError},
    },
    reply::editable,
    ui::{
        review,
        term::{Screen, fit},
        words,
    },
};

/// Largest text taken with `--file`, in bytes.
const TEXT_BYTES_MAX: u64 = 256 * 1024;

/// Fewest digits of a digest that name a draft: as many as are shown.
const DIGEST_DIGITS_MIN: usize = 12;

/// Says in the person's words why a step was refused.
fn allowed<T>(id: i64, what: &str, done: Result<T, StoreError>) -> Result<T> {
    done.map_err(|error| match error {
        StoreError::NotAllowed(NotAllowed { state: DraftState::Discarded, .. }) if what == "approved" => {
            anyhow!("draft {id} is discarded: `onward draft restore {id}` brings it back")
        }
        StoreError::NotAllowed(NotAllowed { state, .. }) => {
            anyhow!("draft {id} ({}) cannot be {what}", words::draft_state(state))
        }
        StoreError::NoRecipient => {
            anyhow!("draft {id} has no recipient yet: name one with `--to ADDRESS`, or discard it")
        }
        StoreError::Stopped { .. } => {
            anyhow!("{error}: `onward draft show {id}` says what stops it, `onward draft edit {id}` changes it")
        }
        other => other.into(),
    })
}

/// Runs a verb.
pub fn run(home: &Home, verb: &DraftVerb, screen: &mut Screen<'_>) -> Result<Exit> {
    match verb {
        DraftVerb::List { all } => list(home, *all, screen),
        DraftVerb::Show { id } => show(home, &home.log()?, *id, screen),
        DraftVerb::Edit { id, to, file } => edit(home, *id, to.as_deref(), file.as_deref(), screen),
        DraftVerb::Approve { id, digest, to, later } => {
            approve(home, *id, digest.as_deref(), to.as_deref(), *later, screen)
        }
        DraftVerb::Write { id } => {
            let mut store = home.store()?;
            let draft = queue::write(&mut store, &home.kit()?, *id, clock::now())?;
            show(home, &store, draft, screen)
        }
        DraftVerb::Discard { id } => {
            let mut store = home.store()?;
            allowed(*id, "discarded", store.discard(*id, clock::now()))?;
            done(home, &store, *id, screen)
        }
        DraftVerb::Restore { id } => {
            let mut store = home.store()?;
            allowed(*id, "brought back", store.restore(*id, clock::now()))?;
            done(home, &store, *id, screen)
        }
        DraftVerb::Resolve { id, found } => resolve(home, *id, *found, screen),
    }
}

/// A draft for programs, letter included.
pub fn as_json(draft: &DraftView) -> Result<Value> {
    let edit = editable(&draft.bytes)?;
    Ok(json!({
        "id": draft.id, "outcome": draft.outcome, "kind": draft.kind, "state": draft.state, "language": draft.language,
        "row": draft.row, "template": draft.template, "revision": draft.revision, "from": draft.envelope.from,
        "to": draft.envelope.to, "subject": edit.subject, "body": edit.body, "message_id": draft.message_id,
        "digest": draft.digest, "cautions": draft.cautions, "remark": draft.remark, "attempts": draft.attempts,
    }))
}

fn list(home: &Home, all: bool, screen: &mut Screen<'_>) -> Result<Exit> {
    let store = home.log()?;
    let open =
        [DraftState::Pending, DraftState::Approved, DraftState::Sending, DraftState::Failed, DraftState::Unconfirmed];
    let drafts = store.drafts(if all { &[] } else { &open })?;
    if home.json() {
        for draft in &drafts {
            writeln!(screen.raw(), "{}", as_json(draft)?)?;
        }
        return Ok(Exit::Fine);
    }
    let (zone, now) = (home.zone()?, clock::now());
    let (mut shown, mut resting) = (0, 0);
    for draft in &drafts {
        let item = store.item(draft.outcome)?;
        let rests = item.row.draft_due_at.filter(|due| draft.state == DraftState::Pending && *due > now);
        if !all && rests.is_some() {
            resting += 1;
            continue;
        }
        shown += 1;
        screen.line(format!(
            "{:>4}  {}  {}  {}",
            draft.id,
            fit(words::draft_kind(draft.kind), 24),
            fit(&words::subject_of(&item.row.outcome), 36),
            rests.map_or(words::draft_state(draft.state).to_owned(), |due| {
                format!("rests until {}", words::moment(due, &zone))
            })
        ))?;
    }
    if drafts.is_empty() {
        screen.line(if all { "There are no drafts yet." } else { "No draft waits." })?;
    }
    if resting > 0 {
        let more = if shown == 0 { "" } else { " more" };
        let rest = if resting == 1 { "draft rests" } else { "drafts rest" };
        screen.aside(format!("{resting}{more} {rest} for now. `onward draft list --all` shows every draft."))?;
    }
    Ok(Exit::Fine)
}

fn show(home: &Home, store: &Store, id: i64, screen: &mut Screen<'_>) -> Result<Exit> {
    let draft = store.draft(id)?;
    let waits = if draft.state == DraftState::Approved { submit::obstacles(&home.config()?) } else { Vec::new() };
    if home.json() {
        let mut value = as_json(&draft)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("waits".to_owned(), json!(waits));
        }
        writeln!(screen.raw(), "{value}")?;
        return Ok(Exit::Fine);
    }
    review::letter(screen, &draft)?;
    for why in waits {
        screen.wrapped("  ", &format!("waits: {why}"))?;
    }
    if !draft.remark.is_empty() {
        screen.wrapped("  ", &format!("last: {}", draft.remark))?;
    }
    screen
        .aside(format!("  digest {} (approve with `onward draft approve {id} --digest {0}`)", draft.digest.short()))?;
    Ok(Exit::Fine)
}

fn edit(home: &Home, id: i64, to: Option<&str>, file: Option<&Path>, screen: &mut Screen<'_>) -> Result<Exit> {
    let kit = home.kit()?;
    let mut store = home.store()?;
    let state = store.draft(id)?.state;
    // Before the editor opens: a text that cannot be kept is not worth writing.
    if !matches!(state, DraftState::Pending | DraftState::Approved | DraftState::Failed) {
        return allowed(id, "changed", Err(NotAllowed { state, event: DraftEvent::Edit }.into()));
    }
    if let Some(to) = to {
        queue::readdress(&mut store, &kit, id, to, clock::now())?;
    }
    let text = match file {
        Some(path) => Some(read(path)?),
        None if to.is_some() => None,
        None => {
            let dir = home.database()?.parent().map(Path::to_path_buf).unwrap_or_default();
            editor::edit(&dir, &editable(&store.draft(id)?.bytes)?.to_text())?
        }
    };
    match text {
        Some(text) => {
            queue::edit(&mut store, &kit, id, &text, clock::now())?;
        }
        None if to.is_none() => {
            screen.line("Nothing changed.")?;
            return Ok(Exit::Fine);
        }
        None => {}
    }
    show(home, &store, id, screen)
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(TEXT_BYTES_MAX).read_to_string(&mut text)?;
    } else {
        let file = fs::File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        file.take(TEXT_BYTES_MAX)
            .read_to_string(&mut text)
            .with_context(|| format!("{} is no text", path.display()))?;
    }
    Ok(text)
}

/// Approves a draft: by the digest the person names, or by showing it and asking.
fn approve(
    home: &Home,
    id: i64,
    digest: Option<&str>,
    to: Option<&str>,
    later: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit> {
    let mut store = home.store()?;
    if let Some(to) = to {
        let kit = home.kit()?;
        queue::readdress(&mut store, &kit, id, to, clock::now())?;
    }
    let mut draft = store.draft(id)?;
    match digest {
        Some(given) if given.len() < DIGEST_DIGITS_MIN => {
            bail!(
                "`{}` is too short: `onward draft show {id}` prints what to approve and its digest",
                clean::line(given)
            )
        }
        Some(given) if !named(&draft, given) => bail!(
            "draft {id} is not what you approve with {}: it has changed since; look at it again with `onward draft show {id}`",
            clean::line(given)
        ),
        Some(_) => {}
        None => {
            if !std::io::stdin().is_terminal() {
                bail!("name what you approve: `onward draft show {id}` prints the digest for --digest");
            }
            draft = queue::redated(&mut store, &home.kit()?, id, clock::now())?;
            review::letter(screen, &draft)?;
            screen.prompt("Approve exactly this? [y/N]  ")?;
            let mut answer = String::new();
            std::io::stdin().lock().take(64).read_line(&mut answer)?;
            if !answer.trim().eq_ignore_ascii_case("y") {
                screen.line("Not approved.")?;
                return Ok(Exit::Fine);
            }
        }
    }
    allowed(id, "approved", store.approve(id, draft.digest, clock::now()))?;
    drop(store);
    if !later {
        let exit = super::send::deliver(home, &[id], screen)?;
        if exit != Exit::Fine {
            return Ok(exit);
        }
    }
    done(home, &home.log()?, id, screen)
}

/// Whether the person named this digest, or its beginning.
fn named(draft: &DraftView, given: &str) -> bool {
    draft.digest.to_string().starts_with(&given.to_ascii_lowercase())
}

fn resolve(home: &Home, id: i64, found: Resolution, screen: &mut Screen<'_>) -> Result<Exit> {
    let mut store = home.store()?;
    // What a process left on its way when it ended is as much in doubt, whether somebody has noticed or not.
    if store.draft(id)?.state == DraftState::Sending
        && let Some(Ok(lock)) = home.database()?.parent().map(Lock::acquire_outbox)
    {
        store.recover(&lock, clock::now())?;
    }
    let event = match found {
        Resolution::Sent => DraftEvent::ResolveSent,
        Resolution::Retry => DraftEvent::ResolveRetry,
        Resolution::Discard => DraftEvent::Discard,
    };
    let settled = "settled; only one that is perhaps sent can be";
    allowed(id, settled, store.record(id, event, "said by the person", clock::now()))?;
    done(home, &store, id, screen)
}

fn done(home: &Home, store: &Store, id: i64, screen: &mut Screen<'_>) -> Result<Exit> {
    let draft = store.draft(id)?;
    if home.json() {
        writeln!(screen.raw(), "{}", as_json(&draft)?)?;
    } else {
        screen.line(format!("Draft {id}: {}.", words::draft_state(draft.state)))?;
    }
    Ok(Exit::Fine)
}
