//! Thin shells around the outside world: translate, bound, time out. They make no decisions.

pub mod clock;
pub mod crash;
pub mod editor;
pub mod gate;
pub mod host;
pub mod http;
pub mod imap;
pub mod log;
pub mod maildir;
pub mod oauth;
pub mod rules_dir;
pub mod sasl;
pub mod smtp;
pub mod store;
pub mod systemd;
pub mod text_dir;
pub mod tls;
