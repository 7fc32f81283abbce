//! From a verdict to the line of the rule, and from a new rule to the next verdict.

use std::{collections::BTreeSet, fs, path::Path};

use super::{assert_discreet, deliver, item, items, wait_for_look, wait_for_messages};
use crate::support::{dovecot::Dovecot, home::Home, mail::sample};

/// A rule of the person's own, for a phrase no shipped rule knows.
const OWN_RULE: &str = r#"
schema   = 1
pack     = "user.mine"
version  = "1"
language = "en"

[[rule]]
id       = "user.rejection.kneaded"
title    = "Kneaded out"
category = "rejection"
strength = "decisive"
phrases  = ["kneaded out of the selection"]
match    = ["You were kneaded out of the selection."]
no_match = ["If you are kneaded out of the selection, we write."]
"#;

#[test]
fn why_names_the_rule_its_line_and_the_sentence() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-why";
    let home = Home::with_account(dovecot, user);
    deliver(dovecot, user, [0]);
    home.one(&["once"]);
    let id = item(&home, &sample(0))["id"].to_string();

    let why = home.one(&["why", &id]);
    let evidence = why["evidence"].as_array().unwrap();
    assert!(!evidence.is_empty(), "{why}");
    let said = home.verb(&["why", &id]);
    assert_eq!(said.code, 0, "{said:?}");
    for hit in evidence {
        let (file, line) = (hit["file"].as_str().unwrap(), hit["line"].as_u64().unwrap());
        let rule = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let from = rule.lines().skip(usize::try_from(line).unwrap() - 1).take(3).collect::<Vec<_>>().join("\n");
        assert!(from.contains(&format!("\"{}\"", hit["rule"].as_str().unwrap())), "{file}:{line} is the rule:\n{from}");
    }
    let strongest = &evidence[0];
    let place = format!("{}:{}", strongest["file"].as_str().unwrap(), strongest["line"]);
    assert!(said.out.contains(&place), "{place} in {}", said.out);
    // Long sentences are wrapped.
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(strongest["text"].as_str().unwrap()), "{}", said.out);
    assert!(words.contains("to another candidate"), "the sentence: {}", said.out);
}

#[test]
fn a_broken_rule_file_is_refused_and_a_good_one_taken_over() {
    let Some(dovecot) = Dovecot::start() else { return };
    let user = "e2e-reload";
    let home = Home::with_account(dovecot, user);
    let mut daemon = home.start();
    wait_for_look(&home);

    home.write("rules/mine.toml", include_str!("../fixtures/rules/ten-mistakes.toml"));
    daemon.reload();
    daemon.wait_for("The reload was refused");
    let log = daemon.log();
    let places: BTreeSet<&str> =
        log.split("mine.toml:").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
    assert!(places.len() >= 10, "every mistake with its place: {places:?}");
    assert!(daemon.is_running());
    // The old rules are still at work.
    deliver(dovecot, user, [0]);
    wait_for_messages(&home, 1);
    assert_eq!(item(&home, &sample(0))["category"], "rejection");

    home.write("rules/mine.toml", OWN_RULE);
    daemon.reload();
    daemon.wait_for("Configuration and rules were read again.");
    wait_for_look(&home);
    let mail = "From: Edith Marlow <edith.marlow@larkfield.example>\r\nTo: Robin Hale <robin@example.com>\r\n\
                Subject: Your application for Baker\r\nMessage-ID: <kneaded@mail.example>\r\n\r\nDear Robin,\r\n\r\n\
                thank you for applying for the Baker position. You were kneaded out of the selection.\r\n\r\nEdith Marlow\r\n";
    dovecot.deliver(user, mail.as_bytes());
    wait_for_messages(&home, 2);
    let kneaded = &items(&home)["kneaded@mail.example"];
    assert_eq!((&kneaded["category"], &kneaded["decided"]), (&"rejection".into(), &true.into()), "{kneaded}");
    let why = home.one(&["why", &kneaded["id"].to_string()]);
    assert!(why.to_string().contains("user.rejection.kneaded"), "{why}");
    daemon.stop();
    assert_discreet(&home);
}
