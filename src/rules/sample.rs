//! The message of a `[[message_test]]`: sender, subject and text as a mail, read by the same parser as any other.

use super::set::MessageTest;
use crate::{
    clean,
    message::{Fetched, Message},
};

impl MessageTest {
    /// The message to judge.
    pub fn message(&self) -> Message {
        let mut mail = String::from("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n");
        mail.push_str("Content-Transfer-Encoding: 8bit\r\n");
        if !self.from.is_empty() {
            mail.push_str(&format!("From: {}\r\n", clean::line(&self.from)));
        }
        mail.push_str(&format!("Subject: {}\r\n", clean::line(&self.subject)));
        if self.reply {
            mail.push_str("In-Reply-To: <earlier@example.org>\r\n");
        }
        mail.push_str("\r\n");
        mail.push_str(&self.body.trim_start().replace('\n', "\r\n"));
        Message::parse(mail.as_bytes(), Fetched::Whole)
    }
}
