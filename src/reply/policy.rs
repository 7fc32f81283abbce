//! The decision table: which draft a no gets. The first row that fits wins, and the draft names its row.
//!
//! The table is data (`rules/replies.toml`); a file of the person's adds rows before ours or replaces a row by its id.
//! This module must not look at addresses or write texts.

use serde::Deserialize;

use super::{DraftKind, Problem, caps::Caps, eligibility::SenderKind, section::first_line, template::Templates};
use crate::outcome::{Reason, Stage, named};

named! {
    /// Whom a row writes to.
    pub enum Recipient {
        /// The sender of the mail.
        Sender = "sender",
        /// The last human who wrote earlier in the thread, threaded to their last mail; the sender where nobody did.
        Thread = "thread",
        /// Nobody yet: the person names a recipient.
        None = "none",
    }
}

/// One row: its conditions (all that are given must hold) and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// kebab-case, stable; the draft names it.
    pub id: String,
    /// Stages it is for; empty for any.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// Senders it is for; empty for any.
    #[serde(default)]
    pub senders: Vec<SenderKind>,
    /// Reasons it is for; empty for any.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// Whether the mail says that no individual feedback is given.
    pub no_feedback: Option<bool>,
    /// Whether the mail offers feedback or a call.
    pub offers_feedback: Option<bool>,
    /// Whether this employer was asked lately (`ask_again_after_days`).
    pub asked_recently: Option<bool>,
    /// Whether another process at this employer is under way.
    pub live_process: Option<bool>,
    /// Whether a human wrote earlier in the thread.
    pub human_in_thread: Option<bool>,
    /// What the draft wants.
    pub draft: DraftKind,
    /// The template group.
    pub template: String,
    /// Whom it goes to.
    pub to: Recipient,
    /// One sentence for the person, shown with the draft; empty where the row needs no explanation.
    #[serde(default)]
    pub why: String,
}

/// What the rows are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// Stage of the no.
    pub stage: Stage,
    /// Reason of the no.
    pub reason: Reason,
    /// Who wrote it.
    pub sender: SenderKind,
    /// The mail says that no individual feedback is given.
    pub no_feedback: bool,
    /// The mail offers feedback or a call.
    pub offers_feedback: bool,
    /// This employer was asked lately (`ask_again_after_days`).
    pub asked_recently: bool,
    /// Another process at this employer is under way.
    pub live_process: bool,
    /// A human wrote earlier in the thread.
    pub human_in_thread: bool,
}

impl Row {
    /// Whether every condition of the row holds.
    pub fn fits(&self, s: &Situation) -> bool {
        let one_of = |empty: bool, holds: bool| empty || holds;
        let as_asked = |wanted: Option<bool>, is: bool| wanted.is_none_or(|w| w == is);
        one_of(self.stages.is_empty(), self.stages.contains(&s.stage))
            && one_of(self.senders.is_empty(), self.senders.contains(&s.sender))
            && one_of(self.reasons.is_empty(), self.reasons.contains(&s.reason))
            && as_asked(self.no_feedback, s.no_feedback)
            && as_asked(self.offers_feedback, s.offers_feedback)
            && as_asked(self.asked_recently, s.asked_recently)
            && as_asked(self.live_process, s.live_process)
            && as_asked(self.human_in_thread, s.human_in_thread)
    }

    /// A row that no table holds: what is written without having been written to.
    pub(super) fn later(draft: DraftKind, template: &str, to: Recipient) -> Row {
        Row { id: draft.to_string(), draft, template: template.to_owned(), to, ..Row::last_resort() }
    }

    /// The row for what no other row took: every no gets a draft, addressed by the person.
    fn last_resort() -> Row {
        Row {
            id: "otherwise".into(),
            stages: Vec::new(),
            senders: Vec::new(),
            reasons: Vec::new(),
            no_feedback: None,
            offers_feedback: None,
            asked_recently: None,
            live_process: None,
            human_in_thread: None,
            draft: DraftKind::ThankYou,
            template: "thank-you".into(),
            to: Recipient::None,
            why: String::new(),
        }
    }
}

/// The table in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    rows: Vec<Row>,
    otherwise: Row,
    caps: Caps,
}

/// The shipped table: name as the person sees it, and text.
pub const SHIPPED: (&str, &str) = ("rules/replies.toml", include_str!("../../rules/replies.toml"));

/// A table file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Whether the shipped rows are left out.
    #[serde(default)]
    replace_all: bool,
    caps: Option<toml::Spanned<toml::Table>>,
    #[serde(default)]
    row: Vec<toml::Spanned<toml::Table>>,
}

impl Policy {
    /// The shipped table alone.
    pub fn shipped() -> Policy {
        Policy::load(None).0
    }

    /// The shipped table with the person's file (`(name, text)`): rows with a known id take that row's place, new rows
    /// come first, `replace_all = true` leaves out ours; caps it names take the place of ours. A row that cannot be read is reported and left out, the others
    /// stand.
    pub fn load(user: Option<(&str, &str)>) -> (Policy, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut caps = Caps::default();
        let (_, shipped) = read(SHIPPED.0, SHIPPED.1, &mut caps, &mut problems);
        let (replace_all, own) =
            user.map_or((false, Vec::new()), |(file, text)| read(file, text, &mut caps, &mut problems));
        let mut rows = if replace_all { Vec::new() } else { shipped };
        let mut first = Vec::new();
        for row in own {
            match rows.iter_mut().find(|r| r.id == row.id) {
                Some(place) => *place = row,
                None => first.push(row),
            }
        }
        first.append(&mut rows);
        (Policy { rows: first, otherwise: Row::last_resort(), caps }, problems)
    }

    /// The rows in the order they are tried, the last one without conditions.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain([&self.otherwise])
    }

    /// How much is drafted and sent.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// The first row that fits.
    pub fn decide(&self, situation: &Situation) -> &Row {
        self.rows.iter().find(|row| row.fits(situation)).unwrap_or(&self.otherwise)
    }

    /// Rows that name a template group which does not exist in any language.
    pub fn unknown_templates(&self, templates: &Templates) -> Vec<&Row> {
        self.rows().filter(|row| !templates.has_group(row.draft, &row.template)).collect()
    }
}

/// The rows of one file, with everything that is wrong in it.
fn read(file: &str, text: &str, caps: &mut Caps, problems: &mut Vec<Problem>) -> (bool, Vec<Row>) {
    let mut report = |at: usize, message: String, help: &str| {
        problems.push(Problem { file: file.to_owned(), line: line_at(text, at), message, help: help.to_owned() });
    };
    let parsed: File = match toml::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            report(at, first_line(error.message()), "correct it; until then the shipped table is used");
            return (false, Vec::new());
        }
    };
    if let Some(table) = parsed.caps {
        for wrong in caps.take(table.get_ref()) {
            report(table.span().start, format!("caps: {wrong}"), "the shipped cap holds until then");
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    for table in parsed.row {
        let at = table.span().start;
        match Row::deserialize(table.into_inner()) {
            Ok(row) if rows.iter().any(|r| r.id == row.id) => {
                report(at, format!("two rows have the id `{}`", crate::clean::line(&row.id)), "rename one of them");
            }
            Ok(row) => rows.push(row),
            Err(error) => report(at, format!("row: {}", first_line(error.message())), "the row is left out until then"),
        }
    }
    (parsed.replace_all, rows)
}

/// The line of a byte offset, from 1.
fn line_at(text: &str, at: usize) -> u32 {
    let feeds = text.bytes().take(at).filter(|b| *b == b'\n').count();
    u32::try_from(feeds).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_reads_without_a_problem_and_has_its_templates() {
        let (policy, problems) = Policy::load(None);
        assert_eq!(problems, []);
        assert!(policy.rows().count() > 10);
        assert_eq!(policy.unknown_templates(&Templates::shipped()), Vec::<&Row>::new());
    }

    #[test]
    fn rows_of_the_person_replace_and_come_first_and_broken_ones_are_named() {
        let text = "\n[[row]]\nid = \"position-closed\"\ndraft = \"thank-you\"\ntemplate = \"mine\"\nto = \"none\"\n\n\
                    [[row]]\nid = \"new\"\nsenders = [\"agency\"]\ndraft = \"thank-you\"\ntemplate = \"thank-you\"\nto = \"sender\"\n\n\
                    [[row]]\nid = \"bad\"\nsenders = [\"robot\"]\ndraft = \"thank-you\"\ntemplate = \"x\"\nto = \"sender\"\n\n\
                    [[row]]\nid = \"new\"\ndraft = \"thank-you\"\ntemplate = \"x\"\nto = \"sender\"\n";
        let (policy, problems) = Policy::load(Some(("replies.toml", text)));
        assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [15, 22], "{problems:?}");
        assert_eq!(policy.rows().next().map(|r| r.id.as_str()), Some("new"));
        let closed: Vec<_> = policy.rows().filter(|r| r.id == "position-closed").collect();
        assert_eq!(closed.iter().map(|r| r.template.as_str()).collect::<Vec<_>>(), ["mine"]);
        assert_eq!(policy.unknown_templates(&Templates::shipped()).len(), 1);
    }

    #[test]
    fn caps_of_the_person_hold_within_limits() {
        let text =
            "\n[caps]\nsends_a_day = 5\ndrafts_per_sender_a_week = 0\nsends_a_minute = \"many\"\ntime_travel = 1\n";
        let (policy, problems) = Policy::load(Some(("replies.toml", text)));
        assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 2, 2], "{problems:?}");
        assert_eq!(*policy.caps(), Caps { sends_a_day: 5, ..Caps::default() });
        assert_eq!(*Policy::shipped().caps(), Caps::default());
    }

    #[test]
    fn a_file_that_is_no_toml_leaves_the_shipped_table() {
        let (policy, problems) = Policy::load(Some(("replies.toml", "[[row]\nid=1")));
        assert_eq!(problems.len(), 1);
        assert_eq!(policy, Policy::shipped());
        let (policy, problems) = Policy::load(Some(("replies.toml", "replace_all = true")));
        assert_eq!((policy.rows().count(), problems.len()), (1, 0));
    }
}
