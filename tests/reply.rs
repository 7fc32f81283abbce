//! Replies from a no to the bytes: who is written to, what is said, and that no mail can break out.

mod golden;
mod suspicious;
mod table;

use jiff::{Timestamp, Zoned};
use mail_parser::MessageParser;
use onward::{
    classify::{Fact, Facts},
    message::{Address, Block, Defect, HeaderFacts, Message, MessageId, Zone},
    outcome::{Category, Outcome, Reason, Stage},
    reply::{
        Caution, DraftKind, Edit, History, Identity, Interview, Policy, ProposedDraft, Purpose, Relays, ReplyContext,
        SenderKind, Templates, ThreadMail, editable, eligibility, lint, occasion, parse_edit,
        policy::{Recipient, Situation},
        propose, propose_in, recompose,
    },
};

/// A no and everything around it, to be bent by each test.
#[derive(Clone)]
struct Case {
    message: Message,
    facts: Facts,
    outcome: Outcome,
    identities: Vec<Identity>,
    thread: Vec<ThreadMail>,
    history: History,
    warnings: Vec<Caution>,
    relays: Relays,
    arrived: Timestamp,
    interviews: Vec<Interview>,
    people: Vec<Address>,
    now: Zoned,
}

fn address(name: &str, email: &str) -> Address {
    Address { name: name.into(), email: email.into() }
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn fact(value: &str) -> Option<Fact> {
    Some(Fact { value: value.into(), source: "test".into() })
}

impl Case {
    /// A person at Kestrel says no after the interview.
    fn new() -> Case {
        let message = Message {
            id: Some(id("no-1@kestrel.example")),
            in_reply_to: Some(id("mine-2@sam.example")),
            references: vec![id("first@kestrel.example"), id("mine-2@sam.example")],
            subject: "Your application as Data Analyst".into(),
            from: vec![address("Anna Schmidt", "anna.schmidt@kestrel.example")],
            sender: None,
            reply_to: Vec::new(),
            to: vec![address("Sam Roe", "sam@roe.example")],
            cc: Vec::new(),
            delivered_to: Vec::new(),
            date: None,
            forwarded: None,
            inside: None,
            headers: HeaderFacts::default(),
            blocks: Vec::new(),
            link_hosts: Vec::new(),
            link_lies: Vec::new(),
            auth: None,
            returned: None,
            calendar: None,
            hash: [0; 32],
            truncated: false,
            defects: Vec::new(),
        };
        let facts = Facts {
            stage: Stage::AfterInterview,
            stage_assumed: false,
            reason: Reason::OtherCandidate,
            employer: fact("Kestrel Ltd."),
            role: fact("Data Analyst"),
            requisition_id: None,
            contact: None,
            signed_by: fact("Anna Schmidt"),
            ats: None,
            agency: false,
            noreply: false,
            no_feedback: false,
            offers_feedback: false,
            retracts: false,
            language: "en".into(),
            applicants: None,
            dates: Vec::new(),
            appointments: Vec::new(),
        };
        let outcome = Outcome {
            category: Category::Rejection,
            decided: true,
            stage: Stage::AfterInterview,
            reason: Reason::OtherCandidate,
            employer: Some("Kestrel Ltd.".into()),
            role: Some("Data Analyst".into()),
            requisition_id: None,
            contact: None,
        };
        let identity = |name: &str, addresses: &[&str]| Identity {
            name: name.into(),
            addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
            language: "en".into(),
        };
        Case {
            message,
            facts,
            outcome,
            identities: vec![identity("Sam Roe", &["sam@roe.example", "jobs@roe.example"])],
            thread: Vec::new(),
            history: History::default(),
            warnings: Vec::new(),
            relays: Relays::default(),
            arrived: "2026-11-20T09:00:00Z".parse().unwrap(),
            interviews: Vec::new(),
            people: Vec::new(),
            now: "2026-11-21T18:05:00+01:00[Europe/Berlin]".parse().unwrap(),
        }
    }

    /// The sender becomes one of a kind.
    fn sent_by(mut self, kind: SenderKind) -> Case {
        match kind {
            SenderKind::Human => {}
            SenderKind::Agency => self.facts.agency = true,
            SenderKind::NoReply => {
                self.message.from = vec![address("Kestrel Careers", "no-reply@kestrel.example")];
                self.facts.signed_by = None;
            }
            SenderKind::Relay => {
                self.message.from = vec![address("Kestrel", "kestrel-jobs@ats.example")];
                self.message.headers.list_unsubscribe = true;
                self.facts.ats = Some("Ats".into());
                self.facts.signed_by = None;
            }
        }
        self
    }

    fn stage(mut self, stage: Stage) -> Case {
        (self.facts.stage, self.outcome.stage) = (stage, stage);
        self
    }

    fn context(&self) -> ReplyContext<'_> {
        ReplyContext {
            message: &self.message,
            facts: &self.facts,
            outcome: &self.outcome,
            identities: &self.identities,
            thread: &self.thread,
            history: self.history,
            warnings: &self.warnings,
            relays: self.relays,
            arrived: self.arrived,
            interviews: &self.interviews,
            people: &self.people,
            now: &self.now,
            message_id_seed: "0b1f6a52-7a0e-4b7e-9c55-3f1d2f6b8a01",
            variant: 0,
        }
    }

    fn propose(&self) -> ProposedDraft {
        propose(&Policy::shipped(), &Templates::shipped(), &self.context()).unwrap()
    }
}

/// A mail of the thread.
fn thread_mail(n: i64, from: Address, human: bool) -> ThreadMail {
    ThreadMail {
        message_id: id(&format!("thread-{n}@kestrel.example")),
        from,
        subject: format!("Interview {n}"),
        date: jiff::Timestamp::from_second(1_790_000_000 + n).unwrap(),
        human,
        references: vec![id("first@kestrel.example")],
    }
}

fn codes(draft: &ProposedDraft) -> Vec<&str> {
    draft.cautions.iter().map(|c| c.code.as_str()).collect()
}

fn text(draft: &ProposedDraft) -> String {
    editable(&draft.bytes).unwrap().body
}

#[test]
fn the_table_decides_by_stage_and_sender() {
    use SenderKind::{Agency, Human, NoReply, Relay};
    let human = |stage| match stage {
        Stage::AfterAssessment => ("after-assessment-human", true),
        Stage::AfterInterview => ("after-interview-human", true),
        Stage::AfterFinal => ("after-final-human", true),
        Stage::AfterApplication | Stage::Unknown => ("application-human", true),
    };
    let machine = |stage, human_in_thread| match (stage, human_in_thread) {
        (Stage::AfterAssessment | Stage::AfterInterview | Stage::AfterFinal, true) => ("late-thread", true),
        (Stage::AfterAssessment | Stage::AfterInterview | Stage::AfterFinal, false) => ("unreachable-late", false),
        (Stage::AfterApplication | Stage::Unknown, _) => ("unreachable", false),
    };
    for stage in Stage::ALL {
        for sender in SenderKind::ALL {
            for in_thread in [false, true] {
                let mut case = Case::new().sent_by(*sender).stage(*stage);
                if in_thread {
                    case.thread = vec![thread_mail(1, address("Ben Ito", "ben@kestrel.example"), true)];
                }
                let (row, reachable) = match sender {
                    Human => human(*stage),
                    Agency => ("agency", true),
                    NoReply | Relay => machine(*stage, in_thread),
                };
                let draft = case.propose();
                assert_eq!((draft.row.as_str(), draft.envelope.to.is_some()), (row, reachable), "{stage} {sender}");
                assert_eq!(draft.approvable(), reachable, "{stage} {sender} {:?}", draft.cautions);
                assert_eq!(codes(&draft).contains(&"no-reachable-address"), !reachable);
            }
        }
    }
}

#[test]
fn signals_come_before_stage_and_sender() {
    type Bend = fn(&mut Case);
    let bends: [(Bend, &str, DraftKind); 7] = [
        (|c| c.history.asked_recently = true, "asked-recently", DraftKind::ThankYou),
        (|c| c.history.live_process = true, "live-process", DraftKind::ThankYou),
        (|c| c.facts.no_feedback = true, "no-feedback", DraftKind::ThankYou),
        (|c| c.facts.offers_feedback = true, "feedback-offered", DraftKind::FeedbackRequest),
        (|c| c.outcome.reason = Reason::InternalHire, "internal-hire", DraftKind::ThankYou),
        (|c| c.outcome.reason = Reason::PositionClosed, "position-closed", DraftKind::ThankYou),
        (|c| (c.facts.no_feedback, c.facts.offers_feedback) = (true, true), "no-feedback", DraftKind::ThankYou),
    ];
    for stage in Stage::ALL {
        for sender in SenderKind::ALL {
            for (bend, row, kind) in bends {
                let mut case = Case::new().sent_by(*sender).stage(*stage);
                bend(&mut case);
                let draft = case.propose();
                assert_eq!(draft.row.trim_end_matches("-late"), row, "{stage} {sender}");
                assert_eq!(draft.kind, kind, "{stage} {sender} {row}");
                assert!(codes(&draft).contains(&draft.row.as_str()), "the draft says why: {:?}", draft.cautions);
                if kind == DraftKind::ThankYou {
                    assert!(!text(&draft).contains('?'), "{}", text(&draft));
                }
            }
        }
    }
}

#[test]
fn every_row_of_the_table_is_reached() {
    let policy = Policy::shipped();
    let mut reached = std::collections::BTreeSet::new();
    for (stage, sender) in Stage::ALL.iter().flat_map(|st| SenderKind::ALL.iter().map(move |se| (*st, *se))) {
        for reason in Reason::ALL {
            for bits in 0..32_u8 {
                let bit = |n: u8| bits & (1 << n) != 0;
                let situation = Situation {
                    stage,
                    reason: *reason,
                    sender,
                    no_feedback: bit(0),
                    offers_feedback: bit(1),
                    asked_recently: bit(2),
                    live_process: bit(3),
                    human_in_thread: bit(4),
                };
                let row = policy.decide(&situation);
                reached.insert(row.id.clone());
                assert!(!(situation.asked_recently && row.draft == DraftKind::FeedbackRequest), "{situation:?}");
                assert!(row.to != Recipient::Thread || situation.human_in_thread, "{situation:?}");
            }
        }
    }
    let all: std::collections::BTreeSet<_> =
        policy.rows().map(|r| r.id.clone()).filter(|id| id != "otherwise").collect();
    assert_eq!(reached, all);
}

#[test]
fn whom_never_to_answer() {
    type Bend = fn(&mut Case);
    let bends: [(Bend, &str); 9] = [
        (|c| c.message.headers.list_id = true, "mailing-list"),
        (|c| c.message.headers.delivery_report = true, "bounce"),
        (|c| c.message.headers.null_return_path = true, "null-return-path"),
        (|c| c.message.from = vec![address("Mail System", "MAILER-DAEMON@kestrel.example")], "bounce"),
        (|c| c.message.from = vec![address("Me", "Sam+x@roe.example")], "own-address"),
        (|c| c.message.from = Vec::new(), "no-sender"),
        (|c| c.message.from = vec![address("x", "not an address")], "malformed-address"),
        (|c| c.message.defects = vec![Defect::AmbiguousFrom], "ambiguous-sender"),
        (|c| c.history.answered = true, "already-answered"),
    ];
    for (bend, code) in bends {
        let mut case = Case::new();
        bend(&mut case);
        let draft = case.propose();
        assert_eq!(draft.envelope.to, None, "{code}");
        assert!(!draft.approvable());
        assert!(codes(&draft).contains(&code), "{code}: {:?}", draft.cautions);
        assert!(!String::from_utf8_lossy(&draft.bytes).contains("\r\nTo:"), "{code}");
    }
    for email in ["no-reply@x.example", "donotreply+7@x.example", "notifications@x.example"] {
        for reply_to in [true, false] {
            let mut case = Case::new();
            let list = if reply_to { &mut case.message.reply_to } else { &mut case.message.from };
            *list = vec![address("", email)];
            assert_eq!(case.propose().envelope.to, None, "{email} {reply_to}");
        }
    }
}

#[test]
fn marks_of_programs_are_cautions_that_stop_nothing() {
    let mut case = Case::new();
    case.message.headers = HeaderFacts {
        auto_submitted: true,
        precedence_bulk: true,
        list_unsubscribe: true,
        auto_response_suppress: true,
        feedback_id: true,
        ..HeaderFacts::default()
    };
    case.relays.from = true;
    case.message.reply_to = vec![address("Anna Schmidt", "anna.schmidt@other.example")];
    case.outcome.decided = false;
    let draft = case.propose();
    let expected = [
        "auto-submitted",
        "precedence-bulk",
        "list-unsubscribe",
        "feedback-id",
        "auto-response-suppress",
        "reply-to-other-domain",
        "undecided",
    ];
    assert_eq!(codes(&draft), expected);
    assert!(draft.approvable());
    assert_eq!(draft.envelope.to.as_deref(), Some("anna.schmidt@other.example"));
}

#[test]
fn reply_to_is_taken_from_the_same_organisation_or_a_person() {
    let mut case = Case::new();
    case.message.reply_to = vec![address("", "talent@mail.kestrel.example")];
    assert_eq!(case.propose().envelope.to.as_deref(), Some("talent@mail.kestrel.example"));
    // A relay with a person's name on its address, and one that the rules know as the contact.
    let mut case = Case::new().sent_by(SenderKind::Relay);
    case.message.reply_to = vec![address("Ben Ito", "ben.ito@kestrel.example")];
    assert_eq!(case.propose().row, "after-interview-human");
    let mut case = Case::new().sent_by(SenderKind::Relay);
    case.facts.contact = fact("kestrel-jobs@ats.example");
    let e = eligibility(&case.message, &case.facts, &case.identities, case.relays, false);
    assert_eq!(e.sender, SenderKind::Human);
}

#[test]
fn the_last_human_of_the_thread_is_written_to_in_their_mail() {
    let mut case = Case::new().sent_by(SenderKind::NoReply);
    case.thread = vec![
        thread_mail(3, address("Sam Roe", "sam@roe.example"), true),
        thread_mail(2, address("Ben Ito", "ben@kestrel.example"), true),
        thread_mail(1, address("Anna Schmidt", "anna.schmidt@kestrel.example"), true),
        thread_mail(4, address("Kestrel", "noreply@kestrel.example"), true),
        thread_mail(5, address("Kestrel", "robot@kestrel.example"), false),
    ];
    let draft = case.propose();
    assert_eq!(draft.envelope.to.as_deref(), Some("ben@kestrel.example"));
    let parsed = MessageParser::new().parse(&draft.bytes).unwrap();
    assert_eq!(parsed.subject(), Some("Re: Interview 2"));
    assert_eq!(parsed.in_reply_to().as_text(), Some("thread-2@kestrel.example"));
    assert_eq!(parsed.references().as_text_list().unwrap(), ["first@kestrel.example", "thread-2@kestrel.example"]);
    assert!(text(&draft).starts_with("Dear Ben Ito,"), "{}", text(&draft));
}

#[test]
fn the_sender_is_the_identity_the_mail_came_to() {
    let tables: [(&[&str], &[&str], &str, bool); 4] = [
        (&["SAM@roe.example"], &[], "sam@roe.example", false),
        (&["list@x.example"], &["jobs@roe.example"], "jobs@roe.example", false),
        (&["jobs+kestrel@roe.example"], &[], "jobs@roe.example", false),
        (&["someone@x.example"], &[], "sam@roe.example", true),
    ];
    for (to, delivered_to, from, guessed) in tables {
        let mut case = Case::new();
        let list = |emails: &[&str]| emails.iter().map(|e| address("", e)).collect::<Vec<_>>();
        (case.message.to, case.message.delivered_to) = (list(to), list(delivered_to));
        let draft = case.propose();
        assert_eq!(draft.envelope.from, from);
        assert_eq!(codes(&draft).contains(&"sender-address-guessed"), guessed);
        assert!(draft.message_id.ends_with("@roe.example"));
    }
    let mut case = Case::new();
    case.identities.clear();
    assert!(propose(&Policy::shipped(), &Templates::shipped(), &case.context()).is_err());
}

#[test]
fn a_language_without_texts_is_said_and_english_is_a_choice() {
    let mut case = Case::new();
    case.facts.language = "fi".into();
    let draft = case.propose();
    assert!(codes(&draft).contains(&"no-template-in-language"));
    assert!(!draft.approvable());
    assert_eq!((draft.language.as_str(), text(&draft).trim()), ("fi", ""));
    let english = propose_in(&Policy::shipped(), &Templates::shipped(), &case.context(), "en").unwrap();
    assert!(english.approvable() && text(&english).contains("Dear Anna Schmidt,"));
    case.facts.language = "und".into();
    case.identities[0].language = "de".into();
    assert!(text(&case.propose()).starts_with("Guten Tag Anna Schmidt,"));
}

#[test]
fn salutations_as_they_signed() {
    for (signed, display, language, expected) in [
        (Some("Anna"), "Anna Schmidt", "en", "Hi Anna,"),
        (Some("Anna"), "Anna Schmidt", "de", "Hallo Anna,"),
        (Some("Dr. Anna Schmidt"), "", "de", "Guten Tag Dr. Anna Schmidt,"),
        (Some("Your Talent Team"), "", "en", "Dear hiring team,"),
        (None, "Kestrel Careers", "de", "Guten Tag,"),
        (None, "Anna Schmidt", "en", "Dear Anna Schmidt,"),
    ] {
        let mut case = Case::new();
        case.facts.signed_by = signed.and_then(fact);
        case.facts.language = language.into();
        case.message.from = vec![address(display, "anna.schmidt@kestrel.example")];
        let body = text(&case.propose());
        assert_eq!(body.lines().next(), Some(expected), "{signed:?} {display}");
    }
}

#[test]
/// What is certain of the process stands in the text: the colleague, the day of the only conversation, the number of them,
/// and what the no itself thanks for.
fn a_thank_you_is_specific_where_that_is_certain() {
    let front = "+++\nlang = \"en\"\nkind = \"feedback-request\"\ngroup = \"feedback-after-interview\"";
    // As long as a reply has to be.
    let more = "I enjoyed the talk and took a lot from it. ".repeat(3)
        + "What one thing would you work on in my place? One line is plenty, and no answer is fine too.";
    // In the place of the shipped ones that are specific.
    let day = |variant: u8| {
        format!(
            "{front}\nvariant = {variant}\n+++\nThank you for {{{{ interview_day }}}} with {{{{ colleague }}}}. {more}\n\n"
        )
    };
    let rounds = format!("{front}\nvariant = 5\n+++\nThank you for all {{{{ rounds }}}} of them. {more}\n");
    let texts = day(4) + &day(6) + &rounds;
    let (templates, problems) = Templates::load(&[("mine.md".into(), texts)]);
    assert_eq!(problems, []);
    let written = |case: &Case| text(&propose(&Policy::shipped(), &templates, &case.context()).unwrap());
    let interview = |at: &str, day: &str| Interview { at: at.parse().unwrap(), dates: vec![day.parse().unwrap()] };
    let mut case = Case::new();
    case.people = vec![
        address("Anna Schmidt", "anna.schmidt@kestrel.example"),
        address("Ben Ito", "ben.ito@kestrel.example"),
        address("Cara Lund", "cara.lund@elsewhere.example"),
    ];
    assert!(!written(&case).contains("Ben Ito"), "no conversation is known");
    case.interviews = vec![interview("2026-11-01T09:00:00Z", "2026-11-05")];
    assert!(written(&case).contains("with Ben Ito."), "{}", written(&case));
    assert!(written(&case).contains('5') && written(&case).contains("November"), "{}", written(&case));
    case.interviews.push(interview("2026-11-06T09:00:00Z", "2026-11-10"));
    assert!(written(&case).contains("all two of them."), "{}", written(&case));
    case.interviews.push(Interview { at: "2026-11-07T09:00:00Z".parse().unwrap(), dates: Vec::new() });
    assert!(!written(&case).contains(" of them.") && !written(&case).contains("Ben Ito"), "{}", written(&case));
    let text = "Thank you for the telephone interview on Tuesday.".to_owned();
    case.message.blocks.push(Block { zone: Zone::Body, paragraph: 9, text });
    assert!(written(&case).contains("for the telephone call."), "{}", written(&case));
}

#[test]
fn no_text_file_is_forgotten() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut on_disk = Vec::new();
    for kind in ["reply", "note"] {
        for language in std::fs::read_dir(root.join("templates").join(kind)).unwrap() {
            let folder = language.unwrap().path();
            if folder.is_file() {
                // Lists, no texts.
                let lists = std::fs::read_to_string(&folder).unwrap();
                assert!([lint::LISTS, occasion::OCCASIONS].contains(&lists.as_str()), "{}", folder.display());
                continue;
            }
            for file in std::fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                on_disk.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let shipped = onward::reply::template::SHIPPED.iter().chain(onward::note::set::SHIPPED);
    let mut embedded: Vec<_> = shipped.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    on_disk.sort();
    embedded.sort();
    assert_eq!(on_disk, embedded);
}

#[test]
fn the_hash_of_the_mail_chooses_the_variant() {
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..9 {
        let mut case = Case::new();
        case.message.hash[7] = n;
        let draft = case.propose();
        assert_eq!(draft, case.propose());
        seen.insert(draft.template);
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn hostile_values_stay_values() {
    let long = "x".repeat(10_000);
    for hostile in [
        "x\r\nBcc: evil@x.example",
        "a\0b",
        "{{7*7}}",
        "{% raw %}",
        "${HOME}",
        "=?utf-8?q?HR=0D=0ABcc:_evil?=",
        &long,
        "\u{202e}gpj",
        "</p>",
    ] {
        let mut case = Case::new();
        case.message.subject = hostile.into();
        case.message.from = vec![address(hostile, "anna.schmidt@kestrel.example")];
        case.facts.signed_by = fact(hostile);
        (case.outcome.employer, case.outcome.role) = (Some(hostile.into()), Some(hostile.into()));
        case.identities[0].name = hostile.into();
        let draft = case.propose();
        let raw = String::from_utf8(draft.bytes.clone()).unwrap();
        let parsed = MessageParser::new().parse(&draft.bytes).unwrap();
        assert!(parsed.headers().iter().all(|h| !h.name().eq_ignore_ascii_case("bcc")), "{hostile}: {raw}");
        assert_eq!(parsed.to().unwrap().iter().count(), 1);
        assert!(raw.lines().all(|l| l.len() < 998), "{hostile}");
        assert!(!raw.replace("\r\n", "").contains(['\r', '\n', '\0']), "{hostile}");
        assert!(!text(&draft).contains("49") && !text(&draft).contains("xxxx"), "{hostile}: {}", text(&draft));
        assert!(draft.approvable(), "{hostile}: {:?}", draft.cautions);
    }
}

#[test]
fn a_mail_without_an_id_is_answered_outside_the_thread() {
    let mut case = Case::new();
    case.message.id = None;
    let draft = case.propose();
    let raw = String::from_utf8(draft.bytes).unwrap();
    assert!(!raw.contains("In-Reply-To") && !raw.contains("References"), "{raw}");
}

#[test]
fn headers_survive_the_way_through_the_parser() {
    let mut case = Case::new();
    case.message.subject =
        "Ihre Bewerbung als Anlagenmechaniker für Sanitär-, Heizungs- und Klimatechnik, Standort Köln".into();
    case.message.from = vec![address("Jürgen \"JJ\" Groß, Kestrel", "j.gross@kestrel.example")];
    case.message.references = (0..60).map(|n| id(&format!("{}{n}@kestrel.example", "r".repeat(200)))).collect();
    case.identities[0].name = "Samuel Röhrig".into();
    case.facts.language = "de".into();
    let draft = case.propose();
    let raw = String::from_utf8_lossy(&draft.bytes).into_owned();
    let parsed = MessageParser::new().parse(&draft.bytes).unwrap();
    assert_eq!(parsed.subject(), Some(format!("Re: {}", case.message.subject).as_str()));
    let to = parsed.to().unwrap().first().unwrap();
    assert_eq!((to.name(), to.address()), (Some("Jürgen \"JJ\" Groß, Kestrel"), Some("j.gross@kestrel.example")));
    assert_eq!(parsed.from().unwrap().first().unwrap().name(), Some("Samuel Röhrig"));
    assert_eq!(parsed.references().as_text_list().unwrap().len(), 21);
    assert!(raw.lines().all(|l| l.len() < 998));
    assert_eq!(parsed.message_id(), Some(draft.message_id.as_str()));
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-11-21T18:05:00+01:00");
    for header in ["X-Mailer", "User-Agent", "Auto-Submitted", "Bcc"] {
        assert!(!raw.contains(header), "{header}");
    }
}

#[test]
fn edits_keep_thread_and_id_and_are_checked_again() {
    let mut case = Case::new().sent_by(SenderKind::NoReply);
    case.facts.language = "de".into();
    let draft = case.propose();
    let edit = editable(&draft.bytes).unwrap();
    assert_eq!(edit.to, None);
    let typed = edit.to_text().replace("To: ", "To: Ben Ito <ben@kestrel.example>");
    let later = case.now.checked_add(jiff::Span::new().hours(3)).unwrap();
    let purpose = Purpose { language: "de", kind: draft.kind, template: &draft.template };
    let new = recompose(&draft.bytes, &parse_edit(&typed).unwrap(), purpose, &case.identities, &later).unwrap();
    assert_eq!(new.envelope.to.as_deref(), Some("ben@kestrel.example"));
    assert_eq!(new.cautions, []);
    let (old, parsed) =
        (MessageParser::new().parse(&draft.bytes).unwrap(), MessageParser::new().parse(&new.bytes).unwrap());
    assert_eq!(parsed.message_id(), old.message_id());
    assert_eq!(parsed.references(), old.references());
    assert_eq!(parsed.in_reply_to(), old.in_reply_to());
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-11-21T21:05:00+01:00");
    assert_eq!(editable(&new.bytes).unwrap().body, edit.body);

    for (from, to, code) in [
        ("ben@kestrel.example", "no-reply@kestrel.example", "no-reply-address"),
        ("ben@kestrel.example", "jobs@roe.example", "own-address"),
        ("Guten Tag", "Guten Tag [Name]", "hole"),
    ] {
        let edit = parse_edit(&typed.replace(from, to)).unwrap();
        let new = recompose(&draft.bytes, &edit, purpose, &case.identities, &later).unwrap();
        assert!(new.cautions.iter().any(|c| c.stops && c.code == code), "{code}: {:?}", new.cautions);
    }
    assert!(recompose(b"nothing of ours", &edit, purpose, &case.identities, &later).is_err());
}

/// What a request for advice has to have is said of an edited one too; who takes up an offer need not release anybody.
#[test]
fn an_edited_text_is_held_to_what_it_is_for() {
    let case = Case::new();
    let draft = case.propose();
    assert_eq!(draft.kind, DraftKind::FeedbackRequest);
    let edit = Edit { body: "Dear Anna,\n\nthank you for your time.\n\nSam".into(), ..editable(&draft.bytes).unwrap() };
    for (kind, template, expected) in [
        (DraftKind::FeedbackRequest, draft.template.as_str(), vec!["too-short", "no-question", "no-release"]),
        (DraftKind::FeedbackRequest, "en/feedback-request/accept-feedback/1", vec!["too-short"]),
        (DraftKind::ThankYou, "en/thank-you/short/1", vec!["too-short"]),
    ] {
        let purpose = Purpose { language: "en", kind, template };
        let new = recompose(&draft.bytes, &edit, purpose, &case.identities, &case.now).unwrap();
        assert_eq!(new.cautions.iter().map(|caution| caution.code.as_str()).collect::<Vec<_>>(), expected);
        assert!(new.cautions.iter().all(|caution| !caution.stops));
    }
}

#[test]
fn golden_messages() {
    let english = Case::new();
    let mut german = Case::new().stage(Stage::AfterApplication);
    german.facts.language = "de".into();
    german.facts.signed_by = fact("Jörg Böhm");
    german.message.subject = "AW: Ihre Bewerbung als Prüfingenieur".into();
    german.message.from = vec![address("Jörg Böhm", "j.boehm@kestrel.example")];
    german.outcome.role = Some("Prüfingenieur (m/w/d)".into());
    let mut thread = Case::new().sent_by(SenderKind::NoReply).stage(Stage::AfterFinal);
    thread.thread = vec![thread_mail(2, address("Ben Ito", "ben@kestrel.example"), true)];
    let unreachable = Case::new().sent_by(SenderKind::Relay).stage(Stage::AfterApplication);
    let shown = |case: &Case| {
        // Trailing spaces are soft line breaks; a mark keeps editors from eating them.
        String::from_utf8(case.propose().bytes).unwrap().replace("\r\n", "\n").replace(" \n", "~\n")
    };
    expect_test::expect_file!["fixtures/reply/after-interview-human.eml.txt"].assert_eq(&shown(&english));
    expect_test::expect_file!["fixtures/reply/application-german.eml.txt"].assert_eq(&shown(&german));
    expect_test::expect_file!["fixtures/reply/after-final-thread.eml.txt"].assert_eq(&shown(&thread));
    expect_test::expect_file!["fixtures/reply/unreachable.eml.txt"].assert_eq(&shown(&unreachable));
}
