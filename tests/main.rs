//! One integration binary; each module is an area of the product.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod support;

mod any_order;
mod app;
mod cli;
mod config;
mod corpus;
mod crash_points;
mod delivery;
mod demo;
mod e2e;
mod exactly_once;
mod fuzz;
mod hostile;
mod imap;
mod junk;
mod learn;
mod liveness;
mod message;
mod metamorphic;
mod oauth;
mod project;
mod providers;
mod reply;
mod rules;
mod service;
mod smtp;
mod store;
mod wording;
