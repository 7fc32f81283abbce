//! `onward explain`.
use super::{Exit, home::Home};
use crate::{classify::Classification, ui::term::Screen};
use anyhow::Result;
pub fn short(screen: &mut Screen<'_>, verdict: &Classification) -> Result<()> {
    let _ = (screen, verdict);
    Ok(())
}
pub fn run(_h: &Home, _w: &str, _r: Option<&str>, _a: bool, _s: &mut Screen<'_>) -> Result<Exit> {
    Ok(Exit::Fine)
}
