//! What the person sees: the only modules that print.

pub mod cli;
pub mod review;
pub mod term;
pub mod words;
