//! What the tests share: private servers, temporary homes, the binary.

pub mod skip;
