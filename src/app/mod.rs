//! Orchestration that reads like the product.

pub mod authoring;
pub mod budget;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod effect;
pub mod facts;
pub mod fresh;
pub mod import;
pub mod ingest;
pub mod junk;
pub mod kit;
pub mod later;
pub mod login;
pub mod mailboxes;
pub mod maildir;
pub mod memory;
mod past;
pub mod pulse;
pub mod queue;
mod reading;
mod sent;
pub mod submit;
pub mod upkeep;
pub mod watch;
