//! Responses, reduced to what is used of them. The only place that knows the parser's types.
//!
//! It must not judge a response; that takes the command it answers.

use async_imap::imap_proto::rfc4315::UidSetMember;
use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, NameAttribute, Outcome, Response, ResponseCode, Status,
};

use super::error::{Kind, quoted};
use super::fetch::Item;
use super::list::Listed;
use super::text::internal_date;

/// One response of a server.
#[derive(Debug)]
pub enum Reply {
    /// Data or a warning.
    Untagged(Untagged),
    /// `+`: the server waits for more; with what it said, which is a challenge while logging in.
    Continue(String),
    /// The end of a command.
    Tagged(Tagged),
}

/// The part of untagged responses that is used.
#[derive(Debug)]
pub enum Untagged {
    /// Names as the server gives them, e.g. `IDLE`, `AUTH=PLAIN`.
    Capabilities(Vec<String>),
    /// Number of messages in the mailbox.
    Exists(u32),
    /// Something else about the mailbox changed.
    Changed,
    /// UIDVALIDITY.
    UidValidity(u32),
    /// UIDNEXT.
    UidNext(u32),
    /// Results of a search.
    Search(Vec<u32>),
    /// A mailbox.
    List(Listed),
    /// Facts of one message.
    Fetch(Item),
    /// PREAUTH.
    PreAuth,
    /// Goodbye, with the server's words.
    Bye(String),
    /// Anything else: keepalives, warnings, extensions.
    Other,
}

/// How a command ended.
#[derive(Debug)]
pub struct Tagged {
    /// The tag of the command it ends.
    pub tag: String,
    /// OK.
    pub ok: bool,
    /// APPENDUID: UIDVALIDITY and UID (RFC 4315 §3).
    pub append_uid: Option<(u32, u32)>,
    /// The response code, upper case.
    pub code: Option<String>,
    /// The server's words, cleaned.
    pub text: String,
}

impl Tagged {
    /// The refusal this is.
    pub fn refusal(self) -> Kind {
        Kind::Refused { code: self.code, text: self.text }
    }
}

impl Reply {
    /// Takes what is used out of a parsed response.
    pub fn read(response: &Response<'_>) -> Reply {
        match response {
            Response::Continue(said) => Reply::Continue(said.information.as_deref().unwrap_or_default().to_owned()),
            Response::Done { tag, status, outcome } => {
                Reply::Tagged(tagged(tag.0.clone(), *status == Status::Ok, outcome))
            }
            other => Reply::Untagged(untagged(other)),
        }
    }
}

fn tagged(tag: String, ok: bool, outcome: &Outcome<'_>) -> Tagged {
    let text = outcome.information.as_deref().unwrap_or_default();
    let (code, text) = match &outcome.code {
        Some(code) => (known_code(code), text),
        None => foreign_code(text),
    };
    let append_uid = match &outcome.code {
        Some(ResponseCode::AppendUid(validity, uids)) => match uids.as_slice() {
            [UidSetMember::Uid(uid)] => Some((*validity, *uid)),
            _ => None,
        },
        _ => None,
    };
    Tagged { tag, ok, append_uid, code, text: quoted(text) }
}

/// Codes the parser takes off the text, as far as a refusal carries them.
fn known_code(code: &ResponseCode<'_>) -> Option<String> {
    let name = match code {
        ResponseCode::Alert => "ALERT",
        ResponseCode::TryCreate => "TRYCREATE",
        ResponseCode::ReadOnly => "READ-ONLY",
        ResponseCode::Parse => "PARSE",
        ResponseCode::BadCharset(_) => "BADCHARSET",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Codes the parser does not know and leaves in the text, e.g. `[AUTHENTICATIONFAILED] no` (RFC 5530).
fn foreign_code(text: &str) -> (Option<String>, &str) {
    let parts = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((code, rest)) = parts else { return (None, text) };
    let atom = code.split(' ').next().unwrap_or_default();
    let valid = !atom.is_empty() && atom.len() <= 40 && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if valid { (Some(atom.to_ascii_uppercase()), rest.trim_start()) } else { (None, text) }
}

fn untagged(response: &Response<'_>) -> Untagged {
    match response {
        Response::Capabilities(capabilities) => Untagged::Capabilities(capabilities.iter().map(capability).collect()),
        Response::Data { status: Status::Bye, outcome } => {
            Untagged::Bye(quoted(outcome.information.as_deref().unwrap_or_default()))
        }
        Response::Data { status: Status::PreAuth, .. } => Untagged::PreAuth,
        Response::Data { status: Status::Ok, outcome } => match outcome.code {
            Some(ResponseCode::UidValidity(value)) => Untagged::UidValidity(value),
            Some(ResponseCode::UidNext(value)) => Untagged::UidNext(value),
            _ => Untagged::Other,
        },
        Response::MailboxData(MailboxDatum::Exists(count)) => Untagged::Exists(*count),
        Response::MailboxData(MailboxDatum::Search(uids)) => Untagged::Search(uids.clone()),
        Response::MailboxData(MailboxDatum::List(data)) => {
            let attributes = data.name_attributes.iter().map(attribute).collect();
            Listed::new(&data.name, attributes).map_or(Untagged::Other, Untagged::List)
        }
        Response::MailboxData(MailboxDatum::Recent(_)) | Response::Expunge(_) | Response::Vanished { .. } => {
            Untagged::Changed
        }
        Response::Fetch(_, attributes) => Untagged::Fetch(item(attributes)),
        _ => Untagged::Other,
    }
}

fn capability(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4rev1".to_owned(),
        Capability::Auth(name) => format!("AUTH={name}"),
        Capability::Atom(name) => name.to_string(),
    }
}

fn attribute(attribute: &NameAttribute<'_>) -> String {
    match attribute {
        NameAttribute::NoInferiors => "\\NoInferiors",
        NameAttribute::NoSelect => "\\Noselect",
        NameAttribute::Marked => "\\Marked",
        NameAttribute::Unmarked => "\\Unmarked",
        NameAttribute::All => "\\All",
        NameAttribute::Archive => "\\Archive",
        NameAttribute::Drafts => "\\Drafts",
        NameAttribute::Flagged => "\\Flagged",
        NameAttribute::Junk => "\\Junk",
        NameAttribute::Sent => "\\Sent",
        NameAttribute::Trash => "\\Trash",
        NameAttribute::Extension(name) => name,
        _ => "",
    }
    .to_owned()
}

fn item(attributes: &[AttributeValue<'_>]) -> Item {
    let mut item = Item::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => item.uid = Some(*uid),
            AttributeValue::InternalDate(text) => item.internal_date = internal_date(text),
            AttributeValue::Rfc822Size(size) => item.size = Some(*size),
            AttributeValue::BodySection { section: None, data, .. } => item.body = data.as_deref().map(<[u8]>::to_vec),
            _ => {}
        }
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_wherever_the_parser_leaves_them() {
        for (line, code, text) in [
            (
                "A NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
                Some("AUTHENTICATIONFAILED"),
                "Authentication failed.",
            ),
            ("A NO [TRYCREATE] Mailbox doesn't exist\r\n", Some("TRYCREATE"), "Mailbox doesn't exist"),
            ("A NO [overquota] Full\r\n", Some("OVERQUOTA"), "Full"),
            ("A NO [ALERT] Invalid credentials (Failure)\r\n", Some("ALERT"), "Invalid credentials (Failure)"),
            ("A BAD \r\n", None, ""),
            ("A NO [not a code\r\n", None, "[not a code"),
            ("A NO [\u{1b}[31m] x\r\n", None, "[[31m] x"),
        ] {
            let (_, response) = Response::parse(line.as_bytes()).unwrap();
            let Reply::Tagged(tagged) = Reply::read(&response) else { panic!("{line}") };
            assert_eq!((tagged.ok, tagged.code.as_deref(), tagged.text.as_str()), (false, code, text), "{line}");
        }
    }
}
