//! By what a message is known and what it refers to: its ids alone, for mail of which nothing else is wanted.

use super::{MessageId, guard, headers::Fields};

/// The ids of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadIds {
    /// Its own: `Message-ID`, and the one it was sent with where the server gave it another.
    pub own: Vec<MessageId>,
    /// `References` and `In-Reply-To`, the oldest first.
    pub references: Vec<MessageId>,
}

impl ThreadIds {
    /// Reads them from the beginning of a message. Total; nothing else of the message is looked at.
    pub fn of(bytes: &[u8]) -> ThreadIds {
        let fields = Fields::split(guard::header_section(bytes.trim_ascii_start()));
        let mut ids = ThreadIds::default();
        for (names, list) in [
            (["Message-ID", "X-Microsoft-Original-Message-ID"], &mut ids.own),
            (["References", "In-Reply-To"], &mut ids.references),
        ] {
            for id in names.iter().flat_map(|name| fields.ids(name)) {
                if !list.contains(&id) {
                    list.push(id);
                }
            }
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_nothing_else() {
        let ids = ThreadIds::of(
            b"Subject: x\r\nMessage-ID: <new@server.example>\r\nX-Microsoft-Original-Message-ID:\r\n <old@me.example>\r\n\
              References: <a@x.example>\r\n <b@x.example>\r\nIn-Reply-To: <b@x.example>\r\n\r\nIn-Reply-To: <c@x.example>\r\n",
        );
        let words = |list: &[MessageId]| list.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(words(&ids.own), ["new@server.example", "old@me.example"]);
        assert_eq!(words(&ids.references), ["a@x.example", "b@x.example"]);
        assert_eq!(ThreadIds::of(b""), ThreadIds::default());
        assert_eq!(ThreadIds::of(b"\xff\xfe\r\n\0"), ThreadIds::default());
    }
}
