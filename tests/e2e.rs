//! The whole path against real servers: mail comes in by LMTP, the real binary reads it over TLS, and what the person
//! approves arrives once.

mod answers;
mod crashes;
mod junk;
mod replies;
mod trouble;
mod verdicts;
mod watching;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{
    dovecot::{Dovecot, PASSWORD},
    home::{ADDRESS, Home},
    mail::{Kind, Sample, sample},
    wait_until_or,
};

/// What no log may hold, whatever its level: the password, addresses, subjects and sentences of the mails.
const PRIVATE: &[&str] = &[
    PASSWORD,
    ADDRESS,
    "edith.marlow",
    "no-reply@",
    "letter@garden",
    "Your application",
    "Interview for",
    "Dear Robin",
    "to another candidate",
    "not to move forward",
    "frost took the early beans",
];

/// Delivers the samples of these numbers.
fn deliver(dovecot: &Dovecot, user: &str, numbers: impl IntoIterator<Item = usize>) {
    for n in numbers {
        dovecot.deliver(user, &sample(n).bytes);
    }
}

/// Waits until the home has stored this many messages.
pub fn wait_for_messages(home: &Home, count: u64) {
    let stored = || home.json(&[]).first().and_then(|status| status["messages"].as_u64()).unwrap_or(0);
    wait_until_or(
        &format!("{count} messages are stored"),
        || format!("{} are\n{}", stored(), home.logs()),
        || stored() >= count,
    );
}

/// Waits until the daemon has completed a look.
fn wait_for_look(home: &Home) {
    let looked =
        |status: &Value| status["mailboxes"].as_array().is_some_and(|all| all.iter().all(|m| m["stale"] == false));
    wait_until_or("a look is completed", || home.logs(), || home.json(&[]).iter().any(looked));
}

/// The items of the log, by the Message-ID of their mail; each mail must have only one.
pub fn items(home: &Home) -> BTreeMap<String, Value> {
    let mut items = BTreeMap::new();
    for row in home.json(&["list", "--limit", "1000"]) {
        let id = row["mail"]["message_id"].as_str().unwrap().to_owned();
        assert!(items.insert(id.clone(), row).is_none(), "{id} is logged twice");
    }
    items
}

/// The item of a sample.
pub fn item(home: &Home, sample: &Sample) -> Value {
    items(home).remove(&sample.message_id).unwrap_or_else(|| panic!("{} is not logged", sample.message_id))
}

/// Asserts that the first `count` samples are logged once each and rightly, and that every no among them has one
/// draft and one note, and nothing else has any.
fn assert_all_logged_once(home: &Home, count: usize) {
    let status = home.one(&[]);
    assert_eq!(status["messages"], count, "{status}");
    assert_eq!(status["quarantined"], 0, "{status}");
    let events = home.json(&["log", "--limit", "10000"]);
    let stored: Vec<&Value> = events.iter().filter(|event| event["kind"] == "message").collect();
    assert_eq!(stored.len(), count, "one event for each message");

    let mut items = items(home);
    let mut answered = BTreeSet::new();
    for n in 0..count {
        let Sample { kind, message_id, .. } = sample(n);
        let found = items.remove(&message_id);
        if kind == Kind::Newsletter {
            assert!(found.is_none(), "the newsletter {n} is nothing to log: {found:?}");
            continue;
        }
        let item = found.unwrap_or_else(|| panic!("mail {n} is not logged"));
        assert_eq!((item["category"].as_str(), &item["decided"]), (Some(category(kind)), &Value::Bool(true)), "{item}");
        assert_eq!(item["draft"].is_object(), kind.is_rejection(), "{item}");
        let shown = home.one(&["show", &item["id"].to_string()]);
        assert_eq!(shown["note"]["text"].is_string(), kind.is_rejection(), "{shown}");
        if kind.is_rejection() {
            answered.insert(item["id"].as_i64().unwrap());
        }
    }
    assert!(items.is_empty(), "logged, but never sent: {items:?}");

    let drafts = home.json(&["draft", "list", "--all"]);
    let of: BTreeSet<i64> = drafts.iter().map(|draft| draft["outcome"].as_i64().unwrap()).collect();
    assert_eq!((drafts.len(), of), (answered.len(), answered), "one draft for each no");
    let ids: BTreeSet<&str> = drafts.iter().map(|draft| draft["message_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), drafts.len(), "each draft has a Message-ID of its own");
}

fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::HumanRejection | Kind::RelayRejection => "rejection",
        Kind::Acknowledgement => "acknowledgement",
        Kind::Interview => "interview",
        Kind::Newsletter => "unrelated",
    }
}

/// UIDs and flags of every message in a mailbox, without `\Recent`, which is the session's and not the message's.
pub fn uids_and_flags(dovecot: &Dovecot, user: &str, mailbox: &str) -> Vec<(u32, String)> {
    let said = dovecot.run(user, &[&format!("EXAMINE {mailbox}"), "UID FETCH 1:* (UID FLAGS)"]);
    let line = regex::Regex::new(r"FETCH \(UID (\d+) FLAGS \(([^)]*)\)\)").unwrap();
    let flags = |flags: &str| flags.split(' ').filter(|flag| *flag != "\\Recent").collect::<Vec<_>>().join(" ");
    line.captures_iter(&said).map(|found| (found[1].parse().unwrap(), flags(&found[2]))).collect()
}

/// The messages of a mailbox with this Message-ID, whole.
pub fn messages(dovecot: &Dovecot, user: &str, mailbox: &str, message_id: &str) -> Vec<String> {
    let examine = format!("EXAMINE {mailbox}");
    let said = dovecot.run(user, &[&examine, &format!("UID SEARCH HEADER Message-ID \"<{message_id}>\"")]);
    let found = said.lines().find_map(|line| line.strip_prefix("* SEARCH")).unwrap_or_default();
    let fetch = |uid: &str| {
        let said = dovecot.run(user, &[&examine, &format!("UID FETCH {uid} BODY.PEEK[]")]);
        let (_, message) = said.split_once("BODY[] {").unwrap();
        message.split_once("\r\n").unwrap().1.to_owned()
    };
    found.split_whitespace().map(fetch).collect()
}

/// What an untouched mailbox of this many messages looks like.
pub fn untouched(count: u32) -> Vec<(u32, String)> {
    (1..=count).map(|uid| (uid, String::new())).collect()
}

/// Asserts that what the daemons wrote tells nothing about the person, and that it is the log at its most talkative.
fn assert_discreet(home: &Home) {
    let logs = home.logs();
    assert!(logs.contains("Onward watches."), "there is a log:\n{logs}");
    for private in PRIVATE {
        assert!(!logs.contains(private), "{private:?} stands in the log:\n{logs}");
    }
}

/// Approves the draft of an item as it is, and leaves the delivery to others. Gives the draft's number.
pub fn approve(home: &Home, item: &Value) -> String {
    let draft = item["draft"]["id"].to_string();
    let shown = home.one(&["draft", "show", &draft]);
    let digest = shown["digest"].as_str().unwrap();
    let approved = home.one(&["draft", "approve", &draft, "--digest", digest, "--later"]);
    assert_eq!(approved["state"], "approved", "{approved}");
    draft
}

/// Waits until a draft has come to this state.
pub fn wait_for_draft(home: &Home, draft: &str, state: &str) {
    let is = || home.one(&["draft", "show", draft])["state"].as_str().unwrap_or_default().to_owned();
    wait_until_or(
        &format!("draft {draft} is {state}"),
        || format!("it is {}\n{}", is(), home.logs()),
        || is() == state,
    );
}
