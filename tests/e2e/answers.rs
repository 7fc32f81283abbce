//! What the person does in their own mail program, and what employers answer: seen, and understood.

use serde_json::Value;

use super::{approve, deliver, item, messages, uids_and_flags, untouched};
use crate::support::{dovecot::Dovecot, home::Home, mail::sample};

/// A mail of the person's own, as a mail program writes it.
fn own(message_id: &str, parent: &str) -> String {
    format!(
        "From: Robin Hale <robin@example.com>\r\nTo: Edith Marlow <edith.marlow@larkfield.example>\r\n\
         Subject: Re: Your application\r\nMessage-ID: <{message_id}>\r\nIn-Reply-To: <{parent}>\r\n\
         References: <{parent}>\r\n\r\nThank you, Edith.\r\n"
    )
}

/// Puts a mail into a mailbox as a mail program does.
fn append(dovecot: &Dovecot, user: &str, mailbox: &str, mail: &str) {
    dovecot.run(user, &[&format!("APPEND \"{mailbox}\" (\\Seen) {{{}+}}\r\n{mail}", mail.len())]);
}

/// A home with noes in its inbox that was looked at once.
fn looked_at(dovecot: &Dovecot, user: &str, mails: &[usize]) -> Home {
    let home = Home::with_account(dovecot, user);
    dovecot.run(user, &["CREATE Sent"]);
    deliver(dovecot, user, mails.iter().copied());
    assert_eq!(home.one(&["once"])["stored"], mails.len());
    home
}

fn state(home: &Home, draft: &str) -> Value {
    home.one(&["draft", "show", draft])["state"].clone()
}

#[test]
fn what_the_person_sends_or_throws_away_is_seen() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-own-client";
    let home = looked_at(dovecot, user, &[0, 10, 20, 30]);
    let placed = |n| {
        let draft = approve(&home, &item(&home, &sample(n)));
        assert_eq!(home.verb(&["send"]).code, 0);
        assert_eq!(state(&home, &draft), "placed");
        draft
    };
    // Sent as it is; sent by a client that gave it another Message-ID; thrown away.
    let (kept, changed, dropped) = (placed(0), placed(10), placed(20));
    let waiting = item(&home, &sample(30))["draft"]["id"].to_string();
    let letter = |draft: &str| {
        let id = home.one(&["draft", "show", draft])["message_id"].as_str().unwrap().to_owned();
        messages(dovecot, user, "Drafts", &id).remove(0)
    };
    let taken_out = letter(&dropped);
    append(dovecot, user, "Sent", &letter(&kept));
    append(dovecot, user, "Sent", &own("another@client.example", &sample(10).message_id));
    append(dovecot, user, "Sent", &own("by-hand@client.example", &sample(30).message_id));
    dovecot.run(user, &["SELECT Drafts", "STORE 1:* +FLAGS (\\Deleted)", "EXPUNGE"]);
    // Half an hour passes.
    let log = rusqlite::Connection::open(home.database()).unwrap();
    log.execute_batch("DROP TRIGGER event_no_update; UPDATE event SET at = at - 1800").unwrap();
    drop(log);
    assert_eq!(home.verb(&["once"]).code, 0);

    for (draft, expected) in [(&kept, "sent"), (&changed, "sent"), (&dropped, "discarded"), (&waiting, "withdrawn")] {
        assert_eq!(state(&home, draft), expected, "{draft}");
    }
    // Seen again, nothing changes.
    assert_eq!(home.verb(&["once"]).code, 0);
    assert_eq!(state(&home, &dropped), "discarded");
    // It comes up in Sent after all: the client took it out of Drafts first.
    append(dovecot, user, "Sent", &taken_out);
    assert_eq!(home.verb(&["once"]).code, 0);
    assert_eq!(state(&home, &dropped), "sent");
    assert_eq!(uids_and_flags(dovecot, user, "INBOX"), untouched(4));
}

#[test]
fn a_mail_that_was_answered_before_gets_no_draft_unless_asked_for() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-answered-before";
    let home = Home::with_account(dovecot, user);
    dovecot.run(user, &["CREATE Sent"]);
    append(dovecot, user, "Sent", &own("early@client.example", &sample(0).message_id));
    deliver(dovecot, user, [0, 10]);
    assert_eq!(home.one(&["once"])["stored"], 2);
    let (answered, open) = (item(&home, &sample(0)), item(&home, &sample(10)));
    assert!(answered["draft"].is_null() && open["draft"].is_object(), "{answered}\n{open}");
    let written = home.one(&["draft", "write", &answered["id"].to_string()]);
    assert_eq!((&written["state"], &written["outcome"]), (&Value::from("pending"), &answered["id"]));
    assert_ne!(home.verb(&["draft", "write", &open["id"].to_string()]).code, 0, "one draft answers a mail");
}

#[test]
fn an_answer_to_a_question_is_kept_word_by_word_and_forgotten_on_request() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-feedback";
    let home = looked_at(dovecot, user, &[0, 10]);
    let draft = approve(&home, &item(&home, &sample(0)));
    assert_eq!(home.verb(&["send"]).code, 0);
    let shown = home.one(&["draft", "show", &draft]);
    assert_eq!(shown["kind"], "feedback-request", "{shown}");
    let question = shown["message_id"].as_str().unwrap().to_owned();

    let said = "Your test was fine. In the talk we missed examples of how you settle a dispute with a supplier.";
    let reply = |id: &str, from: &str, parent: &str, more: &str, text: &str| {
        format!(
            "From: {from}\nTo: Robin Hale <robin@example.com>\nSubject: Re: Your application\n\
             Date: Tue, 17 Nov 2026 09:00:00 +0000\nMessage-ID: <{id}@larkfield.example>\n{parent}{more}\nHello Robin,\n\n{text}\n\n\
             Best wishes\nEdith\n"
        )
    };
    let edith = "Edith Marlow <edith.marlow@larkfield.example>";
    let in_thread = format!("In-Reply-To: <{question}>\n");
    let away = reply("away", edith, &in_thread, "Auto-Submitted: auto-replied\n", "I am away until Monday.");
    let invited = "We would like to invite you to an interview for the Data Analyst position. Are you free on Friday?";
    for mail in [
        away,
        reply("invitation", edith, &in_thread, "", invited),
        reply("feedback", edith, &in_thread, "", said),
        reply("elsewhere", "Garden Letter <letter@garden.example>", "", "", "The frost took the beans."),
    ] {
        dovecot.deliver(user, mail.as_bytes());
    }
    assert_eq!(home.one(&["once"])["stored"], 4);

    let rows = home.json(&["feedback", "--all"]);
    let (answers, rate) = rows.split_at(rows.len() - 1);
    assert_eq!(answers.len(), 1, "{rows:?}");
    let answer = &answers[0];
    assert_eq!(answer["draft"].to_string(), draft);
    assert!(answer["text"].as_str().unwrap().contains(said), "{answer}");
    assert_eq!((&rate[0]["asked"]["n"], &rate[0]["asked"]["of"]), (&Value::from(1), &Value::from(1)));
    assert!(answer["tell_at"].as_str() > Some("2026-11-18"), "it rests for a day: {answer}");
    let by_id = |id: &str| {
        let rows = home.json(&["list", "--all"]);
        rows.into_iter().find(|row| row["mail"]["message_id"] == format!("{id}@larkfield.example"))
    };
    assert_eq!(by_id("feedback").unwrap()["category"], "feedback");
    assert_eq!(by_id("invitation").unwrap()["category"], "interview");
    assert!(by_id("away").is_none_or(|row| row["category"] != "feedback"));

    let id = answer["id"].to_string();
    let marked =
        home.one(&["feedback", &id, "--useful", "--tag", "Examples", "--tag", "examples", "--tag", "disputes"]);
    assert_eq!(
        (&marked["useful"], &marked["tags"]),
        (&Value::from(true), &serde_json::json!(["disputes", "examples"]))
    );
    let marked = home.one(&["feedback", &id, "--untag", "examples", "--not-now"]);
    assert_eq!((&marked["useful"], &marked["tags"]), (&Value::from(false), &serde_json::json!(["disputes"])));
    assert_eq!(home.verb(&["feedback", "99"]).code, 1);

    let item = by_id("feedback").unwrap()["id"].to_string();
    assert_eq!(home.verb(&["forget", &item]).code, 0);
    assert_eq!(home.json(&["feedback", "--all"]).len(), 1, "only the rate is left");
    let bytes = std::fs::read(home.database()).unwrap();
    assert!(!bytes.windows(20).any(|part| part == b"settle a dispute wit"), "not a word of it is left");
}

#[test]
fn a_silence_is_asked_about_where_a_person_reads_and_not_when_they_write() {
    let home = Home::with_maildir("");
    let days = |days: u64| std::time::SystemTime::now() - std::time::Duration::from_secs(days * 24 * 3600);
    let put = |n: usize, ago: u64| {
        home.deliver(&format!("{n}.test"), &sample(n).bytes);
        let file = std::fs::File::open(home.maildir().join("new").join(format!("{n}.test"))).unwrap();
        file.set_modified(days(ago)).unwrap();
    };
    // An invitation by a person, and a receipt by a program: nobody reads an answer to that one.
    put(4, 20);
    put(1, 20);
    put(9, 3);
    assert_eq!(home.verb(&["once"]).code, 0);
    let drafts = home.json(&["draft", "list", "--all"]);
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    let draft = &drafts[0];
    assert_eq!((&draft["kind"], &draft["outcome"]), (&Value::from("follow-up"), &item(&home, &sample(4))["id"]));
    assert_eq!(draft["to"], "edith.marlow@larkfield.example");
    assert_eq!(home.verb(&["once"]).code, 0);
    assert_eq!(home.json(&["draft", "list", "--all"]).len(), 1, "once is enough");

    // Sample 34 is of the same employer: they have written.
    put(34, 0);
    assert_eq!(home.verb(&["once"]).code, 0);
    assert_eq!(state(&home, &draft["id"].to_string()), "withdrawn");
    assert_eq!(home.json(&["draft", "list", "--all"]).len(), 1);
}
