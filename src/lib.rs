//! Onward watches a job seeker's inbox, tells employers' rejections from everything else, logs each outcome and
//! has a drafted reply and a note waiting for review.
//!
//! The modules stand in the order of a message's path; `ARCHITECTURE.md` tells the whole story. Core modules
//! (everything but [`io`], [`app`], [`ui`], [`config`] and [`secret`]) are pure: no I/O, no clock, no async, no
//! logging. A test keeps them so.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod config;
pub mod secret;

pub mod clean;
pub mod outcome;
pub mod pace;

pub mod classify;
pub mod delivery;
pub mod draft;
pub mod learn;
pub mod message;
pub mod note;
pub mod reply;
pub mod rules;
pub mod stats;
pub mod sync;
pub mod telling;

pub mod io;

pub mod app;

pub mod ui;
