//! Everything that can be said to an IMAP server. There is no SELECT, STORE, COPY, MOVE, EXPUNGE, CREATE or DELETE in
//! this list, and the wire takes nothing else.

use jiff::civil::Date;

use super::text::{quote, search_date};

/// Largest command line, in bytes without CRLF. RFC 7162 §4 allows 8,192; old servers stop at 1,000.
pub const LINE_BYTES_MAX: usize = 990;

/// A command without its tag. Mailbox names are in modified UTF-7.
#[derive(Debug)]
pub enum Command<'a> {
    /// RFC 3501 §6.1.1.
    Capability,
    /// RFC 3501 §6.1.2.
    Noop,
    /// RFC 3501 §6.1.3.
    Logout,
    /// RFC 2971.
    Id,
    /// RFC 3501 §6.3.2: read-only.
    Examine { mailbox: String },
    /// RFC 3501 §6.3.8; with special uses where the server must be asked for them (RFC 6154 §3).
    List { return_special_use: bool },
    /// UIDs from this one on (RFC 3501 §6.4.8).
    SearchFrom { uid: u32 },
    /// UIDs of messages that arrived on this day or later (RFC 3501 §6.4.4).
    SearchSince { date: Date },
    /// UIDs of messages whose Message-ID header holds this text.
    SearchMessageId { id: String },
    /// UIDs of messages whose In-Reply-To header holds this text.
    SearchAnswerTo { id: String },
    /// UIDs of messages whose Message-ID was this text before Exchange replaced it.
    SearchOriginalId { id: String },
    /// The first `octets` bytes of messages, without marking them read (RFC 3501 §6.4.5).
    Fetch { set: &'a str, octets: u32 },
    /// RFC 2177.
    Idle,
    /// RFC 3501 §6.3.11; `waits` is false where the server takes the literal unasked (RFC 7888).
    Append { mailbox: String, flags: &'static str, octets: usize, waits: bool },
}

impl Command<'_> {
    /// The command as it goes over the wire, or why it cannot.
    pub fn line(&self) -> Result<String, &'static str> {
        let line = match self {
            Command::Capability => "CAPABILITY".to_owned(),
            Command::Noop => "NOOP".to_owned(),
            Command::Logout => "LOGOUT".to_owned(),
            Command::Id => format!("ID (\"name\" \"onward\" \"version\" {})", quote(env!("CARGO_PKG_VERSION"))?),
            Command::Examine { mailbox } => format!("EXAMINE {}", quote(mailbox)?),
            Command::List { return_special_use: true } => r#"LIST "" "*" RETURN (SPECIAL-USE)"#.to_owned(),
            Command::List { return_special_use: false } => r#"LIST "" "*""#.to_owned(),
            Command::SearchFrom { uid } => format!("UID SEARCH UID {uid}:*"),
            Command::SearchSince { date } => format!("UID SEARCH SINCE {}", search_date(*date)),
            Command::SearchMessageId { id } => format!("UID SEARCH HEADER Message-ID {}", quote(id)?),
            Command::SearchAnswerTo { id } => format!("UID SEARCH HEADER In-Reply-To {}", quote(id)?),
            Command::SearchOriginalId { id } => {
                format!("UID SEARCH HEADER X-Microsoft-Original-Message-ID {}", quote(id)?)
            }
            Command::Fetch { set, octets } => {
                format!("UID FETCH {set} (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{octets}>)")
            }
            Command::Idle => "IDLE".to_owned(),
            Command::Append { mailbox, flags, octets, waits } => {
                format!("APPEND {} {flags} {{{octets}{}}}", quote(mailbox)?, if *waits { "" } else { "+" })
            }
        };
        if line.len() > LINE_BYTES_MAX {
            return Err("a command is longer than servers take");
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_and_append_and_nothing_else() {
        let inbox = || "INBOX".to_owned();
        let all = [
            (Command::Examine { mailbox: inbox() }, r#"EXAMINE "INBOX""#),
            (Command::List { return_special_use: false }, r#"LIST "" "*""#),
            (Command::SearchFrom { uid: 7 }, "UID SEARCH UID 7:*"),
            (Command::SearchSince { date: jiff::civil::date(2026, 11, 5) }, "UID SEARCH SINCE 5-Nov-2026"),
            (Command::SearchMessageId { id: r#"<a"b@c>"#.to_owned() }, r#"UID SEARCH HEADER Message-ID "<a\"b@c>""#),
            (Command::SearchAnswerTo { id: "<a@b>".to_owned() }, r#"UID SEARCH HEADER In-Reply-To "<a@b>""#),
            (
                Command::SearchOriginalId { id: "<a@b>".to_owned() },
                r#"UID SEARCH HEADER X-Microsoft-Original-Message-ID "<a@b>""#,
            ),
            (
                Command::Fetch { set: "3,5:9", octets: 65_536 },
                "UID FETCH 3,5:9 (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.65536>)",
            ),
            (
                Command::Append { mailbox: inbox(), flags: r"(\Draft \Seen)", octets: 12, waits: true },
                r#"APPEND "INBOX" (\Draft \Seen) {12}"#,
            ),
            (
                Command::Append { mailbox: inbox(), flags: r"(\Seen)", octets: 12, waits: false },
                r#"APPEND "INBOX" (\Seen) {12+}"#,
            ),
            (Command::Capability, "CAPABILITY"),
            (Command::Noop, "NOOP"),
            (Command::Idle, "IDLE"),
            (Command::Logout, "LOGOUT"),
        ];
        for (command, expected) in all {
            assert_eq!(command.line().as_deref(), Ok(expected));
        }
    }

    #[test]
    fn hostile_values_are_refused_not_sent() {
        let examine = |mailbox: &str| Command::Examine { mailbox: mailbox.to_owned() }.line();
        assert!(examine("INBOX\r\nZ1 DELETE \"INBOX\"").is_err());
        assert!(Command::SearchMessageId { id: "<a@b>\r\nZ1 LOGOUT".to_owned() }.line().is_err());
        assert!(Command::SearchOriginalId { id: "<a@b>\r\nZ1 LOGOUT".to_owned() }.line().is_err());
        assert!(Command::Fetch { set: &"1,".repeat(600), octets: 1 }.line().is_err());
    }
}
