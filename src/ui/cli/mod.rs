//! The command line: one file per verb.

pub mod classify;
pub mod explain;
pub mod rules;
