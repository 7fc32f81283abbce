//! Who a reply may go to, as a type: the sender of the mail, a person of its thread, or whom the person typed.
//!
//! No address that stands anywhere else in a mail can become one. This module must not choose.

use super::{person::is_address, propose::ThreadMail};
use crate::{
    clean,
    message::{Address, Message},
};

/// An address that a reply may go to. There are three ways to one, and a text of a mail is none of them:
///
/// ```compile_fail
/// use onward::{message::Address, reply::Addressee};
/// let anybody = Address { name: String::new(), email: "thief@evil.example".into() };
/// let addressee = Addressee(anybody);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee(Address);

impl Addressee {
    /// The sender: an address in `From` or `Reply-To` of the mail that is answered, and none other.
    pub(super) fn sender(message: &Message, address: &Address) -> Option<Addressee> {
        let stands_there = message.from.iter().chain(&message.reply_to).any(|own| own == address);
        (stands_there && is_address(&address.email)).then(|| Addressee(address.clone()))
    }

    /// A person who wrote earlier in the thread.
    pub(super) fn of_thread(mail: &ThreadMail) -> Option<Addressee> {
        (mail.human && is_address(&mail.from.email)).then(|| Addressee(mail.from.clone()))
    }

    /// The recipient of a draft of ours, which was one of these when it was made.
    pub(super) fn kept(name: &str, email: &str) -> Option<Addressee> {
        is_address(email).then(|| Addressee(Address { name: clean::line(name), email: email.to_owned() }))
    }

    /// Whom the person typed: `name@domain` or `Name <name@domain>`; `None` where that is not one address.
    pub fn typed(text: &str) -> Option<Addressee> {
        let text = clean::line(text);
        let (name, email) = match text.split_once('<') {
            Some((name, rest)) => (name.trim().trim_matches('"').to_owned(), rest.strip_suffix('>')?.trim().to_owned()),
            None => (String::new(), text),
        };
        let (local, domain) = email.rsplit_once('@')?;
        let email = format!("{local}@{}", domain.to_lowercase());
        is_address(&email).then_some(Addressee(Address { name, email }))
    }

    /// The address.
    pub fn address(&self) -> &Address {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Fetched, MessageId};

    #[test]
    fn nobody_outside_the_allowed_set_can_be_written_to() {
        let mail = b"From: Anna <anna@kestrel.example>\r\nReply-To: jobs@kestrel.example\r\nCc: cc@kestrel.example\r\n\
                     Sender: sender@kestrel.example\r\nTo: sam@roe.example\r\nSubject: x\r\n\r\nWrite to text@evil.example\r\n";
        let message = Message::parse(mail, Fetched::Whole);
        let address = |email: &str| Address { name: String::new(), email: email.into() };
        for (address, allowed) in [
            (message.from[0].clone(), true),
            (address("jobs@kestrel.example"), true),
            (address("cc@kestrel.example"), false),
            (address("sender@kestrel.example"), false),
            (address("sam@roe.example"), false),
            (address("text@evil.example"), false),
        ] {
            assert_eq!(Addressee::sender(&message, &address).is_some(), allowed, "{}", address.email);
        }
        let mut of_thread = ThreadMail {
            message_id: MessageId::new("a@kestrel.example").unwrap(),
            from: address("ben@kestrel.example"),
            subject: String::new(),
            date: jiff::Timestamp::UNIX_EPOCH,
            human: true,
            references: Vec::new(),
        };
        assert!(Addressee::of_thread(&of_thread).is_some());
        of_thread.human = false;
        assert_eq!(Addressee::of_thread(&of_thread), None);
        assert!(Addressee::typed("Ben Ito <ben@Kestrel.example>").is_some());
        for wrong in ["", "ben", "a@x.example, b@x.example", "a@x.example\r\nBcc: b@x.example", "<a@x.example"] {
            assert_eq!(Addressee::typed(wrong), None, "{wrong}");
        }
    }
}
