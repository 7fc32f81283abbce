//! The mail a person sends to themself to see that sending works, before any reply is sent.
//!
//! It says always the same, and its sender is its only recipient: no other mail gets out this way. It must not read or
//! write the store.

use jiff::{Timestamp, tz::TimeZone};

use super::{Attempt, Deadlines, Gate, submit_bytes};
use crate::{config::Server, draft::Envelope, secret::Credential};

/// The gate of a mail that the person asks for this very moment.
struct Open;

impl Gate for Open {
    async fn open(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Sends the mail from this address to itself.
pub async fn rehearse(server: &Server, user: &str, credential: &Credential, address: &str, now: Timestamp) -> Attempt {
    let envelope = Envelope { from: address.to_owned(), to: Some(address.to_owned()) };
    let message = letter(address, now);
    submit_bytes(server, user, credential, &envelope, message.as_bytes(), &Deadlines::default(), &mut Open, |_| {})
        .await
}

fn letter(address: &str, now: Timestamp) -> String {
    let id = uuid::Uuid::new_v4().simple();
    let domain = address.rsplit('@').next().unwrap_or("localhost");
    let date = now.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000");
    format!(
        "From: <{address}>\r\nTo: <{address}>\r\nSubject: Onward can send\r\nDate: {date}\r\n\
         Message-ID: <{id}@{domain}>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\n\
         You asked Onward for a mail to yourself, and this is it. Replies that you approve\r\n\
         can leave the same way.\r\n"
    )
}
