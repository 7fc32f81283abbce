//! Tests of the store: what it keeps, what it refuses, and that it does so under crashes and crowds.

mod backup;
mod chains;
pub mod fixture;
mod forgetting;
mod full;
mod history;
mod ingest;
mod opening;
mod outbox;
mod random;
