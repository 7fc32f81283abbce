//! Tests of the store: what it keeps, what it refuses, and that it does so under crashes and crowds.

mod chains;
mod fixture;
mod history;
mod ingest;
mod opening;
mod outbox;
mod random;
