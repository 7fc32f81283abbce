//! `onward demo`: shows the whole path on the sample mailbox.

use anyhow::Result;

use super::{Exit, args::DemoArgs, home::Home};
use crate::ui::term::Screen;

/// Runs the verb.
pub fn run(_home: &Home, _args: DemoArgs, _screen: &mut Screen<'_>) -> Result<Exit> {
    Ok(Exit::Fine)
}
