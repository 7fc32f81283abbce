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
pub mod login;
pub mod maildir;
pub mod memory;
pub mod pulse;
pub mod queue;
mod reading;
pub mod submit;
pub mod upkeep;
pub mod watch;
