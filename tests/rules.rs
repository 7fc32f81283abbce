//! Rule files, loaded and run: every problem is named, the person's files change what they say they change, and a
//! pack passes the tests it carries.

use std::path::{Path, PathBuf};

use onward::{
    classify::{self, Modality},
    io::rules_dir,
    message::{Fetched, Message},
    rules::{self, Diagnostic, Layer, RuleSet, Source, Trust},
    ui::cli,
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules")
}

/// The pack of the fixtures, as if it were shipped.
fn pack() -> Vec<Source> {
    let mut sources = rules_dir::read(&fixtures().join("pack")).unwrap();
    assert_eq!(sources.len(), 3);
    for source in &mut sources {
        source.layer = Layer::Shipped;
        source.name = source.name.rsplit('/').next().unwrap().to_owned();
    }
    sources
}

fn with(file: &str) -> Vec<Source> {
    let mut sources = pack();
    let mut own = rules_dir::file(&fixtures().join(file)).unwrap();
    own.name = file.to_owned();
    sources.push(own);
    sources
}

fn set(sources: &[Source]) -> RuleSet {
    rules::load(sources).unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

fn shown(problems: &[Diagnostic]) -> String {
    problems.iter().map(|p| format!("{p}\n")).collect()
}

fn mail(text: &str) -> Message {
    Message::parse(text.replace('\n', "\r\n").as_bytes(), Fetched::Whole)
}

#[test]
fn a_pack_passes_the_tests_it_carries() {
    let set = set(&pack());
    let report = rules::check(&set);
    assert_eq!(set.test_count(), (report.examples, report.messages));
    assert!(report.examples >= 14 && report.messages >= 6, "{report:?}");
    assert!(report.failures.is_empty(), "{}", shown(&report.failures));
}

#[test]
fn a_failing_test_says_what_was_found_and_why() {
    let mut sources = pack();
    for source in &mut sources {
        source.text = source.text.replace("[\"It is a sad day.\"]", "[\"Sadly it rains.\"]").into();
        source.text =
            source.text.replace("[\"Your application arrived.\"]", "[\"Your application may have arrived.\"]").into();
    }
    let report = rules::check(&set(&sources));
    let codes: Vec<&str> = report.failures.iter().map(|f| f.code).collect();
    assert_eq!(codes, ["R041", "R040"], "{}", shown(&report.failures));
    assert!(shown(&report.failures).contains("counted «Sadly» as asserted"));
}

#[test]
fn every_mistake_is_named_at_once_with_its_place_and_a_way_out() {
    let problems = rules::load(&with("ten-mistakes.toml")).unwrap_err();
    let errors: Vec<(&str, u32)> = problems.iter().filter(|p| p.code < "R100").map(|p| (p.code, p.line)).collect();
    assert_eq!(
        errors,
        [
            ("R012", 10),
            ("R015", 11),
            ("R014", 15),
            ("R011", 17),
            ("R013", 19),
            ("R010", 24),
            ("R011", 27),
            ("R032", 28),
            ("R031", 32),
            ("R031", 37),
            ("R002", 38),
        ],
        "{}",
        shown(&problems)
    );
    let text = shown(&problems);
    for help in [
        "did you mean `phrases`?",
        "did you mean `rejection`?",
        "did you mean `people`?",
        "did you mean `en.rejection.others`?",
    ] {
        assert!(text.contains(help), "{help} in\n{text}");
    }
    assert!(text.contains(
        "error[R012]: unknown key `phrase` in rule  ten-mistakes.toml:10:1\n   10 | phrase   = [\"x\"]\n      | ^"
    ));
    assert!(problems.iter().all(|p| p.file == "ten-mistakes.toml"));
}

#[test]
fn files_that_cannot_be_used_are_refused() {
    let source = |text: &str| Source { name: "x.toml".into(), text: text.to_owned().into(), layer: Layer::User };
    for (text, code) in [
        ("schema = 1", "R037"),
        ("schema = 2", "R003"),
        ("pack = 'x'", "R003"),
        ("schema = 1\nmin_engine = '99.0.0'", "R004"),
        ("schema = 1\n[[rule", "R001"),
    ] {
        let problems = rules::load(&[source(text)]).unwrap_err();
        assert!(problems.iter().any(|p| p.code == code), "{text}: {}", shown(&problems));
    }
    let large = "#".repeat(rules::FILE_BYTES_MAX + 1);
    assert!(rules::load(&[source(&large)]).is_err());
    let mut twice = pack();
    twice.push(Source { name: "again.toml".into(), ..twice.last().unwrap().clone() });
    let problems = rules::load(&twice).unwrap_err();
    let text = shown(&problems);
    assert!(text.contains("[R030]") && text.contains("stands in 10-rules.en.toml:"), "{text}");
}

#[test]
fn the_persons_files_change_what_they_say() {
    let set = set(&with("mine.toml"));
    assert!(set.rule("en.ack.here").is_none());
    assert!(set.rule("en.interview.visit").is_none(), "without a day, `until` has not come");
    let sadly = set.rule("en.rejection.sadly").unwrap();
    assert_eq!((sadly.weight, sadly.changed_by.len()), (3.0, 2));
    assert!(set.written(sadly).any(|phrase| phrase == "it saddens us"));
    let hit = classify::try_sentence(&set, "en.rejection.others", "We hired two rivals.").unwrap();
    assert_eq!(hit.dropped, None, "word lists are extended");

    let after = rules::load_on(&with("mine.toml"), Some("2026-02-01".parse().unwrap()), Trust::Shipped).unwrap();
    assert!(after.rule("en.interview.visit").is_some());
    assert!(after.warnings().iter().any(|w| w.code == "R114"), "{}", shown(after.warnings()));
    assert_ne!(set.fingerprint(), rules::load(&pack()).unwrap().fingerprint());

    let mut out = Vec::new();
    let code = cli::rules::test(&mut out, &with("mine.toml"), None, false).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(code, cli::rules::FINE, "{text}");
    assert!(text.contains("shipped rules alone") && text.contains("~ your changes flip:"), "{text}");
}

#[test]
fn modality_tells_what_is_said_from_what_may_be() {
    let set = set(&pack());
    for (rule, text, expected) in [
        ("en.rejection.no-further", "We will not take your application further.", Modality::Future),
        ("en.rejection.no-further", "We did not take your application further.", Modality::Asserted),
        (
            "en.rejection.no-further",
            "If we do not take your application further, you will hear from us.",
            Modality::Conditional,
        ),
        (
            "en.rejection.no-further",
            "Should you not hear back, we will not take your application further.",
            Modality::Conditional,
        ),
        ("en.rejection.no-further", "We might not take your application further.", Modality::Modal),
        ("en.rejection.no-further", "Please note that we will not take your application further.", Modality::Future),
        (
            "en.rejection.no-further",
            "We would like to let you know that we will not take your application further.",
            Modality::Future,
        ),
        ("en.interview.visit", "We would like to invite you to a tasting.", Modality::Request),
        ("en.interview.visit", "If you are available, we would like to invite you to a tasting.", Modality::Request),
        ("en.interview.visit", "If your bread fits, we would like to invite you to a tasting.", Modality::Conditional),
        ("en.interview.visit", "We usually invite you to a tasting.", Modality::Generic),
        ("en.interview.visit", "Shortlisted applicants come in for a tasting.", Modality::Generic),
        ("en.interview.visit", "We have not asked anybody to come for a tasting.", Modality::Negated),
        ("en.rejection.others", "We did not see it coming, but they hired other contenders.", Modality::Asserted),
        ("en.rejection.others", "I wonder if you saw it: they hired other contenders.", Modality::Asserted),
        ("en.interview.visit", "Could it be that we may invite you to a tasting?", Modality::Modal),
    ] {
        let hit = classify::try_sentence(&set, rule, text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(hit.modality, expected, "{text}: {:?}", hit.cue);
    }
}

#[test]
fn explain_and_json_show_the_sentence_and_the_rule() {
    let set = set(&pack());
    let message = mail(
        "From: Ovenworks Hiring <no-reply@ovenworks.example>\nTo: sam@example.org\nSubject: Your application\n\
         Message-ID: <1@ovenworks.example>\n\nHello Sam,\n\nthe panel preferred two other contenders. We may invite you to a tasting one day.\n\nBest,\nThe Ovenworks Team\n",
    );
    let verdict = classify::classify(&set, &message);
    let mut out = Vec::new();
    cli::explain::account(&mut out, &set, &verdict).unwrap();
    let text = String::from_utf8(out).unwrap();
    for part in [
        "REJECTION  decided",
        "● en.rejection.others",
        "the panel [preferred two other contenders]",
        "10-rules.en.toml:",
        "○ en.interview.visit",
        "modal («may»)",
        "anchor: en.rejection.others",
        "replies reach nobody",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let mut out = Vec::new();
    assert!(cli::explain::rule(&mut out, &set, &verdict, "en.interview.visit").unwrap());
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("modality ✗ modal («may») — needs asserted or request"), "{text}");

    let mut out = Vec::new();
    cli::classify::json(&mut out, "in/1.eml", &message, &verdict).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "path",
            "message_id",
            "category",
            "decided",
            "score",
            "stage",
            "reason",
            "language",
            "employer",
            "role",
            "requisition_id",
            "contact",
            "ats",
            "noreply",
            "evidence",
            "defects"
        ]
    );
    assert_eq!(line["category"], "rejection");
    assert_eq!(line["employer"], "Ovenworks");
    assert_eq!(line["noreply"], true);
    assert_eq!(line["contact"], serde_json::Value::Null);
    assert_eq!(line["evidence"][0]["text"], "preferred two other contenders");
}

#[test]
fn hostile_text_is_judged_in_bounded_time() {
    let set = set(&pack());
    let line = "if we might not invite you to a tasting, sadly hired other contenders ".repeat(4000);
    let started = std::time::Instant::now();
    let verdict = classify::classify(&set, &mail(&format!("Subject: x\n\n{line}")));
    assert!(verdict.hits.len() <= classify::HITS_MAX);
    // Quadratic work took minutes here; the bound only has to tell that from linear work on a slow machine.
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn several_thousand_phrases_stay_usable() {
    let mut text = String::from("schema = 1\npack = 'many'\nlanguage = 'en'\n");
    for rule in 0..30 {
        let phrases: Vec<String> = (0..100).map(|i| format!("'word{rule}x{i} .. (alpha|beta) [very] gamma'")).collect();
        text.push_str(&format!(
            "[[rule]]\nid = 'many.r{rule}'\ntitle = 't'\ncategory = 'rejection'\nstrength = 'strong'\n\
             phrases = [{}]\nmatch = ['word{rule}x7 and beta gamma']\nno_match = ['word{rule}x']\n",
            phrases.join(", ")
        ));
    }
    let set = rules::load(&[Source { name: "many.toml".into(), text: text.into(), layer: Layer::User }]).unwrap();
    assert_eq!(set.phrase_count(), 3000);
    let report = rules::check(&set);
    assert!(report.failures.is_empty(), "{}", shown(&report.failures));
}

/// Rules that load but are not meant so are named with their lines.
#[test]
fn dead_needless_slow_and_contradictory_phrases_are_named() {
    // The English rules and their examples are what the phrases are measured by.
    let english = |s: &Source| s.name.contains("-en-") || s.name.contains("core") || s.name.contains("senders");
    let mut sources: Vec<Source> = rules::shipped().into_iter().filter(english).collect();
    let head = "schema = 1\nlanguage = \"en\"\n";
    let rule = "[[rule]]\nid = \"mine.offer.x\"\ntitle = \"x\"\ncategory = \"offer\"\nstrength = \"decisive\"\n";
    let phrases = "phrases = [\n\"we are sorry. goodbye\",\n\"brass band\",\n\"our brass band\",\n\"the the\",\n\"not be moving forward\",\n]\n";
    let tests = "match = [\n\"A brass band.\",\n\"We will not be moving forward with your application for the role.\",\n]\nno_match = [\"A band.\"]\n";
    let text = format!("{head}{rule}{phrases}{tests}");
    sources.push(Source { name: "mine.toml".into(), text: text.into(), layer: Layer::User });
    let found = rules::lint(&set(&sources), &sources, Layer::User);
    let codes: Vec<(&str, u32)> = found.iter().map(|p| (p.code, p.line)).collect();
    assert_eq!(codes, [("R104", 9), ("R106", 11), ("R109", 12), ("R108", 17)], "{}", shown(&found));
}

/// Two outcomes of one sentence are told apart by a rule that speaks against one of them, and not by one against both.
#[test]
fn a_rule_against_tells_two_outcomes_apart() {
    let english = |s: &Source| s.name.contains("-en-") || s.name.contains("core") || s.name.contains("senders");
    let shipped: Vec<Source> = rules::shipped().into_iter().filter(english).collect();
    let rule = |id: &str, category: &str, bits: &str| {
        format!(
            "[[rule]]\nid = \"mine.{id}\"\ntitle = \"x\"\ncategory = \"{category}\"\n{bits}\nphrases = [\"yacht\"]\n\
             match = [\"We will not be moving forward with your application for the role on the yacht.\"]\nno_match = [\"A boat.\"]\n"
        )
    };
    let taken = rule("unrelated.yacht", "unrelated", "strength = \"decisive\"");
    let against_no = rule("rejection.yacht", "rejection", "weight = -20");
    let against_it = rule("unrelated.no-yacht", "unrelated", "weight = -6");
    for (rules, wanted) in [
        (vec![&taken], vec!["R108"]),
        (vec![&taken, &against_no], vec![]),
        (vec![&taken, &against_no, &against_it], vec![]),
        (vec![&taken, &against_it], vec!["R108"]),
    ] {
        let text: String = rules.into_iter().map(String::as_str).collect();
        let mut sources = shipped.clone();
        let text = format!("schema = 1\nlanguage = \"en\"\n{text}");
        sources.push(Source { name: "mine.toml".into(), text: text.into(), layer: Layer::User });
        let found = rules::lint(&set(&sources), &sources, Layer::User);
        let codes: Vec<&str> = found.iter().map(|p| p.code).collect();
        assert_eq!(codes, wanted, "{}", shown(&found));
    }
}

/// The keys that the reader takes in a table, as its own help names them.
fn keys_of(table: &str, what: &str) -> Vec<String> {
    let text = format!("schema = 1\n{table}\nqqqq = 1\n");
    let problems = rules::load(&[Source { name: "x.toml".into(), text: text.into(), layer: Layer::User }]).unwrap_err();
    let help =
        problems.iter().filter_map(|p| p.help.as_ref()).find_map(|h| h.strip_prefix(&format!("a {what} knows ")));
    let help = help.unwrap_or_else(|| panic!("{table}: {}", shown(&problems)));
    let mut keys: Vec<String> = help.split(", ").map(str::to_owned).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Editors are told the format as it is. `UPDATE_EXPECT=1` writes the file.
#[test]
fn the_json_schema_knows_the_keys_that_the_reader_takes() {
    let schema = rules::schema();
    for (table, what, pointer) in [
        ("", "rule file", ""),
        ("[[rule]]", "rule", "/$defs/rule"),
        ("[defaults]", "defaults", "/$defs/rule"),
        ("[[rule]]\n[[rule.unless]]", "unless", "/$defs/condition"),
        ("[[override]]", "override", "/properties/override/items"),
        ("[[disable]]", "disable", "/properties/disable/items"),
        ("[[sender]]", "sender", "/properties/sender/items"),
        ("[[conflict]]", "conflict", "/properties/conflict/items"),
        ("[[message_test]]", "message_test", "/properties/message_test/items"),
        ("[[tombstone]]", "tombstone", "/properties/tombstone/items"),
        ("[category.offer]", "category", "/properties/category/additionalProperties"),
    ] {
        let at = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        let mut known: Vec<String> = at["properties"].as_object().unwrap().keys().cloned().collect();
        known.sort();
        assert_eq!(known, keys_of(table, what), "{pointer}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.schema.json");
    let text = format!("{schema:#}\n");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "run with UPDATE_EXPECT=1 to write it anew");
}

#[test]
fn no_shipped_file_is_forgotten() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut files: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|e| format!("rules/{}", e.unwrap().file_name().to_string_lossy()))
        // Data of others: of the reply policy, of suspicion, of mail providers.
        .filter(|name| {
            name.ends_with(".toml")
                && !["rules/providers.toml", "rules/replies.toml", "rules/suspicion.toml"].contains(&name.as_str())
        })
        .collect();
    files.sort();
    let shipped: Vec<String> = rules::shipped().into_iter().map(|s| s.name).collect();
    assert_eq!(shipped, files);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]
    #[test]
    fn any_text_is_judged_without_panic_and_spans_fit(body in "(\\PC{0,200}|sadly|hired two contenders|not take your application further|[—…’İ。 \n])*") {
        let set = SET.get_or_init(|| set(&pack()));
        let verdict = classify::classify(set, &mail(&format!("Content-Type: text/plain; charset=utf-8\nSubject: application\n\n{body}")));
        for hit in &verdict.hits {
            proptest::prop_assert!(hit.sentence.get(hit.span.0..hit.span.1).is_some(), "{hit:?}");
        }
    }
}

static SET: std::sync::OnceLock<RuleSet> = std::sync::OnceLock::new();
