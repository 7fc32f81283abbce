//! Every reply text, written out with what is known of every no of `tests/corpus/`, passes the wording check.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::civil::Date;
use onward::{
    classify::classify,
    message::{Fetched, Message},
    outcome::Category,
    reply::{
        DraftKind, Templates,
        lint::{Made, lint_made},
        occasion::Occasion,
        person::signed_name,
        template::{Values, value},
    },
    rules::{self, RuleSet},
};

/// The languages that replies are shipped in.
const LANGUAGES: &[&str] = &["de", "en", "es", "fr", "it", "nl", "pt"];

/// Mails judged by one thread.
const MAILS_AT_ONCE: usize = 32;

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// What is known of a no: what its mail gives, and every other fact a text may name.
fn known(rules: &RuleSet, bytes: &[u8], n: usize) -> Values {
    let message = Message::parse(bytes, Fetched::Whole);
    let facts = classify(rules, &message).facts;
    let value = |fact: &Option<onward::classify::Fact>| fact.as_ref().and_then(|f| value(&f.value));
    Values {
        employer: value(&facts.employer),
        role: value(&facts.role),
        contact: signed_name(facts.signed_by.as_ref().map(|f| f.value.as_str()), message.from.first()),
        me: some("Sam Roe"),
        colleague: some(["Alex Poe", "Dr. Jean-Luc van der Meer"][n % 2]),
        rounds: Some(2 + (n % 5) as u8),
        interview_day: Date::new(2026, 1 + (n % 12) as i8, 1 + (n % 28) as i8).ok(),
        occasion: Some(Occasion::ALL[n % Occasion::ALL.len()]),
    }
}

/// Writes every text of the language out with every set of values; what the check says, and how many were written.
fn judge(templates: &Templates, language: &str, all: &[Values]) -> (Vec<String>, usize) {
    let (mut bad, mut written) = (Vec::new(), 0);
    for (template, values) in
        templates.all().filter(|t| t.language == language).flat_map(|t| all.iter().map(move |v| (t, v)))
    {
        let Some(draft) = templates.written(template, values) else { continue };
        written += 1;
        let names: Vec<&str> = [&values.contact, &values.colleague].into_iter().filter_map(|n| n.as_deref()).collect();
        let asks = template.kind == DraftKind::FeedbackRequest && template.group != "accept-feedback";
        let findings = lint_made(&draft.text, language, Made { asks, names: &names });
        if !findings.is_empty() || draft.text.contains("  ") || draft.text.contains(['{', '[']) {
            let said: Vec<String> = findings.iter().map(|f| format!("{}: {}", f.code, f.said())).collect();
            bad.push(format!("{}: {said:?}\n{}", template.id, draft.text));
        }
    }
    (bad, written)
}

fn none(bad: &[String]) {
    assert!(bad.is_empty(), "{} texts\n{}", bad.len(), bad.iter().take(20).cloned().collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn every_text_reads_well_for_every_no_of_the_corpus() {
    #[derive(serde::Deserialize)]
    struct Expected {
        category: Category,
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let rules = rules::load(&rules::shipped()).unwrap();
    let templates = Templates::shipped();
    for language in LANGUAGES {
        let folder = corpus.join(language);
        let expected = std::fs::read_to_string(folder.join("expected.toml")).unwrap();
        let expected: BTreeMap<String, Expected> = toml::from_str(&expected).unwrap();
        let noes: Vec<_> = expected.iter().filter(|(_, e)| e.category == Category::Rejection).collect();
        let read = |name: &str| std::fs::read(folder.join(format!("{name}.eml"))).unwrap();
        let mails: Vec<(usize, Vec<u8>)> = noes.iter().map(|(name, _)| read(name)).enumerate().collect();
        let part = |mails: &[(usize, Vec<u8>)]| {
            let all: Vec<Values> = mails.iter().map(|(n, bytes)| known(&rules, bytes, *n)).collect();
            let (bad, written) = judge(&templates, language, &all);
            (bad, written, all)
        };
        let parts: Vec<_> = std::thread::scope(|scope| {
            let parts: Vec<_> = mails.chunks(MAILS_AT_ONCE).map(|mails| scope.spawn(|| part(mails))).collect();
            parts.into_iter().map(|part| part.join().unwrap()).collect()
        });
        let bad: Vec<String> = parts.iter().flat_map(|(bad, ..)| bad.clone()).collect();
        let written: usize = parts.iter().map(|(_, written, _)| written).sum();
        let all: Vec<&Values> = parts.iter().flat_map(|(.., all)| all).collect();
        none(&bad);
        assert!(noes.len() >= 15 && written > noes.len() * 20, "{language}: {written} texts for {} mails", noes.len());
        assert!(all.iter().any(|v| v.contact.is_some()) && all.iter().any(|v| v.role.is_some()), "{language}");
    }
}

#[test]
fn every_text_reads_well_in_every_context() {
    let templates = Templates::shipped();
    let bare = Values::default();
    let contexts = [
        Values {
            employer: some("Kestrel"),
            role: some("Analyst"),
            contact: some("Anna"),
            me: some("Sam Roe"),
            ..bare.clone()
        },
        Values {
            employer: some("Müller & Söhne GmbH & Co. KG"),
            role: some("Senior Data Analyst (m/w/d) – Schwerpunkt Energiewirtschaft"),
            contact: some("Dr. Jean-Luc van der Meer"),
            me: some("Samantha Roe-Fitzgerald"),
            colleague: some("Dr. María de los Ángeles Núñez"),
            rounds: Some(6),
            interview_day: Date::new(2026, 11, 11).ok(),
            occasion: Some(Occasion::Presentation),
        },
        Values { employer: some("Kestrel Inc."), me: some("Sam"), rounds: Some(2), ..bare.clone() },
        Values { role: some("C++ / C# Engineer"), me: some("Sam Roe"), colleague: some("Alex Poe"), ..bare.clone() },
        Values { interview_day: Date::new(2026, 3, 1).ok(), ..bare.clone() },
        bare.clone(),
    ];
    let occasions = Occasion::ALL.iter().map(|one| Values { occasion: Some(*one), ..bare.clone() });
    let contexts: Vec<Values> = contexts.into_iter().chain(occasions).collect();
    for language in LANGUAGES {
        let (bad, written) = judge(&templates, language, &contexts);
        none(&bad);
        assert!(written > 150, "{language}: {written}");
    }
    for template in templates.all() {
        let text = templates.written(template, &contexts[1]).unwrap().text;
        let asks = match (template.kind, template.group.as_str()) {
            (DraftKind::FeedbackRequest, _) | (_, "agency" | "follow-up-application" | "follow-up-interview") => 1..=1,
            (DraftKind::ThankYou, _) | (_, "follow-up-second") => 0..=0,
            (DraftKind::FollowUp | DraftKind::KeepInTouch, _) => 0..=1,
        };
        assert!(asks.contains(&text.matches('?').count()), "{}\n{text}", template.id);
        if template.kind != DraftKind::ThankYou && template.group != "accept-feedback" || template.group == "agency" {
            let found = lint_made(&format!("{text}?"), &template.language, Made { asks: true, names: &[] });
            assert!(found.iter().all(|f| f.code != "no-release"), "{}\n{text}", template.id);
        }
    }
}

/// Two texts of a language that share a long sentence would read as a form to somebody who gets both.
#[test]
fn texts_of_a_group_do_not_repeat_each_other() {
    let templates = Templates::shipped();
    let values = Values {
        employer: some("Kestrel"),
        role: some("Analyst"),
        colleague: some("Alex Poe"),
        rounds: Some(3),
        interview_day: Date::new(2026, 3, 12).ok(),
        occasion: Some(Occasion::Phone),
        ..Values::default()
    };
    let mut seen = BTreeSet::new();
    for template in templates.all() {
        let text = templates.written(template, &values).unwrap().text;
        let body = text.split("\n\n").skip(1).take(2);
        let opening = body.clone().next().unwrap().to_owned();
        assert!(seen.insert((template.language.clone(), opening)), "{} opens as another one", template.id);
        assert!(body.count() == 2, "{} has two paragraphs", template.id);
    }
}

/// Texts of the person for other mails: the check of what they wrote names file, line, sentence and reason.
#[test]
fn a_bad_text_of_the_person_is_named_in_every_language() {
    for (language, sentence, code) in [
        ("en", "Please reconsider this.", "arguing"),
        ("de", "Warum fiel die Wahl so aus?", "reasons"),
        ("fr", "Vous trouverez mon dossier ci-joint.", "attachment"),
        ("es", "Es una decisión injusta.", "arguing"),
        ("it", "Perché non io?", "reasons"),
        ("nl", "Zie ook de bijlage.", "attachment"),
        ("pt", "Peço que reconsidere.", "arguing"),
    ] {
        let front = "kind = \"thank-you\"\ngroup = \"thank-you\"\nvariant = 9\n";
        let text = format!("+++\nlang = \"{language}\"\n{front}+++\n\n{sentence}\n");
        let (templates, problems) = Templates::load(&[("mine.md".to_owned(), text)]);
        assert_eq!(problems, []);
        let found = templates.check();
        let problem = found.iter().find(|p| p.help.contains(&format!("`{code}`"))).unwrap();
        assert_eq!((problem.file.as_str(), problem.line), ("mine.md", 8), "{language}");
        assert!(problem.message.contains(&format!("In: “{sentence}")), "{problem}");
    }
}
