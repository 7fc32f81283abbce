//! `onward demo`: shows the whole path on the sample mailbox. What it prints depends on the sample, the rules and the
//! texts alone, so that two runs print the same.

use anyhow::Result;

use super::{Exit, args::DemoArgs, home::Home};
use crate::{
    app::{
        demo::{Demo, FlagsOf, PERSON_NAME},
        kit::Kit,
        submit::{self, Delivered, Outbox, When},
    },
    draft::DraftState,
    io::{
        clock, editor,
        store::{Filter, OutcomeRow, Store},
    },
    outcome::Category,
    ui::{
        review::{self, Review},
        term::{Screen, fit},
        words,
    },
};

/// How many replies are shown in full.
const SHOWN_IN_FULL: usize = 2;

/// Runs the verb.
pub fn run(home: &Home, args: DemoArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    if !home.json() {
        screen.heading("Onward, shown on a sample mailbox. Nothing leaves this machine.")?;
        screen.raw().flush()?;
    }
    let runtime = super::run::runtime()?;
    let demo = runtime.block_on(Demo::start())?;
    let untouched = watched_flags(&demo);
    if !home.json() {
        screen.wrapped("", &format!(
            "A mail server with {} mails of {PERSON_NAME} (who does not exist) now runs inside this program; the ordinary daemon reads it.",
            demo.mails
        ))?;
        screen.raw().flush()?;
    }
    runtime.block_on(demo.watch())?;
    let mut store = Store::open(&demo.config.store)?;
    let mut rows = store.list(&Filter::default())?;
    rows.sort_by_key(|row| row.id);
    if home.json() {
        for row in &rows {
            writeln!(screen.raw(), "{}", serde_json::to_string(row)?)?;
        }
        return Ok(Exit::Fine);
    }
    found(screen, &store, &rows, demo.mails)?;
    replies(screen, &store, &rows)?;
    approve(screen, &demo, &mut store, args)?;
    drop(store);
    deliver(screen, &runtime, &demo)?;
    let same = watched_flags(&demo) == untouched;
    screen.line(if same {
        "The inbox is as it was: every mail unread, no flag changed."
    } else {
        "The inbox changed, and should not have."
    })?;
    if args.keep {
        keep(screen, &runtime, &demo)?;
    }
    screen.gap()?;
    screen.line("Your own mailbox: `onward config example` prints a configuration to start from.")?;
    runtime.block_on(async move { drop(demo) });
    Ok(if same { Exit::Fine } else { Exit::Findings })
}

/// The flags of every mail in the watched mailboxes, to prove that nothing was touched.
fn watched_flags(demo: &Demo) -> Vec<FlagsOf> {
    let watched: Vec<&String> = demo.config.accounts.iter().flat_map(|account| &account.mailboxes).collect();
    demo.server.flags_snapshot().into_iter().filter(|flags| watched.contains(&&flags.mailbox)).collect()
}

/// What was found in the mailbox: every outcome with the sentence and the rule that made it.
fn found(screen: &mut Screen<'_>, store: &Store, rows: &[OutcomeRow], mails: u32) -> Result<()> {
    screen.gap()?;
    screen.heading("What it found")?;
    for row in rows {
        screen.line(format!(
            "{:>3}  {}  {}",
            row.id,
            fit(&words::outcome(&row.outcome), 28),
            words::subject_of(&row.outcome)
        ))?;
        let item = store.item(row.id)?;
        if let Some((verdict, _)) = &item.classification
            && let Some(hit) = verdict.evidence().find(|hit| hit.category == Some(verdict.category) && hit.weight > 0.0)
        {
            screen.aside(format!("       “{}”", fit(&hit.sentence, 84).trim_end()))?;
            screen.aside(format!("       {} ({}:{})", hit.title, hit.file, hit.line))?;
        }
    }
    let other = mails.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    let withdrawn = store.drafts(&[DraftState::Withdrawn])?.len();
    screen.gap()?;
    screen.line(format!(
        "{other} mails had nothing to do with an application; of those only that they were seen is kept."
    ))?;
    if withdrawn > 0 {
        screen.line(format!("{withdrawn} reply was withdrawn, because a later mail took the no back."))?;
    }
    Ok(())
}

/// The replies and notes that wait, two of them in full.
fn replies(screen: &mut Screen<'_>, store: &Store, rows: &[OutcomeRow]) -> Result<()> {
    let noes: Vec<&OutcomeRow> =
        rows.iter().filter(|row| row.outcome.category == Category::Rejection && row.draft.is_some()).collect();
    screen.gap()?;
    screen.heading(format!("What waits for {PERSON_NAME}: {} drafted replies, each with a note", noes.len()))?;
    for row in &noes {
        let item = store.item(row.id)?;
        let Some(draft) = &item.draft else { continue };
        let to = draft.envelope.to.as_deref().unwrap_or("nobody yet: no reachable address");
        screen.line(format!("{:>3}  {}  to {to}", row.id, fit(words::draft_kind(draft.kind), 24)))?;
    }
    let late =
        |row: &&&OutcomeRow| store.item(row.id).ok().and_then(|i| i.draft).is_some_and(|d| d.envelope.to.is_some());
    for row in noes.iter().filter(late).take(SHOWN_IN_FULL) {
        let item = store.item(row.id)?;
        screen.gap()?;
        screen.heading(format!("{} · {}", words::subject_of(&row.outcome), words::outcome(&row.outcome)))?;
        review::note(screen, &item)?;
        if let Some(draft) = &item.draft {
            review::letter(screen, draft)?;
        }
    }
    Ok(())
}

/// Lets the person review the queue, or with `--yes` approves the first reply that can be.
fn approve(screen: &mut Screen<'_>, demo: &Demo, store: &mut Store, args: DemoArgs) -> Result<()> {
    let now = clock::now();
    screen.gap()?;
    if args.yes {
        let ready = store.drafts(&[DraftState::Pending])?;
        let ready = ready.iter().find(|d| d.envelope.to.is_some() && d.cautions.iter().all(|c| !c.stops));
        if let Some(draft) = ready {
            store.approve(draft.id, draft.digest, now)?;
            screen.heading(format!("--yes approves draft {}, exactly as it stands.", draft.id))?;
        }
        return Ok(());
    }
    screen.heading("Now you: what `onward review` asks (q ends it)")?;
    let kit = Kit::load(&demo.config)?;
    let dir = demo.config.store.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
    let tally = Review {
        store,
        kit: &kit,
        input: &mut std::io::stdin().lock(),
        editor: &|text| Ok(editor::edit(&dir, text)?),
        now,
        all: true,
    }
    .run(screen)?;
    super::review::summary(screen, &tally)
}

/// Delivers what was approved into the sample's Drafts mailbox.
fn deliver(screen: &mut Screen<'_>, runtime: &tokio::runtime::Runtime, demo: &Demo) -> Result<()> {
    let outbox = Outbox::open(&demo.config)?;
    let approved = runtime.block_on(outbox.db.call(|store| submit::approved(store)))?;
    for (id, delivered) in runtime.block_on(submit::deliver(&outbox, &approved, When::Now)) {
        match delivered {
            Delivered::Placed { mailbox, .. } => {
                let there = demo.server.mailbox_messages(&mailbox).len();
                screen.line(format!("Draft {id} lies in the mailbox {mailbox} now ({there} message there). A mail client sends it; Onward does not."))?;
            }
            other => screen.line(format!("Draft {id}: {other:?}"))?,
        }
    }
    Ok(())
}

/// Leaves the server up for a mail client.
fn keep(screen: &mut Screen<'_>, runtime: &tokio::runtime::Runtime, demo: &Demo) -> Result<()> {
    let address = demo.server.address();
    screen.gap()?;
    screen.heading("The sample mailbox stays up. Connect a mail client of this machine:")?;
    screen.line(format!("  IMAP server  {}", address.ip()))?;
    screen.line(format!("  port         {}, no encryption (it never leaves the machine)", address.port()))?;
    screen.line(format!("  user         {}", demo.server.user()))?;
    screen.line(format!("  password     {}", demo.server.password()))?;
    screen.line("Ctrl-C ends it.")?;
    screen.raw().flush()?;
    runtime.block_on(crate::app::daemon::asked_to_end())
}
