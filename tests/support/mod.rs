//! What the tests share: private servers, temporary homes, the binary.

#![allow(dead_code, reason = "not every area uses every helper")]

pub mod smtp_sink;
