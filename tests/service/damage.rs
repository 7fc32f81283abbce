//! A damaged log: it is refused with the way back, nothing leaves, no empty one takes its place, and the way back works.

use std::fs;

use crate::{
    e2e::{approve, item, wait_for_messages},
    support::{home::Home, mail::sample},
};

const EX_IOERR: i32 = 74;

/// The bytes of a database after something happened to it; `None`: the file is gone.
type Damage = fn(&[u8]) -> Option<Vec<u8>>;

/// What happens to a database, by name.
const DAMAGES: &[(&str, Damage)] = &[
    ("garbled", |sound| Some(sound.iter().enumerate().map(|(i, b)| if i >= 4096 { !*b } else { *b }).collect())),
    ("cut short", |sound| Some(sound[..sound.len() / 2].to_vec())),
    ("empty", |_| Some(Vec::new())),
    ("gone", |_| None),
];

#[test]
fn damage_is_refused_with_the_way_back_and_the_way_back_works() {
    let home = Home::with_maildir("");
    let no = sample(0);
    home.deliver("no", &no.bytes);
    let daemon = home.start();
    wait_for_messages(&home, 1);
    daemon.stop();
    let draft = approve(&home, &item(&home, &no));
    // The backup of the day is made at the start where there is none.
    for name in backups(&home) {
        fs::remove_file(home.state_dir().join(name)).unwrap();
    }
    let daemon = home.start();
    daemon.wait_for("The backup of the day was made.");
    daemon.stop();
    let backup = home.state_dir().join(backups(&home).remove(0));
    let sound = fs::read(home.database()).unwrap();

    for (name, damage) in DAMAGES {
        fs::remove_file(home.database()).unwrap();
        let bytes = damage(&sound);
        if let Some(bytes) = &bytes {
            fs::copy(&backup, home.database()).unwrap();
            fs::write(home.database(), bytes).unwrap();
        }
        let back = format!("onward restore {}", backup.display());
        for (verb, code) in [("run", EX_IOERR), ("once", 1), ("send", 1), ("list", 1), ("review", 1)] {
            let said = home.verb(&[verb]);
            assert_eq!(said.code, code, "{name}: {verb}: {said:?}");
            assert!(said.err.contains(&back), "{name}: {verb} names the way back: {said:?}");
        }
        assert_eq!(home.verb(&[]).code, 1, "{name}: the status does not pretend");
        let doctor = home.verb(&["doctor"]);
        let flat = doctor.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            doctor.code == 1 && flat.contains("WRONG log") && flat.contains("onward restore"),
            "{name}: {doctor:?}"
        );
        assert_eq!(fs::read(home.database()).ok(), bytes, "{name}: it was left as it is");

        let restored = home.verb(&["restore"]);
        assert_eq!(restored.code, 0, "{name}: {restored:?}");
        assert_eq!(item(&home, &no)["category"], "rejection", "{name}");
        let shown = home.one(&["draft", "show", &draft]);
        assert_eq!(shown["state"], "pending", "{name}: an approval of then does not count now");
        assert_eq!(home.verb(&["send"]).code, 0, "{name}: nothing is approved");
        let daemon = home.start();
        daemon.stop();
        assert_eq!(home.one(&[])["messages"], 1, "{name}: the mail is known");
    }
}

#[test]
fn a_running_daemon_keeps_its_log() {
    let home = Home::with_maildir("");
    let daemon = home.start();
    daemon.wait_for("The backup of the day was made.");
    let refused = home.verb(&["restore"]);
    assert!(refused.code == 1 && refused.err.contains("already running"), "{refused:?}");
    daemon.stop();
    assert_eq!(home.verb(&["restore"]).code, 0);
}

/// `onward forget` on a log that a daemon has open.
#[test]
fn what_is_forgotten_stands_in_no_file_any_more() {
    let home = Home::with_maildir("");
    let no = sample(0);
    home.deliver("no", &no.bytes);
    home.deliver("bill", &sample(3).bytes);
    let daemon = home.start();
    wait_for_messages(&home, 2);
    daemon.wait_for("The backup of the day was made.");
    let holding = |text: &str| {
        let files = fs::read_dir(home.state_dir()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        files.filter(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())).count()
    };
    // One stands in the body alone, one is quoted by the verdict, one is the subject of a mail without an outcome.
    let sentences = ["thank you for the interview last week", "to another candidate", "This month in the garden"];
    for sentence in sentences {
        assert!(holding(sentence) > 0, "{sentence}");
    }
    let id = item(&home, &no)["id"].to_string();
    let said = home.one(&["forget", &id]);
    assert_eq!((said["mails"].as_i64(), said["complete"].as_bool()), (Some(1), Some(true)), "{said}");
    assert_eq!(sentences.map(holding).map(|n| n > 0), [false, false, true]);
    assert_eq!(home.verb(&["why", &id]).code, 0, "rule and line are still told");

    let asked = home.verb(&["forget", "--all"]);
    assert!(asked.code == 1 && asked.err.contains("--yes") && holding(sentences[2]) > 0, "{asked:?}");
    assert_eq!(home.one(&["forget", "--all", "--yes"])["mails"], 2);
    assert_eq!(sentences.map(holding), [0, 0, 0]);
    daemon.stop();
    // What is known is not logged again.
    assert_eq!(home.one(&["once"])["stored"], 0);
    assert_eq!(sentences.map(holding), [0, 0, 0]);
    for (arguments, code) in [(&["forget"][..], 2), (&["forget", "1", "--all"], 2), (&["forget", "99"], 1)] {
        assert_eq!(home.verb(arguments).code, code, "{arguments:?}");
    }
}

/// The time that mail is kept is over while the daemon runs, or was away: its text goes, and the verdict stays.
#[test]
fn the_daemon_purges_the_text_of_old_mail() {
    let home = Home::with_maildir("[store]\nkeep_mail = \"10d\"\n");
    for n in [0, 5] {
        home.deliver(&n.to_string(), &sample(n).bytes);
    }
    assert_eq!(home.one(&["once"])["stored"], 2);
    let db = rusqlite::Connection::open(home.database()).unwrap();
    db.execute_batch(
        "UPDATE message SET seen_at = seen_at - 11 * 86400, received_at = received_at - 400 * 86400 WHERE id = 1",
    )
    .unwrap();
    let kept = || -> i64 { db.query_row("SELECT count(raw) FROM message", [], |row| row.get(0)).unwrap() };
    assert_eq!(kept(), 2);
    let daemon = home.start();
    daemon.wait_for("The text of old mail was purged.");
    daemon.stop();
    assert_eq!(kept(), 1, "what came long ago and was stored lately is kept");
    let why = home.verb(&["why", &item(&home, &sample(0))["id"].to_string()]);
    assert!(why.code == 0 && why.out.contains("another candidate"), "{why:?}");
}

fn backups(home: &Home) -> Vec<String> {
    let names = fs::read_dir(home.state_dir()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("onward.db.backup-")).collect()
}
