//! `onward show ID` and `onward why ID`.

use anyhow::{Result, bail};
use serde_json::json;

use super::{Exit, home::Home};
use crate::{
    app::junk,
    io::store::{Item, Store},
    ui::{review, term::Screen, words},
};

/// Shows one item whole: mail, verdict, note, draft, and what was corrected.
pub fn show(home: &Home, id: i64, screen: &mut Screen<'_>) -> Result<Exit> {
    let store = home.log()?;
    let item = store.item(id)?;
    if home.json() {
        writeln!(screen.raw(), "{}", as_json(&item)?)?;
        return Ok(Exit::Fine);
    }
    heading(screen, &item, home)?;
    if let Some((verdict, _)) = &item.classification {
        review::sentences(screen, verdict)?;
    }
    review::note(screen, &item)?;
    if let Some(draft) = &item.draft {
        review::letter(screen, draft)?;
        screen
            .aside(format!("  why this reply: row `{}` of rules/replies.toml, text {}", draft.row, draft.template))?;
        screen.aside(format!("  digest {}", draft.digest.short()))?;
    }
    if let Some(why) = item.no_draft {
        screen.aside(format!("  no reply was drafted: {}", words::no_draft(why)))?;
    }
    if item.chain.len() > 1 {
        screen.gap()?;
        for row in &item.chain {
            let at = words::moment(row.detected_at, &home.zone()?);
            screen.aside(format!("  {at}  {} said: {}", row.origin, words::outcome(&row.outcome)))?;
        }
        screen.aside(format!("  `onward undo {id}` takes the last correction back"))?;
    }
    Ok(Exit::Fine)
}

/// Names the sentence, the rule, its file and line.
pub fn why(home: &Home, id: i64, screen: &mut Screen<'_>) -> Result<Exit> {
    let store = home.log()?;
    let item = store.item(id)?;
    let Some((verdict, _)) = &item.classification else {
        if home.json() {
            writeln!(screen.raw(), "{}", json!({ "id": id, "evidence": [] }))?;
        } else {
            screen.line("You entered this one yourself; no rule had a say.")?;
        }
        return Ok(Exit::Fine);
    };
    if home.json() {
        let evidence: Vec<_> = verdict.evidence().map(super::classify::EvidenceLine::new).collect();
        let value = json!({
            "id": item.row.id, "category": verdict.category, "decided": verdict.decided, "score": verdict.score,
            "asks": verdict.asks, "evidence": evidence, "rules": verdict.rules,
            "draft_row": item.draft.as_ref().map(|d| &d.row), "no_draft": item.no_draft, "origin": item.row.origin,
        });
        writeln!(screen.raw(), "{value}")?;
        return Ok(Exit::Fine);
    }
    heading(screen, &item, home)?;
    screen.gap()?;
    super::explain::short(screen, verdict)?;
    if let Some(draft) = &item.draft {
        screen.gap()?;
        screen
            .line(format!("The reply follows row `{}` of rules/replies.toml (text {}).", draft.row, draft.template))?;
    }
    if let Some(why) = item.no_draft {
        screen.gap()?;
        screen.line(format!("No reply was drafted: {}.", words::no_draft(why)))?;
    }
    screen.aside(format!("`onward explain {id}` shows everything, `onward fix {id} --as …` corrects it."))?;
    Ok(Exit::Fine)
}

fn heading(screen: &mut Screen<'_>, item: &Item, home: &Home) -> Result<()> {
    let outcome = &item.row.outcome;
    screen.heading(format!("{} · {} · {}", item.row.id, words::subject_of(outcome), words::outcome(outcome)))?;
    if let Some(mail) = &item.row.mail {
        let from = if mail.from_name.is_empty() {
            mail.from_addr.clone()
        } else {
            format!("{} <{}>", mail.from_name, mail.from_addr)
        };
        screen.line(format!("  from     {from}"))?;
        screen.line(format!("  subject  {}", mail.subject))?;
        screen.line(format!("  arrived  {}", words::moment(mail.received_at, &home.zone()?)))?;
        let places: Vec<String> =
            item.places.iter().map(|(account, mailbox)| format!("{mailbox} of {account}")).collect();
        if !places.is_empty() {
            screen.line(format!("  lies in  {}", places.join(", ")))?;
        }
        if junk::holds(&item.places, home.config_if_any()?.as_ref()) {
            screen.wrapped("  ", words::JUNK_CAUTION)?;
        }
    }
    if let Some(reason) = words::reason(outcome.reason) {
        screen.line(format!("  reason   {reason}"))?;
    }
    Ok(())
}

/// One item for programs. The letter stands in it as text: asking for one item is asking to see it.
fn as_json(item: &Item) -> Result<serde_json::Value> {
    let draft = match &item.draft {
        Some(draft) => Some(super::draft::as_json(draft)?),
        None => None,
    };
    Ok(json!({
        "outcome": item.row,
        "chain": item.chain,
        "places": item.places,
        "classification": item.classification.as_ref().map(|(verdict, _)| verdict),
        "draft": draft,
        "no_draft": item.no_draft,
        "note": item.note.as_ref().map(|(note, _)| note),
    }))
}

/// The mail of an item as bytes, for `explain`.
pub fn raw_mail(store: &Store, id: i64) -> Result<(Vec<u8>, bool)> {
    let item = store.item(id)?;
    let Some(mail) = &item.row.mail else { bail!("item {id} was entered by hand; there is no mail to explain") };
    match store.raw(mail.message)? {
        Some(raw) => Ok((raw, mail.truncated)),
        None => bail!("the mail of item {id} is no longer stored; `onward why {id}` shows what was kept"),
    }
}
