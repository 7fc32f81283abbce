//! `onward demo`: the ordinary path against an embedded IMAP server.
//!
//! [`mailbox`] is the sample mail, [`server`] the server that holds it. Neither knows anything of rules, outcomes or
//! drafts: the engine that reads this mailbox must not be able to tell that it is a demo.

pub mod mailbox;
pub mod server;

pub use mailbox::{ANCHOR, PERSON_EMAIL, PERSON_NAME, SampleMail, sample};
pub use server::{DemoMail, DemoServer};
