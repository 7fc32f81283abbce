//! `onward log`: everything that happened, newest last; or all outcomes as CSV.

use anyhow::Result;

use super::{Exit, args::LogArgs, home::Home, list::is_held};
use crate::{
    io::{
        clock,
        store::{Event, EventFilter, EventKind, Filter, OutcomeRow},
    },
    ui::{term::Screen, words},
};

/// Runs the verb.
pub fn run(home: &Home, args: &LogArgs, screen: &mut Screen<'_>) -> Result<Exit> {
    let store = home.log()?;
    let now = clock::now();
    let rows = store.list(&Filter::default())?;
    if args.export {
        return export(&rows, home, screen);
    }
    let held: Vec<&OutcomeRow> = rows.iter().filter(|row| !args.all && !home.json() && is_held(row, now)).collect();
    // A mail's own line names what it was judged to be, so it is held back with its item.
    let tells_of = |event: &Event, row: &OutcomeRow| {
        event.outcome == Some(row.id)
            || event.message.is_some_and(|id| row.mail.as_ref().is_some_and(|m| m.message == id))
    };
    let mut events = store.events(&EventFilter::default())?;
    events.retain(|event| !held.iter().any(|row| tells_of(event, row)));
    let skip = events.len().saturating_sub(args.limit as usize);
    let zone = home.zone()?;
    for event in events.iter().skip(skip) {
        if home.json() {
            writeln!(screen.raw(), "{}", serde_json::to_string(event)?)?;
            continue;
        }
        screen.line(format!("{}  {}", words::moment(event.at, &zone), said(event)))?;
    }
    if events.is_empty() && held.is_empty() && !home.json() {
        screen.line("Nothing has happened yet.")?;
    }
    if !held.is_empty() {
        let (n, wait) = (words::counted(held.len(), "item"), if held.len() == 1 { "waits" } else { "wait" });
        screen.aside(format!("{n} {wait} for your reading hour; `onward log --all` shows everything."))?;
    }
    Ok(Exit::Fine)
}

/// What happened, for the person.
fn said(event: &Event) -> String {
    let detail = |key: &str| event.detail.get(key).and_then(|value| value.as_str()).unwrap_or_default();
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    let (mail, item, draft) = (number(event.message), number(event.outcome), number(event.draft));
    let category = detail("category").parse().map_or("something else", words::category);
    let by = if detail("origin") == "person" { "by you" } else { "by the rules" };
    match event.kind {
        EventKind::Message => {
            format!("mail {mail} read from {} of {}: {category}", detail("mailbox"), detail("account"))
        }
        EventKind::Duplicate => format!("mail {mail} met again in {} of {}", detail("mailbox"), detail("account")),
        EventKind::Outcome => format!("item {item}: {category}, {by}"),
        EventKind::Supersede => {
            let before = event.detail.get("supersedes").and_then(|value| value.as_i64());
            format!("item {item}: {category}, {by}, in place of item {}", number(before))
        }
        EventKind::Undo => format!("item {item}: back to {category}"),
        EventKind::Told => format!("item {item}: you were told ({})", detail("channel")),
        EventKind::Draft => {
            let state = detail("state").parse().map_or("", words::draft_state);
            let remark = if detail("remark").is_empty() { String::new() } else { format!(" ({})", detail("remark")) };
            format!("draft {draft} of item {item}: {state}{remark}")
        }
        EventKind::Copy if event.detail.get("filed").is_some_and(|filed| filed == true) => {
            format!("draft {draft}: a copy was put into {}", detail("mailbox"))
        }
        EventKind::Copy => format!("draft {draft}: its copy was found in {}", detail("mailbox")),
        EventKind::DraftLeftOut => format!("item {item}: draft {draft} answers this mail already"),
        EventKind::Forgotten => format!("mail {mail}: what you said of it was forgotten"),
        EventKind::Feedback if event.draft.is_some() => format!("item {item}: an answer to draft {draft}"),
        EventKind::Feedback => format!("item {item}: feedback that nobody asked for"),
        EventKind::Note => format!("item {item}: a note ({})", detail("template")),
        EventKind::Quarantine | EventKind::Vanished | EventKind::CursorReset | EventKind::Purge => {
            format!("{}: {}", event.kind.as_str().replace('_', " "), event.detail)
        }
    }
}

/// All outcomes as CSV (RFC 4180). A cell that a spreadsheet would run as a formula is disarmed with an apostrophe.
fn export(rows: &[OutcomeRow], home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let zone = home.zone()?;
    let out = screen.raw();
    writeln!(out, "date,employer,role,requisition,outcome,stage,reason,from,subject\r")?;
    for row in rows.iter().rev() {
        let at = row.mail.as_ref().map_or(row.detected_at, |mail| mail.received_at);
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let cells = [
            at.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string(),
            text(&row.outcome.employer),
            text(&row.outcome.role),
            text(&row.outcome.requisition_id),
            row.outcome.category.to_string(),
            row.outcome.stage.to_string(),
            row.outcome.reason.to_string(),
            row.mail.as_ref().map(|mail| mail.from_addr.clone()).unwrap_or_default(),
            row.mail.as_ref().map(|mail| mail.subject.clone()).unwrap_or_default(),
        ];
        let line: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        writeln!(out, "{}\r", line.join(","))?;
    }
    Ok(Exit::Fine)
}

fn csv_cell(text: &str) -> String {
    let armed = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if armed { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn a_spreadsheet_runs_nothing() {
        assert_eq!(csv_cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a, b"), "\"a, b\"");
    }
}
