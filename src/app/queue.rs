//! The review queue: what waits, and what the person may do with it.
