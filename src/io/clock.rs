//! The one place that reads the clock; everything else takes `now` as an argument.

/// The current instant.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
