//! `onward review`: one item at a time, in lines, like `git add -p`. Works over ssh and with a screen reader.
//!
//! It shows and asks; what a key does is in [`crate::app::queue`]. It must not send anything.

use std::io::BufRead;

use anyhow::Result;
use jiff::Timestamp;

use super::{term::Screen, words};
use crate::{
    app::{
        kit::Kit,
        queue::{self, Correction, Waiting},
    },
    classify::Classification,
    draft::{Digest, DraftState},
    io::store::{DraftView, Item, OutcomeRow, Store, StoreError},
    outcome::Category,
    reply::editable,
};

/// Longest answer that is looked at, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024;

/// Opens a text in the person's editor and gives back what they left; `None` when they changed nothing.
pub type Editor<'a> = &'a dyn Fn(&str) -> Result<Option<String>>;

/// What a review needs.
pub struct Review<'a> {
    /// The log.
    pub store: &'a mut Store,
    /// Rules and texts.
    pub kit: &'a Kit,
    /// Where answers come from, a line each.
    pub input: &'a mut dyn BufRead,
    /// The person's editor.
    pub editor: Editor<'a>,
    /// Now.
    pub now: Timestamp,
    /// Whether drafts that still rest are shown as well.
    pub all: bool,
}

/// What came of a review.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Drafts approved.
    pub approved: u32,
    /// Drafts discarded.
    pub discarded: u32,
    /// Verdicts corrected or confirmed.
    pub corrected: u32,
    /// Items left for later.
    pub later: u32,
}

/// What to do after an item.
enum Next {
    Item,
    Quit,
}

impl Review<'_> {
    /// Goes through what waits until the end, `q`, or the end of the input.
    pub fn run(&mut self, screen: &mut Screen<'_>) -> Result<Tally> {
        let waiting = queue::waiting(self.store, self.now, self.all)?;
        let mut tally = Tally::default();
        if waiting.undecided.is_empty() && waiting.drafts.is_empty() {
            screen.line("Nothing waits for you.")?;
            self.resting(screen, &waiting)?;
            return Ok(tally);
        }
        let total = waiting.undecided.len() + waiting.drafts.len();
        let rows = waiting.undecided.iter().map(|r| (r, true)).chain(waiting.drafts.iter().map(|r| (r, false)));
        for (n, (row, undecided)) in (1..).zip(rows) {
            screen.gap()?;
            let next = if undecided {
                self.undecided(screen, row, (n, total), &mut tally)?
            } else {
                self.draft(screen, row, (n, total), &mut tally)?
            };
            if matches!(next, Next::Quit) {
                break;
            }
        }
        screen.gap()?;
        self.resting(screen, &waiting)?;
        Ok(tally)
    }

    fn resting(&self, screen: &mut Screen<'_>, waiting: &Waiting) -> Result<()> {
        let Some(first) = waiting.resting.iter().filter_map(|row| row.draft_due_at).min() else { return Ok(()) };
        let n = waiting.resting.len();
        let when = words::moment(first, &self.kit.telling.zone);
        let drafts = if n == 1 { "1 draft rests".to_owned() } else { format!("{n} drafts rest") };
        screen.aside(format!("{drafts}; the next one is offered {when}. `onward review --all` shows them now."))?;
        Ok(())
    }

    /// A mail that the rules would not decide alone.
    fn undecided(
        &mut self,
        screen: &mut Screen<'_>,
        row: &OutcomeRow,
        place: (usize, usize),
        tally: &mut Tally,
    ) -> Result<Next> {
        let item = self.store.item(row.id)?;
        head(screen, &item, place)?;
        if let Some((verdict, _)) = &item.classification {
            sentences(screen, verdict)?;
            let asks: Vec<&str> = verdict.asks.iter().map(|ask| words::because(*ask)).collect();
            if !asks.is_empty() {
                screen.wrapped("  ", &format!("Not decided: {}.", asks.join("; ")))?;
            }
        }
        loop {
            screen.prompt("What is it? [y]es, as guessed · [w]rong · [l]ater · [q]uit  ")?;
            match self.key()? {
                Some('y') => {
                    let correction = Correction { category: Some(row.outcome.category), ..Correction::default() };
                    return self.correct(screen, row.id, &correction, tally);
                }
                Some('w') => match self.category(screen)? {
                    Some(category) => {
                        let correction = Correction { category: Some(category), ..Correction::default() };
                        return self.correct(screen, row.id, &correction, tally);
                    }
                    None => continue,
                },
                Some('l') => {
                    tally.later += 1;
                    return Ok(Next::Item);
                }
                Some('q') | None => return Ok(Next::Quit),
                Some(_) => screen.line("Please answer y, w, l or q.")?,
            }
        }
    }

    /// A draft.
    fn draft(
        &mut self,
        screen: &mut Screen<'_>,
        row: &OutcomeRow,
        place: (usize, usize),
        tally: &mut Tally,
    ) -> Result<Next> {
        let item = self.store.item(row.id)?;
        let Some(shown) = &item.draft else { return Ok(Next::Item) };
        head(screen, &item, place)?;
        if let Some((verdict, _)) = &item.classification {
            sentences(screen, verdict)?;
        }
        note(screen, &item)?;
        let mut draft = queue::redated(self.store, self.kit, shown.id, self.now)?;
        // What the person wrote and could not be taken: the next edit begins with it.
        let mut unsaved = None;
        letter(screen, &draft)?;
        loop {
            screen.prompt(keys(draft.state))?;
            let key = self.key()?;
            match (key, draft.state) {
                (Some('a'), DraftState::Pending) => match self.store.approve(draft.id, draft.digest, self.now) {
                    Ok(()) => {
                        tally.approved += 1;
                        screen.line("Approved.")?;
                        return Ok(Next::Item);
                    }
                    Err(error) => self.refused(screen, "Not approved", &error, &mut draft)?,
                },
                (Some('e'), DraftState::Pending | DraftState::Failed) => {
                    self.edit(screen, &mut draft, &mut unsaved)?;
                }
                (Some('v'), DraftState::Pending | DraftState::Failed) => {
                    let changed = queue::other_wording(self.store, self.kit, draft.id, self.now);
                    self.show_change(screen, &mut draft, changed)?;
                }
                (Some('d'), _) => match self.store.discard(draft.id, self.now) {
                    Ok(_) => {
                        tally.discarded += 1;
                        screen.line(format!("Discarded. `onward draft restore {}` brings it back.", draft.id))?;
                        return Ok(Next::Item);
                    }
                    Err(error) => self.refused(screen, "Not discarded", &error, &mut draft)?,
                },
                (Some('w'), _) => {
                    if let Some(category) = self.category(screen)? {
                        let correction = Correction { category: Some(category), ..Correction::default() };
                        return self.correct(screen, row.id, &correction, tally);
                    }
                }
                (Some('n'), _) => note(screen, &item)?,
                (Some('l'), _) => {
                    tally.later += 1;
                    return Ok(Next::Item);
                }
                (Some('q') | None, _) => return Ok(Next::Quit),
                (Some('?'), _) => help(screen)?,
                _ => screen.line("Please answer with one of the letters; ? explains them.")?,
            }
        }
    }

    /// Says why a step was refused, and shows the draft again where it changed meanwhile: a mail may have come, or
    /// another window was faster.
    fn refused(&self, screen: &mut Screen<'_>, what: &str, error: &StoreError, draft: &mut DraftView) -> Result<()> {
        screen.wrapped("", &format!("{what}: {error}."))?;
        let now = self.store.draft(draft.id)?;
        if (now.digest, now.state) != (draft.digest, draft.state) {
            *draft = now;
            letter(screen, draft)?;
        } else if matches!(error, StoreError::NoRecipient | StoreError::Stopped { .. }) {
            screen.line("[e]dit names a recipient or changes the text.")?;
        }
        Ok(())
    }

    /// Lets the person edit the draft. A text that cannot be sent as it is comes back at the next edit.
    fn edit(&mut self, screen: &mut Screen<'_>, draft: &mut DraftView, unsaved: &mut Option<String>) -> Result<()> {
        let before = match unsaved.as_ref() {
            Some(text) => text.clone(),
            None => editable(&draft.bytes)?.to_text(),
        };
        match (self.editor)(&before) {
            Ok(Some(text)) => {
                let changed = queue::edit(self.store, self.kit, draft.id, &text, self.now);
                *unsaved = changed.is_err().then_some(text);
                self.show_change(screen, draft, changed)
            }
            Ok(None) => Ok(screen.line("Nothing changed.")?),
            Err(error) => Ok(screen.wrapped("", &format!("Not changed: {error:#}."))?),
        }
    }

    fn show_change(&self, screen: &mut Screen<'_>, draft: &mut DraftView, changed: Result<Digest>) -> Result<()> {
        match changed {
            Ok(_) => {
                *draft = self.store.draft(draft.id)?;
                letter(screen, draft)?;
            }
            Err(error) => screen.wrapped("", &format!("Not changed: {error:#}"))?,
        }
        Ok(())
    }

    fn correct(
        &mut self,
        screen: &mut Screen<'_>,
        id: i64,
        correction: &Correction,
        tally: &mut Tally,
    ) -> Result<Next> {
        let done = queue::fix(self.store, self.kit, id, correction, self.now)?;
        tally.corrected += 1;
        let drafted = if done.draft.is_some() { " A draft waits in the queue." } else { "" };
        screen.line(format!("Noted.{drafted} `onward undo {id}` takes it back."))?;
        Ok(Next::Item)
    }

    /// Asks for a category by number; `None` when the person thinks better of it.
    fn category(&mut self, screen: &mut Screen<'_>) -> Result<Option<Category>> {
        for (n, category) in (1..).zip(Category::ALL) {
            screen.line(format!("  {n:>2}  {}", words::category(*category)))?;
        }
        screen.prompt("What is it really? A number, or Enter to go back  ")?;
        let answer = self.answer()?.unwrap_or_default();
        let chosen = answer.parse::<usize>().ok().and_then(|n| Category::ALL.get(n.checked_sub(1)?));
        if chosen.is_none() && !answer.is_empty() {
            screen.line("There is no such number.")?;
        }
        Ok(chosen.copied())
    }

    /// The letter that was answered; a blank for anything that is not one letter: a word is no approval.
    fn key(&mut self) -> Result<Option<char>> {
        Ok(self.answer()?.map(|line| {
            let mut chars = line.chars();
            match (chars.next(), chars.next()) {
                (Some(key), None) => key.to_ascii_lowercase(),
                _ => ' ',
            }
        }))
    }

    /// One line of input without its end, cut at [`ANSWER_BYTES_MAX`]; `None` at the end of the input. The rest of a
    /// longer line is dropped: it must not answer the next question.
    fn answer(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        let read = std::io::Read::take(&mut *self.input, ANSWER_BYTES_MAX).read_until(b'\n', &mut line)?;
        if read > 0 && !line.ends_with(b"\n") {
            self.input.skip_until(b'\n')?;
        }
        Ok((read > 0).then(|| String::from_utf8_lossy(&line).trim().to_owned()))
    }
}

fn keys(state: DraftState) -> &'static str {
    match state {
        DraftState::Unconfirmed => "[d]iscard [l]ater [w]rong [q]uit [?]  ",
        DraftState::Failed => "[e]dit [v]ariant [d]iscard [l]ater [w]rong [n]ote [q]uit [?]  ",
        _ => "[a]pprove [e]dit [v]ariant [d]iscard [l]ater [w]rong [n]ote [q]uit [?]  ",
    }
}

fn help(screen: &mut Screen<'_>) -> Result<()> {
    for line in [
        "a  approve exactly this text to exactly this address",
        "e  open it in your editor: recipient, subject and text",
        "v  another wording of the same kind",
        "d  drop it; it can be brought back",
        "l  leave it as it is for now",
        "w  the mail was judged wrongly: say what it is",
        "n  the note once more",
        "q  stop here; the rest waits",
    ] {
        screen.line(format!("  {line}"))?;
    }
    Ok(())
}

fn head(screen: &mut Screen<'_>, item: &Item, (n, total): (usize, usize)) -> Result<()> {
    screen.heading(format!(
        "{n} of {total} · {} · {}",
        words::subject_of(&item.row.outcome),
        words::outcome(&item.row.outcome)
    ))?;
    if let Some(mail) = &item.row.mail {
        let from = if mail.from_name.is_empty() { &mail.from_addr } else { &mail.from_name };
        screen.aside(format!("  {from}: {}", mail.subject))?;
    }
    Ok(())
}

/// The sentences that decided, each with its rule.
pub fn sentences(screen: &mut Screen<'_>, verdict: &Classification) -> Result<()> {
    let mut shown = Vec::new();
    for hit in verdict.evidence().filter(|h| h.category == Some(verdict.category) && h.weight > 0.0).take(3) {
        if !shown.contains(&hit.sentence) {
            screen.wrapped("  > ", &hit.sentence)?;
            screen.aside(format!("    {} ({}:{})", hit.title, hit.file, hit.line))?;
            shown.push(hit.sentence.clone());
        }
    }
    Ok(())
}

/// The note, where there is one.
pub fn note(screen: &mut Screen<'_>, item: &Item) -> Result<()> {
    if let Some((note, _)) = &item.note {
        screen.gap()?;
        screen.wrapped("  ", &note.text)?;
    }
    Ok(())
}

/// A draft as it would be sent, with what to look at twice.
pub fn letter(screen: &mut Screen<'_>, draft: &DraftView) -> Result<()> {
    let edit = editable(&draft.bytes)?;
    screen.gap()?;
    screen.aside(format!(
        "  draft {} · {} · {}",
        draft.id,
        words::draft_kind(draft.kind),
        words::draft_state(draft.state)
    ))?;
    let to = edit.to.as_ref().map_or("(nobody yet)".to_owned(), |to| {
        let crate::message::Address { name, email } = to.address();
        if name.is_empty() { email.clone() } else { format!("{name} <{email}>") }
    });
    screen.line(format!("  To:      {to}"))?;
    screen.line(format!("  From:    {}", draft.envelope.from))?;
    screen.line(format!("  Subject: {}", edit.subject))?;
    screen.gap()?;
    screen.wrapped("  | ", edit.body.trim_end())?;
    screen.gap()?;
    for caution in &draft.cautions {
        let mark = if caution.stops { "  stop: " } else { "  note: " };
        screen.wrapped(mark, &caution.text)?;
    }
    Ok(())
}
