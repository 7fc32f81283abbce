//! `onward log`: everything that happened, newest last; or all outcomes as CSV.

use anyhow::Result;

use super::{Exit, args::LogArgs, home::Home, list::is_held};
use crate::{
    io::{
        clock,
        store::{EventFilter, Filter, OutcomeRow},
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
    let held: Vec<i64> =
        rows.iter().filter(|row| !args.all && !home.json() && is_held(row, now)).map(|row| row.id).collect();
    let mut events = store.events(&EventFilter::default())?;
    let skip = events.len().saturating_sub(args.limit as usize);
    events.drain(..skip);
    for event in &events {
        if event.outcome.is_some_and(|id| held.contains(&id)) {
            continue;
        }
        if home.json() {
            writeln!(screen.raw(), "{}", serde_json::to_string(event)?)?;
            continue;
        }
        let about = [("message", event.message), ("item", event.outcome), ("draft", event.draft)];
        let about: Vec<String> = about.iter().filter_map(|(what, id)| id.map(|id| format!("{what} {id}"))).collect();
        let detail = if event.detail.as_object().is_some_and(|o| o.is_empty()) {
            String::new()
        } else {
            event.detail.to_string()
        };
        screen.line(format!(
            "{}  {:<12}  {}  {detail}",
            words::moment(event.at, &home.env.zone),
            event.kind,
            about.join(", ")
        ))?;
    }
    if !held.is_empty() {
        screen.aside(format!("{} outcomes wait for your reading hour; `--all` shows them.", held.len()))?;
    }
    Ok(Exit::Fine)
}

/// All outcomes as CSV (RFC 4180). A cell that a spreadsheet would run as a formula is disarmed with an apostrophe.
fn export(rows: &[OutcomeRow], home: &Home, screen: &mut Screen<'_>) -> Result<Exit> {
    let out = screen.raw();
    writeln!(out, "date,employer,role,requisition,outcome,stage,reason,from,subject\r")?;
    for row in rows.iter().rev() {
        let at = row.mail.as_ref().map_or(row.detected_at, |mail| mail.received_at);
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let cells = [
            at.to_zoned(home.env.zone.clone()).strftime("%Y-%m-%d").to_string(),
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
