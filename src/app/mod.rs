//! Orchestration that reads like the product.

pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod ingest;
pub mod queue;
pub mod submit;
