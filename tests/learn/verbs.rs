//! The same in the log and at the command line.

use std::fs;

use jiff::{Timestamp, tz::TimeZone};
use onward::{
    app::memory::{self, Memory},
    io::store::{Committed, Correction, EventFilter, EventKind, Ingest, NewLesson, NewOutcome, Store},
    outcome::Origin,
};

use super::*;
use crate::support::cli::Home;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

/// Stores a mail as the daemon does, and gives its item and row.
fn stored(store: &mut Store, rules: &RuleSet, name: &str) -> (i64, i64) {
    let raw = bytes(name, &[]);
    let message = Message::parse(&raw, Fetched::Whole);
    let verdict = classify::classify(rules, &message);
    let outcome = verdict.outcome();
    let new =
        NewOutcome { outcome: &outcome, origin: Origin::Rules, detected_at: at(0), tell_at: None, draft_due_at: None };
    let ingest = Ingest {
        account: "home",
        mailbox: "INBOX",
        uid_validity: 1,
        uid: None,
        internal_date: at(0),
        size: raw.len() as u64,
        message: &message,
        raw: &raw,
        classification: &verdict,
        outcome: Some(new),
        supersedes: None,
        draft: None,
        no_draft: None,
        note: None,
        bounced: None,
        now: at(0),
    };
    match store.commit(&ingest, None).unwrap() {
        Committed::Stored { message, outcome: Some(item), .. } => (item, message),
        other => panic!("{other:?}"),
    }
}

fn say(store: &mut Store, rules: &RuleSet, item: i64, label: Category, seconds: i64) {
    let row = store.item(item).unwrap().row;
    let raw = store.raw(row.mail.unwrap().message).unwrap().unwrap();
    let traits = classify::traits(rules, &Message::parse(&raw, Fetched::Whole));
    let outcome = onward::outcome::Outcome { category: label, decided: true, ..row.outcome };
    let new =
        NewOutcome { outcome: &outcome, origin: Origin::Person, detected_at: at(0), tell_at: None, draft_due_at: None };
    let lesson = Some(NewLesson { label, rules: rules.fingerprint(), traits: &traits });
    store.correct(item, Correction { new, draft: None, no_draft: None, note: None, lesson }, at(seconds)).unwrap();
}

fn learned(store: &Store, rules: &RuleSet) -> Learned {
    memory::read(store, rules, &TimeZone::UTC).unwrap()
}

#[test]
fn to_forget_is_never_to_have_been_taught() {
    let dir = tempfile::tempdir().unwrap();
    let rules = few_rules();
    let open = |name: &str| Store::open(&dir.path().join(name)).unwrap();
    let (mut taught, mut never) = (open("taught.db"), open("never.db"));
    for store in [&mut taught, &mut never] {
        let (item, _) = stored(store, &rules, "real-visit.eml");
        say(store, &rules, item, Category::Interview, 1);
    }
    let (item, message) = stored(&mut taught, &rules, "quiet-no.eml");
    for (label, seconds) in [(Category::Rejection, 2), (Category::OnHold, 3), (Category::Rejection, 4)] {
        say(&mut taught, &rules, item, label, seconds);
    }
    assert_ne!(learned(&taught, &rules), learned(&never, &rules));
    let with = learned(&taught, &rules);
    assert_eq!((with.templates(), with.bayes().mails()), (2, 2), "a mail counts once, however often it was labelled");

    assert_eq!(taught.forget(message, at(5)).unwrap(), 3);
    assert_eq!(learned(&taught, &rules), learned(&never, &rules));
    assert!(taught.lessons().unwrap().iter().all(|row| row.message != message));
    // An undo and its undo bring nothing of it back.
    for seconds in 6..9 {
        taught.undo(item, at(seconds)).unwrap();
        assert_eq!(learned(&taught, &rules), learned(&never, &rules));
    }
    assert_eq!(taught.forget(message, at(9)).unwrap(), 0);
    let events = taught.events(&EventFilter::default()).unwrap();
    assert_eq!(events.iter().filter(|event| event.kind == EventKind::Forgotten).count(), 1);
    drop(taught);
    for entry in fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.file_name().unwrap().to_string_lossy().starts_with("taught") {
            let bytes = fs::read(&entry).unwrap();
            let term = b"\"harvest ledgers\"";
            assert!(!bytes.windows(term.len()).any(|window| window == term), "{}", entry.display());
        }
    }
}

#[test]
fn a_label_follows_undo_and_is_never_rewritten() {
    let dir = tempfile::tempdir().unwrap();
    let rules = few_rules();
    let mut store = Store::open(&dir.path().join("onward.db")).unwrap();
    let (item, _) = stored(&mut store, &rules, "quiet-no.eml");
    let label = |store: &Store| store.labels().unwrap().first().and_then(|row| row.label);
    let mark = store.lessons_mark().unwrap();
    assert_eq!(label(&store), None);
    say(&mut store, &rules, item, Category::Rejection, 1);
    assert_ne!(store.lessons_mark().unwrap(), mark);
    say(&mut store, &rules, item, Category::OnHold, 2);
    let mut seen = Vec::new();
    for seconds in 3..7 {
        store.undo(item, at(seconds)).unwrap();
        seen.push(label(&store));
    }
    let (hold, no) = (Some(Category::OnHold), Some(Category::Rejection));
    assert_eq!(seen, [no, hold, no, hold]);
    let rows = store.lessons().unwrap();
    let said: Vec<(Category, Option<Category>)> = rows.iter().map(|row| (row.before, row.label)).collect();
    assert_eq!(said[1], (Category::Rejection, hold));
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row.rules == rules.fingerprint()));
    let sql = rusqlite::Connection::open(dir.path().join("onward.db")).unwrap();
    assert!(sql.execute("UPDATE lesson SET label = 'offer'", []).is_err(), "append-only");
}

#[test]
fn a_running_daemon_hears_what_another_process_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("onward.db");
    let rules = few_rules();
    let (mut daemon, memory) = (Store::open(&path).unwrap(), Memory::default());
    let (item, message) = stored(&mut daemon, &rules, "quiet-no.eml");
    let templates = |daemon: &Store| memory.current(daemon, &rules, &TimeZone::UTC).unwrap().templates();
    assert_eq!(templates(&daemon), 0);
    let mut other = Store::open(&path).unwrap();
    say(&mut other, &rules, item, Category::Rejection, 1);
    assert_eq!(templates(&daemon), 1);
    other.forget(message, at(2)).unwrap();
    assert_eq!(templates(&daemon), 0);
    memory.presume(&daemon, learned(&other, &rules)).unwrap();
    say(&mut other, &rules, item, Category::OnHold, 3);
    assert_eq!(templates(&daemon), 1);
}

/// A rule of the person's that takes every interview for theirs.
const CURTAIN: &str = r#"
schema = 1
pack = "mine"
version = "1"
[[rule]]
id = "mine.interview.any"
title = "An interview"
category = "interview"
language = "en"
strength = "decisive"
phrases = ["to an interview"]
match = ["Come to an interview."]
no_match = ["Come to a party."]
"#;

/// A home with the fixtures in it, imported; the items in the order of the names.
fn home() -> Home {
    let home = Home::set_up();
    let names = ["quiet-no.eml", "misread-visit.eml", "real-visit.eml"];
    home.write(".config/onward/rules/90-mine.toml", CURTAIN);
    for name in names {
        home.write(name, bytes(name, &[]));
    }
    let said = home.run(&[&["import"][..], &names].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    home
}

fn judged(home: &Home, file: &str) -> (String, bool) {
    let said = home.run(&["classify", "--json", file]);
    let line = said.json().remove(0);
    (line["category"].as_str().unwrap().to_owned(), line["decided"].as_bool().unwrap())
}

#[test]
fn a_correction_is_heard_at_once_and_forgotten_on_request() {
    let home = home();
    let again = bytes("quiet-no.eml", &[("Pear & Plum", "Quill House"), ("quiet-1", "quiet-2"), ("4711", "12")]);
    home.write("again.eml", &again);
    assert_ne!(judged(&home, "again.eml"), ("rejection".to_owned(), true));
    assert!(home.line("learn list").out.contains("nothing was learned"));
    assert_eq!(home.line("fix 1 --employer Pear").code, Some(0));
    assert!(home.line("learn list --json").json().is_empty(), "a name put right says nothing of the mail");
    assert_eq!(home.line("fix 1 --as rejection").code, Some(0));
    assert_eq!(judged(&home, "again.eml"), ("rejection".to_owned(), true));
    let said = home.line("explain again.eml");
    for part in
        ["user.template.", "same text as the mail you labelled on", "your corrections, item ", "anchor: user.template."]
    {
        assert!(said.out.contains(part), "{part} in\n{}", said.out);
    }
    home.write("Maildir/new/again", &again);
    let tried = home.line("once --dry-run");
    assert!(tried.out.contains("a no"), "a trial judges as the daemon would: {tried:?}");
    fs::remove_file(home.path("Maildir/new/again")).unwrap();
    assert_eq!(home.line("import again.eml").code, Some(0));
    let item = home.line("list --all --json").json().iter().map(|row| row["id"].as_i64().unwrap()).max().unwrap();
    let why = home.line(&format!("why {item}"));
    assert!(why.out.contains("same text as the mail you labelled on"), "what the daemon stores says so too: {why:?}");
    assert_eq!(home.line("undo 1").code, Some(0));
    assert_ne!(judged(&home, "again.eml"), ("rejection".to_owned(), true));
    assert_eq!(home.line("undo 1").code, Some(0));
    assert_eq!(judged(&home, "again.eml"), ("rejection".to_owned(), true));

    let list = home.line("learn list");
    assert!(list.out.contains("Pear") && list.out.contains("Second voice: a no: 1 of 20"), "{list:?}");
    let exported = home.line("learn export").json();
    assert_eq!((exported.len(), exported[0]["label"].as_str()), (3, Some("rejection")), "{exported:?}");
    let forgotten = home.line("learn forget 1");
    assert!(forgotten.out.contains("Forgotten. Item 1 stays as it is: a no"), "{forgotten:?}");
    assert_ne!(judged(&home, "again.eml"), ("rejection".to_owned(), true));
    assert!(home.line("learn forget 1").out.contains("Nothing was learned from item 1."));
    assert!(home.line("learn export").out.is_empty());
    assert!(home.line("log --all").out.contains("what you said of it was forgotten"));
}

#[test]
fn a_rule_is_made_of_a_mail_and_saved_whole_or_not_at_all() {
    let home = home();
    let file = ".config/onward/rules/95-learned.toml";
    let said = home.line("rules new --from 1");
    assert!(said.code == Some(1) && said.err.contains("--category CATEGORY"), "{said:?}");
    let said = home.line("rules new --from quiet-no.eml --category rejection");
    for part in [
        "[[rule]]",
        "user.rejection.",
        "strength = \"strong\"",
        "would change 1 past decision (of 3 stored)",
        "Nothing was saved",
    ] {
        assert!(said.out.contains(part), "{part} in {said:?}");
    }
    assert!(!home.path(file).exists());
    assert_eq!(home.line("fix 1 --as rejection").code, Some(0));
    let said = home.line("rules new --from 1 --save");
    assert!(said.code == Some(0) && said.out.contains("as you said") && said.out.contains("Saved to"), "{said:?}");
    let learned = fs::read_to_string(home.path(file)).unwrap();
    assert!(learned.starts_with("# Rules made from your corrections") && learned.contains("\nschema  = 1\n"));
    for line in ["rules check", "rules test"] {
        let said = home.line(line);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let said = home.line("rules new --from 1");
    assert!(said.code == Some(1) && said.out.contains("the rules judge item 1 like that already"), "{said:?}");

    let rule = "mine.interview.any";
    let said = home.line(&format!("rules tune {rule} --fp 2 --tp 3 --save"));
    assert!(said.code == Some(0) && said.out.contains("[[override]]"), "{said:?}");
    let both = fs::read_to_string(home.path(file)).unwrap();
    assert!(both.starts_with(learned.trim_end()) && both.contains("[override.append]"), "{both}");
    assert_eq!(home.line("rules check").code, Some(0));
    let said = home.line(&format!("explain misread-visit.eml --rule {rule}"));
    assert!(said.out.contains("one of the rule's exceptions applies"), "{said:?}");

    // A file that does not load is not added to.
    home.write(file, format!("{both}\n[[rule]]\nid = \"x\"\n"));
    let said = home.line("rules new --from misread-visit.eml --category unrelated --save");
    assert!(said.code != Some(0) && said.all().contains("R010"), "{said:?}");
    assert!(fs::read_to_string(home.path(file)).unwrap().ends_with("id = \"x\"\n"));
    let left: Vec<_> = fs::read_dir(home.path(".config/onward/rules")).unwrap().collect();
    assert_eq!(left.len(), 2, "no half file is left: {left:?}");
}
