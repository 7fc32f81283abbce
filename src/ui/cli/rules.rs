//! `onward rules`.
use super::{Exit, args::RulesVerb, home::Home};
use crate::ui::term::Screen;
use anyhow::Result;
pub fn run(_h: &Home, _v: &RulesVerb, _s: &mut Screen<'_>) -> Result<Exit> {
    Ok(Exit::Fine)
}
