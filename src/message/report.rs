//! Delivery reports (RFC 3464 and what older servers send): which mail came back, and why.
//!
//! It must not know what was sent: the id it finds is whatever the report says.

use super::{MessageId, headers::Fields};
use crate::clean;

/// Bytes of a report's machine-readable part, and of its text, that are read.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Longest reason kept, in characters: a server's line or two.
const REASON_CHARS_MAX: usize = 200;

/// A mail that could not be delivered, as the report about it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// `Message-ID` of the mail that came back.
    pub id: MessageId,
    /// Enhanced status code (RFC 3463), e.g. `5.1.1`.
    pub status: Option<String>,
    /// The server's words, cleaned; empty where there are none.
    pub reason: String,
}

/// The pieces of a report, as the parts of a message hold them.
#[derive(Default)]
pub(super) struct Pieces {
    /// `message/delivery-status`.
    pub status: Option<String>,
    /// `Message-ID` in the headers that were sent back.
    pub id: Option<MessageId>,
    /// The report is about something else than delivery: a receipt, a complaint.
    pub other: bool,
}

/// What came back; `None` for a receipt, for a mail that is only late, and where no mail is named.
pub(super) fn read<'t>(
    pieces: Pieces,
    answers: Option<&MessageId>,
    mut texts: impl Iterator<Item = &'t str>,
) -> Option<Returned> {
    if pieces.other {
        return None;
    }
    let failure = pieces.status.as_deref().map(failure);
    let (status, reason) = match failure {
        Some(None) => return None,
        Some(Some(said)) => said,
        None => (None, String::new()),
    };
    // Servers from before the standard copy the mail into the text.
    let id = pieces.id.or_else(|| texts.find_map(copied_id)).or_else(|| answers.cloned())?;
    Some(Returned { id, status, reason })
}

/// The code and the words of the first recipient that was given up; `None` where none was.
fn failure(status: &str) -> Option<(Option<String>, String)> {
    let status = bounded(status).replace("\r\n", "\n");
    let groups: Vec<Fields<'_>> = status.split("\n\n").map(|group| Fields::split(group.as_bytes())).collect();
    let action = |group: &Fields<'_>| group.line("Action").map(|action| action.to_ascii_lowercase());
    let given_up = groups.iter().find(|group| action(group).is_some_and(|action| action.starts_with("failed")));
    if given_up.is_none() && groups.iter().any(|group| action(group).is_some()) {
        return None;
    }
    let code = given_up.and_then(|group| group.line("Status")).and_then(|line| {
        let code = line.split_whitespace().next()?.to_owned();
        let fine = code.len() <= 9 && code.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        fine.then_some(code)
    });
    let words = given_up.and_then(|group| group.line("Diagnostic-Code")).unwrap_or_default();
    let words = words.split_once(';').map_or(words.as_str(), |(_, words)| words);
    Some((code, clean::line_within(words, REASON_CHARS_MAX)))
}

/// The id in a line `Message-ID: <…>` of a text.
fn copied_id(text: &str) -> Option<MessageId> {
    bounded(text).lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("message-id").then(|| MessageId::new(value)).flatten()
    })
}

fn bounded(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::message::{Fetched, Message};

    const MINE: &str = "7a0e4b7e@roe.example";

    /// A report with these parts behind its text.
    fn report(kind: &str, parts: &[(&str, &str)]) -> String {
        let mut mail = format!(
            "From: Mail Delivery <mailer-daemon@mx.example>\r\nTo: sam@roe.example\r\nReturn-Path: <>\r\n\
             Subject: Undelivered\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type={kind}; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        );
        for (kind, text) in parts {
            mail += &format!("--b\r\nContent-Type: {kind}\r\n\r\n{text}\r\n");
        }
        mail + "--b--\r\n"
    }

    #[test]
    fn what_came_back_is_told_by_its_id() {
        let mine = format!("From: sam@roe.example\r\nMessage-ID: <{MINE}>\r\nSubject: Re: x\r\n");
        let letter = format!("{mine}\r\nThank you.\r\n");
        let gone = "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; gone@kestrel.example\r\nAction: Failed\r\n\
                    Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 Nobody\r\n of that name\r\n";
        let late = gone.replace("Failed", "delayed").replace("5.1.1", "4.4.7");
        let of_two = format!("{late}\r\n{}", gone.replace("Reporting-MTA: dns; mx.example\r\n\r\n", ""));
        let hostile = gone.replace("550 5.1.1 Nobody", &format!("\u{1b}[2J\u{202e}{}", "x".repeat(5_000)));
        let status = "message/delivery-status";
        let none = Some((MINE, None, ""));
        let said = Some((MINE, Some("5.1.1"), "550 5.1.1 Nobody of that name"));
        let plain =
            |head: &str, text: &str| format!("From: MAILER-DAEMON@mx.example\r\nSubject: failure\r\n{head}\r\n{text}");
        for (what, mail, expected) in [
            ("headers", report("delivery-status", &[(status, gone), ("text/rfc822-headers", &mine)]), said),
            ("whole mail", report("delivery-status", &[(status, gone), ("message/rfc822", &letter)]), said),
            ("no status", report("delivery-status", &[("message/rfc822", &letter)]), none),
            ("late", report("delivery-status", &[(status, &late), ("message/rfc822", &letter)]), None),
            ("one of two", report("delivery-status", &[(status, &of_two), ("message/rfc822", &letter)]), said),
            ("a receipt", report("disposition-notification", &[("message/rfc822", &letter)]), None),
            ("a complaint", report("feedback-report", &[("message/rfc822", &letter)]), None),
            ("no mail named", report("delivery-status", &[(status, gone)]), None),
            (
                "exim",
                plain("X-Failed-Recipients: gone@kestrel.example\r\n", &format!("This is a copy:\r\n\r\n{letter}")),
                none,
            ),
            ("gmail", plain(&format!("X-Failed-Recipients: x\r\nIn-Reply-To: <{MINE}>\r\n"), "Gone."), none),
            ("qmail", plain("Return-Path: <>\r\n", &format!("Hi. This is qmail.\r\n\r\n{letter}")), none),
            ("a letter", letter.replace("From: sam", &format!("In-Reply-To: <{MINE}>\r\nFrom: sam")), None),
        ] {
            let message = Message::parse(mail.as_bytes(), Fetched::Whole);
            let found = message.returned.as_ref().map(|r| (r.id.as_str(), r.status.as_deref(), r.reason.as_str()));
            assert_eq!(found, expected, "{what}");
        }
        let mail = report("delivery-status", &[(status, &hostile), ("text/rfc822-headers", &mine)]);
        let reason = Message::parse(mail.as_bytes(), Fetched::Whole).returned.unwrap().reason;
        assert!(reason.chars().count() <= 201 && !reason.contains(['\u{1b}', '\u{202e}']), "{reason}");
    }
}
