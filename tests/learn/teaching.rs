//! Template memory, the second voice, and what neither may do.

use super::*;

#[test]
fn the_same_text_is_known_again_whoever_sends_it() {
    let rules = few_rules();
    let first = mail("quiet-no.eml", &[]);
    assert_ne!(
        (classify::classify(&rules, &first).category, classify::classify(&rules, &first).decided),
        (Category::Rejection, true),
        "the fixture is to be a no that the rules do not know"
    );
    let learned = Learned::from_lessons(&[lesson(&rules, 12, &first, Category::Rejection)]);
    let other: &[(&str, &str)] = &[
        ("Pear & Plum", "Quill House"),
        ("pearplum", "quillhouse"),
        ("Store Planner", "Regional Shift Lead"),
        ("Dana Whitfield", "Ivo Brandt"),
        ("30 October at 10:00", "4 February at 16:30"),
        ("Robin Hale", "Kim Doe"),
        ("Robin", "Kim"),
        ("4711", "9"),
    ];
    for (name, instead) in [("the mail itself", &[][..]), ("another employer", other)] {
        let verdict = classify::classify_with(&rules, &mail("quiet-no.eml", instead), &learned);
        let hit = hit(&verdict, "user.template.12").unwrap_or_else(|| panic!("{name}: {:?}", verdict.scores));
        assert_eq!((hit.weight, hit.dropped), (TEMPLATE_BITS, None), "{name}");
        assert_eq!(hit.title, "same text as the mail you labelled on 3 Aug 2026");
        assert_eq!((verdict.category, verdict.decided), (Category::Rejection, true), "{name}: {:?}", verdict.asks);
    }
}

#[test]
fn a_label_overrules_what_the_rules_read_in_the_same_text() {
    let rules = few_rules();
    let first = mail("misread-visit.eml", &[]);
    let before = classify::classify(&rules, &first);
    assert_eq!((before.category, before.decided), (Category::Interview, true), "{:?}", before.asks);
    let learned = Learned::from_lessons(&[lesson(&rules, 3, &first, Category::Unrelated)]);
    let again = mail("misread-visit.eml", &[("Stage Clerk", "Wardrobe Help"), ("visit-1", "visit-2")]);
    let verdict = classify::classify_with(&rules, &again, &learned);
    assert_eq!((verdict.category, verdict.decided), (Category::Unrelated, true), "{:?}", verdict.scores);
    assert!(verdict.hits.iter().any(|hit| hit.dropped == Some(Dropped::Overruled)), "{:?}", verdict.hits);
}

#[test]
fn a_text_that_says_something_new_is_not_the_same_text() {
    let rules = few_rules();
    let first = long_letter("");
    let learned = Learned::from_lessons(&[lesson(&rules, 12, &first, Category::Rejection)]);
    for (added, dropped, category) in [
        ("", None, Category::Rejection),
        ("The kettle is on.", None, Category::Rejection),
        ("We would like to invite you to an interview.", Some(Dropped::Differs), Category::Interview),
    ] {
        let verdict = classify::classify_with(&rules, &long_letter(added), &learned);
        let hit = hit(&verdict, "user.template.12").unwrap_or_else(|| panic!("{added}: near enough for the print"));
        assert_eq!((hit.dropped, hit.weight == 0.0), (dropped, dropped.is_some()), "{added}");
        assert_eq!(verdict.category, category, "{added}");
    }
}

/// A letter so long that one sentence more does not change its print.
fn long_letter(added: &str) -> Message {
    let word = |n: u32| {
        let letter = |n: u32| char::from(b'a' + u8::try_from(n % 26).unwrap());
        [n, n / 3 + 7, n / 11 + 3, n * 5].map(letter).iter().collect::<String>()
    };
    let sentence = |s: u32| format!("The {}.", (1..12).map(|w| word(s * 12 + w)).collect::<Vec<_>>().join(" "));
    let body: Vec<String> = (0..60).map(sentence).collect();
    let text = format!(
        "From: a@x.example\nTo: robin@example.com\nSubject: your application\nMessage-ID: <l{}@x.example>\n\n{} {added}\n",
        added.len(),
        body.join(" ")
    );
    Message::parse(text.replace('\n', "\r\n").as_bytes(), Fetched::Whole)
}

#[test]
fn one_text_with_two_labels_has_no_vote() {
    let rules = few_rules();
    let first = mail("quiet-no.eml", &[]);
    let labels = [(12, Category::Rejection), (13, Category::OnHold)];
    let lessons: Vec<Lesson> = labels.iter().map(|(item, label)| lesson(&rules, *item, &first, *label)).collect();
    let verdict = classify::classify_with(&rules, &first, &Learned::from_lessons(&lessons));
    let hit = hit(&verdict, "user.template.13").expect("the newest is shown");
    assert_eq!((hit.weight, hit.dropped), (0.0, Some(Dropped::Disputed)));
}

#[test]
fn with_nothing_learned_nothing_changes() {
    let rules = few_rules();
    for name in ["quiet-no.eml", "misread-visit.eml", "real-visit.eml"] {
        let message = mail(name, &[]);
        let (alone, with) = (
            classify::classify(&rules, &message),
            classify::classify_with(&rules, &message, &Learned::from_lessons(&[])),
        );
        assert_eq!(alone, with, "{name}");
    }
}

/// Letters of a kind that no rule knows, each with words of its own.
fn letters(count: u32, kind: &str) -> Vec<Message> {
    let letter = |n: u32| {
        let own: String =
            (0..12).map(|i| format!("word{}x ", (n * 31 + i * 7) % 997).replace(char::is_numeric, "q")).collect();
        let text = format!(
            "From: a{n}@x.example\nTo: robin@example.com\nSubject: news\nMessage-ID: <{kind}{n}@x.example>\n\n{kind}\n\n{own}\n"
        );
        Message::parse(text.replace('\n', "\r\n").as_bytes(), Fetched::Whole)
    };
    (0..count).map(letter).collect()
}

const LANTERNS: &str = "The lanterns in the harbour were lit and your folder sails with the next tide of paper.";
const TURNIPS: &str = "Somebody planted turnips behind the library and the weather stays mild for the season.";

fn taught(rules: &RuleSet, of: u32, others: u32) -> Learned {
    let of = letters(of, LANTERNS).into_iter().map(|message| (message, Category::Rejection));
    let others = letters(others, TURNIPS).into_iter().map(|message| (message, Category::JobAlert));
    let lessons: Vec<Lesson> =
        of.chain(others).zip(1..).map(|((message, label), item)| lesson(rules, item, &message, label)).collect();
    Learned::from_lessons(&lessons)
}

/// A mail that repeats some words and no text.
fn with_words(words: &str) -> Message {
    let text = format!(
        "From: b@y.example\nTo: robin@example.com\nSubject: hello\nMessage-ID: <w@y.example>\n\n{words} Here is a note \
         from somebody else about something quite different that nobody has written before in this town.\n"
    );
    Message::parse(text.replace('\n', "\r\n").as_bytes(), Fetched::Whole)
}

#[test]
fn the_second_voice_waits_until_it_has_heard_both_sides() {
    let rules = few_rules();
    let message = with_words("The lanterns in the harbour were lit.");
    for (of, others, speaks) in [
        (TRAINING_MIN - 1, TRAINING_MIN, false),
        (TRAINING_MIN, TRAINING_MIN - 1, false),
        (TRAINING_MIN, TRAINING_MIN, true),
    ] {
        let verdict = classify::classify_with(&rules, &message, &taught(&rules, of, others));
        assert_eq!(hit(&verdict, "bayes.rejection").is_some(), speaks, "{of} {others}");
    }
}

#[test]
fn the_second_voice_names_its_words_and_never_decides() {
    let rules = few_rules();
    let learned = taught(&rules, 40, 40);
    for (words, sway) in
        [("The lanterns in the harbour were lit.", 1.0), ("Somebody planted turnips.", -1.0), ("", 0.0)]
    {
        let verdict = classify::classify_with(&rules, &with_words(words), &learned);
        assert_eq!((verdict.category, verdict.decided), (Category::Unrelated, true), "{words}: alone it says nothing");
        let hit = hit(&verdict, "bayes.rejection");
        match hit {
            Some(hit) if sway > 0.0 => {
                assert!((2.0..=BAYES_BITS_MAX).contains(&hit.weight), "{}", hit.weight);
                assert!(hit.sentence.contains('«') && hit.sentence.contains("harbour"), "{}", hit.sentence);
            }
            // Against something that nobody spoke for there is nothing to show.
            other => assert!(sway <= 0.0 && other.is_none(), "{words}: {other:?}"),
        }
    }
    // Job mail that says nothing known: the voice makes the guess, and the person is asked.
    let message = with_words(&format!("Your application lies with our hiring team. {LANTERNS}"));
    let verdict = classify::classify_with(&rules, &message, &learned);
    assert_eq!((verdict.category, verdict.decided), (Category::Rejection, false), "{:?}", verdict.scores);
}

#[test]
fn the_second_voice_objects_to_a_close_decision() {
    let rules = few_rules();
    let no = "We have chosen another candidate for the position, and your application rests.";
    let message = with_words(&format!("{no} {TURNIPS} {TURNIPS}"));
    let alone = classify::classify(&rules, &message);
    assert_eq!((alone.category, alone.decided), (Category::Rejection, true), "{:?}", alone.asks);
    let accept = rules.policy(Category::Rejection).accept;
    let verdict = classify::classify_with(&rules, &message, &taught(&rules, 40, 40));
    let objection = hit(&verdict, "bayes.rejection").expect("it speaks");
    assert!((-BAYES_BITS_MAX..=-2.0).contains(&objection.weight), "{}", objection.weight);
    let near = alone.score < accept + BAYES_BITS_MAX;
    assert_eq!(verdict.asks.contains(&Ask::BayesDisagrees), near, "{} {:?}", alone.score, verdict.asks);
    assert!(near, "the fixture is to be a close one: {}", alone.score);
    assert_eq!(verdict.category, Category::Rejection);
}

#[test]
fn names_and_numbers_are_not_learned() {
    let rules = few_rules();
    let traits = classify::traits(&rules, &mail("quiet-no.eml", &[]));
    let kept = serde_json::to_string(&traits).unwrap();
    for private in ["robin", "hale", "dana", "whitfield", "pear", "plum", "store", "planner", "4711", "march", "jobs@"]
    {
        let holds = traits.terms.iter().any(|term| term.split([' ', ':']).any(|word| word == private));
        assert!(!holds, "{private} in {kept}");
    }
    assert!(!format!("{traits:?}").contains("orchard") && !format!("{traits:?}").contains("drawer"));
}

#[test]
fn a_rule_is_proposed_and_stands_up_to_everything() {
    let sources = sources();
    let rules = few_rules();
    let report = rules::check(&rules);
    let (no, yes) = (mail("quiet-no.eml", &[]), mail("real-visit.eml", &[]));
    let other = [Labelled { name: "item 2", message: &yes, label: Category::Interview }];
    let asked = asked(&sources, &rules, &report, &other);
    let target = Labelled { name: "item 1", message: &no, label: Category::Rejection };
    let proposal = propose(&asked, target).unwrap_or_else(|why| panic!("{why}"));
    let [id] = proposal.ids.as_slice() else { panic!("{:?}", proposal.ids) };
    let verdict = classify::classify(&proposal.rules, &no);
    assert!(hit(&verdict, id).is_some_and(|hit| hit.dropped.is_none()), "{}", proposal.toml);
    assert_eq!(verdict.category, Category::Rejection);
    assert!(hit(&classify::classify(&proposal.rules, &yes), id).is_none());
    assert!(rules::check(&proposal.rules).failures.is_empty());
    for private in ["Pear", "Robin", "Store Planner", "Dana"] {
        assert!(!proposal.toml.contains(private), "{}", proposal.toml);
    }
    let already = propose(&asked, Labelled { name: "item 2", message: &yes, label: Category::Interview });
    assert!(matches!(already, Err(NoProposal::Already(_))));
}

fn asked<'a>(
    sources: &'a [Source],
    rules: &'a RuleSet,
    report: &'a rules::Report,
    labelled: &'a [Labelled<'a>],
) -> Asked<'a> {
    Asked { sources, file: "95-learned.toml", today: today(), rules, report, labelled }
}

#[test]
fn a_misread_mail_gives_an_exception_and_leaves_the_rest_alone() {
    let sources = sources();
    let rules = few_rules();
    let report = rules::check(&rules);
    let (wrong, right) = (mail("misread-visit.eml", &[]), mail("real-visit.eml", &[]));
    let other = [Labelled { name: "item 2", message: &right, label: Category::Interview }];
    let asked = asked(&sources, &rules, &report, &other);
    let misread = classify::classify(&rules, &wrong);
    let rule = misread.evidence().find(|hit| hit.category == Some(Category::Interview)).unwrap().rule.clone();
    let target = Labelled { name: "item 1", message: &wrong, label: Category::Unrelated };
    let proposal = tune(&asked, &rule, &[target], &other).unwrap_or_else(|why| panic!("{why}"));
    assert!(proposal.toml.contains("[override.append]") && proposal.toml.contains(&rule), "{}", proposal.toml);
    let counts =
        |message| hit(&classify::classify(&proposal.rules, message), &rule).is_some_and(|h| h.dropped.is_none());
    assert!(!counts(&wrong) && counts(&right), "{}", proposal.toml);
    // The two mails cannot be told apart by one that holds the words of both.
    let same = [Labelled { name: "item 3", message: &wrong, label: Category::Interview }];
    assert!(matches!(tune(&asked, &rule, &[target], &same), Err(NoProposal::NoException(_))));
    assert!(matches!(tune(&asked, "no.such.rule", &[target], &[]), Err(NoProposal::NoRule(_))));
    let quiet = mail("quiet-no.eml", &[]);
    let elsewhere = Labelled { name: "item 4", message: &quiet, label: Category::Rejection };
    assert!(matches!(tune(&asked, &rule, &[elsewhere], &[]), Err(NoProposal::NoHit { .. })));
}
