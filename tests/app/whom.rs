//! Whom not to answer, from the mail to the log: reports, caps, old news, and mail that is not what it claims.

use jiff::{SignedDuration, Timestamp};
use onward::{
    app::{
        ingest::{self, Arrived},
        kit::Kit,
        queue::{self, Correction},
    },
    classify::Ask,
    draft::{DraftEvent, DraftState},
    io::store::{Committed, EventFilter, EventKind, Item, Store},
    outcome::Category,
    reply::{DraftKind, NoDraft},
};

use super::{Home, no};

/// A log and the kit for it.
struct Case {
    home: Home,
    store: Store,
    now: Timestamp,
    uid: u32,
}

impl Case {
    fn new() -> Case {
        let home = Home::new("[account.imap]\nhost = \"imap.example\"\nuser = \"ada\"\npassword.file = \"password\"\n");
        Case { home, store: Store::in_memory().unwrap(), now: Timestamp::now(), uid: 0 }
    }

    fn kit(&self) -> &Kit {
        &self.home.desk.kit
    }

    /// Takes a mail in that arrived so long ago.
    fn take(&mut self, mail: &str, ago: SignedDuration) -> Committed {
        self.uid += 1;
        let arrived = Arrived {
            account: "post",
            mailbox: "INBOX",
            uid_validity: 7,
            uid: Some(self.uid),
            internal_date: self.now - ago,
            size: mail.len() as u64,
            truncated: false,
            in_junk: false,
            bytes: mail.as_bytes(),
        };
        ingest::ingest(&mut self.store, &self.home.desk.kit, &arrived, None, self.now).unwrap().committed
    }

    /// The item that a mail of just now becomes.
    fn item(&mut self, mail: &str) -> Item {
        self.item_of(mail, SignedDuration::ZERO)
    }

    fn item_of(&mut self, mail: &str, ago: SignedDuration) -> Item {
        match self.take(mail, ago) {
            Committed::Stored { outcome: Some(outcome), .. } => self.store.item(outcome).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The no of one employer, as another mail about another role.
fn another(employer: &str, n: u32) -> String {
    no(employer).replace("<no@", &format!("<no{n}@")).replace("Data Analyst", &format!("Data Analyst {n}"))
}

/// A no of a person after a conversation, which gets a question.
fn after_interview(n: u32) -> String {
    no("Larkfield")
        .replace("Jobs at Larkfield <jobs@", "Ruth Calloway <ruth.calloway@")
        .replace("<no@", &format!("<talk{n}@"))
        .replace("thank you for applying for", "thank you for the interview last week for")
        .replace("Data Analyst", ["Data Analyst", "Payroll Officer"][n as usize % 2])
        .replace("Kind regards\r\nLarkfield", "Kind regards\r\nRuth Calloway")
}

/// A report that a mail came back.
fn report(id: &str, action: &str) -> String {
    format!(
        "From: Mail Delivery <mailer-daemon@mx.example>\r\nTo: ada@home.example\r\nReturn-Path: <>\r\nSubject: Undelivered\r\n\
         Message-ID: <{action}-{id}>\r\nDate: Mon, 16 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nUnfortunately your message could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nAction: {action}\r\n\
         Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{id}>\r\nSubject: Re: Your application\r\n--b--\r\n"
    )
}

#[test]
fn a_reply_that_comes_back_is_told_with_the_servers_reason() {
    let mut case = Case::new();
    let draft = case.item(&no("Larkfield")).draft.unwrap();
    let state = |case: &Case| case.store.draft(draft.id).unwrap().state;
    // Nothing comes back that was never out: whoever says so is not believed.
    case.take(&report(&draft.message_id, "failed"), SignedDuration::ZERO);
    assert_eq!(state(&case), DraftState::Pending);
    case.store.approve(draft.id, draft.digest, case.now).unwrap();
    case.store.record(draft.id, DraftEvent::Place, "Drafts", case.now).unwrap();
    for (what, mail) in [
        ("late", report(&draft.message_id, "delayed")),
        ("another mail", report("other@home.example", "failed")),
        ("delivered", report(&draft.message_id, "delivered")),
    ] {
        assert!(matches!(case.take(&mail, SignedDuration::ZERO), Committed::Stored { outcome: None, .. }), "{what}");
        assert_eq!(state(&case), DraftState::Placed, "{what}");
    }
    let mail = report(&draft.message_id, "failed").replace("<failed-", "<again-");
    let committed = case.take(&mail, SignedDuration::ZERO);
    assert!(matches!(committed, Committed::Stored { outcome: None, draft: None, .. }), "{committed:?}");
    let came_back = case.store.draft(draft.id).unwrap();
    assert_eq!(
        (came_back.state, came_back.remark.as_str()),
        (DraftState::Failed, "it came back: 5.1.1 550 no such user")
    );
    assert!(onward::ui::words::draft_state(came_back.state).contains("came back"));
    // Told twice, it came back once; and it can be sent elsewhere.
    case.take(&mail.replace("<again-", "<third-"), SignedDuration::ZERO);
    let events = case.store.events(&EventFilter { draft: Some(draft.id), ..EventFilter::default() }).unwrap();
    assert_eq!(events.iter().filter(|e| e.detail["event"] == "bounced").count(), 1);
    queue::readdress(&mut case.store, &case.home.desk.kit, draft.id, "hr@larkfield.example", case.now).unwrap();
    assert_eq!(state(&case), DraftState::Pending);
}

#[test]
fn a_machine_that_answers_every_answer_gets_one_draft_a_day() {
    let mut case = Case::new();
    let first = case.item(&no("Larkfield"));
    let draft = first.draft.unwrap();
    case.store.approve(draft.id, draft.digest, case.now).unwrap();
    case.store.record(draft.id, DraftEvent::Place, "Drafts", case.now).unwrap();
    // Its answer names the reply alone, not the mail that was answered.
    let answer =
        another("Larkfield", 1).replace("Subject:", &format!("In-Reply-To: <{}>\r\nSubject:", draft.message_id));
    let second = case.item(&answer);
    assert_eq!((second.draft.is_some(), second.no_draft), (false, Some(NoDraft::ThreadCap)));
    let events = case.store.events(&EventFilter { outcome: Some(second.row.id), ..EventFilter::default() }).unwrap();
    let left_out = events.iter().find(|e| e.kind == EventKind::DraftLeftOut).unwrap();
    assert_eq!(left_out.detail["why"], "drafts-per-thread-a-day");
}

#[test]
fn an_address_gets_five_drafts_a_week() {
    let mut case = Case::new();
    for n in 0..5 {
        let item = case.item(&another("Larkfield", n));
        assert!(item.draft.is_some_and(|draft| draft.envelope.to.is_some()), "{n}");
    }
    let sixth = case.item(&another("Larkfield", 5));
    assert_eq!((sixth.draft.is_some(), sixth.no_draft), (false, Some(NoDraft::SenderCap)));
    // Another address, and mail of eight days ago, are counted apart; another wording of a draft is no other draft.
    assert!(case.item(&no("Quillstone")).draft.is_some());
    let kit = std::sync::Arc::clone(&case.home.desk.kit);
    queue::other_wording(&mut case.store, &kit, 1, case.now).unwrap();
    queue::fix(
        &mut case.store,
        &kit,
        1,
        &Correction { role: Some("Analyst".into()), ..Correction::default() },
        case.now,
    )
    .unwrap();
    assert!(case.store.item(1).unwrap().draft.is_some_and(|draft| draft.state == DraftState::Pending));
}

#[test]
fn one_question_at_a_time_goes_to_an_employer() {
    let mut case = Case::new();
    let first = case.item(&after_interview(0)).draft.unwrap();
    assert_eq!(first.kind, DraftKind::FeedbackRequest, "{}", first.row);
    let second = case.item(&after_interview(1)).draft.unwrap();
    assert_eq!((second.kind, second.row.as_str()), (DraftKind::ThankYou, "asked-recently-late"), "one waits");
    // The draft that waits is not its own reason against asking.
    let kit = std::sync::Arc::clone(&case.home.desk.kit);
    queue::other_wording(&mut case.store, &kit, first.id, case.now).unwrap();
    assert!(String::from_utf8(case.store.draft(first.id).unwrap().bytes).unwrap().contains('?'));
    case.store.discard(first.id, case.now).unwrap();
    let third = case.item(&after_interview(2)).draft.unwrap();
    assert_eq!(third.kind, DraftKind::FeedbackRequest, "a dropped question was never asked");
}

#[test]
fn a_no_of_long_ago_is_logged_and_not_answered() {
    let mut case = Case::new();
    let item = case.item_of(&no("Oldham"), 31 * DAY);
    assert_eq!((item.draft.is_some(), item.no_draft), (false, Some(NoDraft::OldNews)));
    assert!(item.note.is_some() && item.row.outcome.decided);
    assert!(case.item_of(&no("Larkfield"), 29 * DAY).draft.is_some());
}

#[test]
fn a_mail_that_is_not_what_it_claims_is_asked_about() {
    let mut case = Case::new();
    let head = "Authentication-Results: mx.home.example; dmarc=fail header.from=larkfield.example\r\n";
    let forged = format!("Authentication-Results: mx.other.example; dmarc=fail\r\n{}", no("Quillstone"));
    assert!(case.item(&forged).row.outcome.decided, "a stranger's word");
    for (mail, ask) in [
        (format!("{head}{}", no("Larkfield")), Ask::DoubtfulSender),
        (
            no("Northgate").replace("Kind regards", "Please send your bank details to us.\r\n\r\nKind regards"),
            Ask::DoubtfulRequest,
        ),
    ] {
        let item = case.item(&mail);
        assert!(!item.row.outcome.decided && item.draft.is_none());
        assert_eq!(item.classification.unwrap().0.asks, [ask]);
        assert!(!onward::ui::words::because(ask).is_empty());
        // Called a no by the person, it has a draft that goes to nobody until they name somebody.
        let correction = Correction { category: Some(Category::Rejection), ..Correction::default() };
        let kit = std::sync::Arc::clone(&case.home.desk.kit);
        queue::fix(&mut case.store, &kit, item.row.id, &correction, case.now).unwrap();
        let draft = case.store.item(item.row.id).unwrap().draft.unwrap();
        assert!(draft.envelope.to.is_none() && draft.cautions.iter().any(|caution| caution.stops));
        assert!(case.store.approve(draft.id, draft.digest, case.now).is_err());
        let digest = queue::readdress(&mut case.store, &kit, draft.id, "ruth@larkfield.example", case.now).unwrap();
        case.store.approve(draft.id, digest, case.now).unwrap();
    }
    assert!(case.kit().drafts);
}

/// Two roles at one employer are two processes: a no to one leaves the other alone.
#[test]
fn two_roles_at_one_employer_are_never_one() {
    let mut case = Case::new();
    let one = case.item(&another("Larkfield", 1));
    let two = case.item(&another("Larkfield", 2));
    assert_ne!(one.row.id, two.row.id);
    assert_ne!(one.row.outcome.role, two.row.outcome.role);
    assert!(one.chain.len() == 1 && two.chain.len() == 1 && two.row.supersedes.is_none());
    assert!(case.store.item(one.row.id).unwrap().draft.is_some_and(|draft| draft.state == DraftState::Pending));
}

/// Conversations that the log knows are handed to the text: set by a mail of one day, told by a no after it.
#[test]
fn what_an_invitation_set_is_known_when_the_no_comes() {
    let day = |case: &Case, ago: i32| {
        (case.now - ago * DAY).to_zoned(jiff::tz::TimeZone::UTC).strftime("%-d %B %Y").to_string()
    };
    let invitation = |text: &str| {
        no("Larkfield").replace("<no@", "<invitation@").replace(
            "Unfortunately, we have decided not to go ahead with your application.",
            &format!("We would like to invite you to an interview on {text}. Please let us know if that suits you."),
        )
    };
    for (set, known) in [(true, true), (false, false)] {
        let mut case = Case::new();
        let text = if set { day(&case, 5) } else { format!("a day that you choose by {}", day(&case, 5)) };
        let item = case.item_of(&invitation(&text), 10 * DAY);
        assert_eq!(item.row.outcome.category, Category::Interview, "{:?}", item.classification.map(|c| c.0.scores));
        let key = onward::outcome::employer_key("Larkfield");
        let history = case.store.history_for_employer(&key, case.now - 30 * DAY).unwrap();
        assert_eq!(history.outcomes[0].dates.len() == 1, known, "{:?}", history.outcomes[0].dates);
        assert!(history.outcomes[0].from.as_ref().is_some_and(|from| from.email == "jobs@larkfield.example"));
    }
}
