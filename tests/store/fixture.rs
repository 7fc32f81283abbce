//! Mails, verdicts and drafts in their smallest form, and a look into the database from outside.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use onward::{
    classify::{Classification, Facts},
    draft::{Digest, DraftState, Envelope},
    io::store::{Committed, Ingest, NewOutcome, Store},
    message::{Address, HeaderFacts, Message, MessageId},
    note::Note,
    outcome::{Category, Origin, Outcome, Reason, Stage},
    reply::{Caution, DraftKind, ProposedDraft},
    sync::Cursor,
};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

pub const ACCOUNT: &str = "home";

/// A fixed afternoon, `minutes` later.
pub fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap() + SignedDuration::from_mins(minutes)
}

pub fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

/// A mail whose hash depends on its id and text, as that of the parser does.
pub fn mail(message_id: Option<&str>, references: &[&str], text: &str) -> Message {
    Message {
        id: message_id.map(id),
        in_reply_to: references.last().map(|r| id(r)),
        references: references.iter().map(|r| id(r)).collect(),
        subject: format!("Your application {text}"),
        from: vec![Address { name: "Ada Example".into(), email: "ada@example.org".into() }],
        sender: None,
        reply_to: Vec::new(),
        to: Vec::new(),
        cc: Vec::new(),
        delivered_to: Vec::new(),
        date: Some(at(0)),
        forwarded: None,
        inside: None,
        headers: HeaderFacts::default(),
        blocks: Vec::new(),
        link_hosts: Vec::new(),
        link_lies: Vec::new(),
        auth: None,
        returned: None,
        calendar: None,
        hash: Sha256::digest(format!("{message_id:?} {text}")).into(),
        truncated: false,
        defects: Vec::new(),
    }
}

pub fn verdict(category: Category) -> Classification {
    Classification {
        category,
        decided: true,
        asks: Vec::new(),
        score: 9.5,
        scores: vec![(category, 9.5)],
        relevance: 4.0,
        hits: Vec::new(),
        facts: Facts {
            stage: Stage::AfterInterview,
            stage_assumed: false,
            reason: Reason::None,
            employer: None,
            role: None,
            requisition_id: None,
            contact: None,
            signed_by: None,
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
        },
        rules: "00ff".into(),
    }
}

pub fn outcome(category: Category, employer: &str) -> Outcome {
    Outcome {
        category,
        decided: true,
        stage: Stage::AfterInterview,
        reason: Reason::None,
        employer: Some(employer.into()),
        role: Some("Baker".into()),
        requisition_id: None,
        contact: Some("ada@example.org".into()),
    }
}

pub fn new_outcome(outcome: &Outcome, origin: Origin) -> NewOutcome<'_> {
    NewOutcome { outcome, origin, detected_at: at(0), tell_at: Some(at(60)), draft_due_at: Some(at(120)) }
}

pub fn envelope(to: Option<&str>) -> Envelope {
    Envelope { from: "me@example.net".into(), to: to.map(str::to_owned) }
}

pub fn caution(code: &str, stops: bool) -> Caution {
    Caution { code: code.into(), text: "Look at it.".into(), stops }
}

/// A reply with its own `Message-ID`.
pub fn proposed(message_id: &str) -> ProposedDraft {
    ProposedDraft {
        kind: DraftKind::FeedbackRequest,
        row: "after-interview-human".into(),
        template: "en/feedback-request/1".into(),
        language: "en".into(),
        envelope: envelope(Some("ada@example.org")),
        message_id: message_id.into(),
        bytes: format!("Message-ID: <{message_id}>\r\n\r\nThank you.\r\n").into_bytes(),
        cautions: vec![caution("list-unsubscribe", false)],
    }
}

pub fn note(template: &str) -> Note {
    Note { template: template.into(), language: "en".into(), text: "A no.".into(), facts: vec!["interviews".into()] }
}

/// A database in a directory of its own.
pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Home {
        Home { dir: tempfile::tempdir().unwrap() }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("state/onward.db")
    }

    pub fn open(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    /// The database as another program sees it.
    pub fn sql(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

/// Everything for a rejection that lies in INBOX under `uid`, committed with the cursor at `uid`.
pub fn commit_rejection(store: &mut Store, message: &Message, uid: u32, draft: &ProposedDraft) -> Committed {
    let outcome = outcome(Category::Rejection, "Example Bakery Ltd");
    let (verdict, note) = (verdict(Category::Rejection), note("en/after-interview/01"));
    let ingest = Ingest {
        outcome: Some(new_outcome(&outcome, Origin::Rules)),
        draft: Some(draft),
        note: Some(&note),
        ..plain(message, &verdict, uid)
    };
    store.commit(&ingest, Some(Cursor { uid_validity: 1, last_uid: uid })).unwrap()
}

/// A mail without outcome.
pub fn plain<'a>(message: &'a Message, classification: &'a Classification, uid: u32) -> Ingest<'a> {
    Ingest {
        account: ACCOUNT,
        mailbox: "INBOX",
        uid_validity: 1,
        uid: Some(uid),
        internal_date: at(i64::from(uid)),
        size: 1234,
        message,
        raw: b"Subject: raw octets\r\n\r\ncanary-body\r\n",
        classification,
        outcome: None,
        supersedes: None,
        draft: None,
        no_draft: None,
        note: None,
        bounced: None,
        now: at(i64::from(uid)),
    }
}

/// A home with one rejection and its draft: `(outcome, draft, digest)`.
pub fn with_draft(store: &mut Store) -> (i64, i64, Digest) {
    let committed = commit_rejection(store, &mail(Some("no@example.org"), &[], "one"), 1, &proposed("re@example.net"));
    let Committed::Stored { outcome: Some(outcome), draft: Some(draft), .. } = committed else {
        panic!("{committed:?}");
    };
    let view = store.draft(draft).unwrap();
    assert_eq!(view.state, DraftState::Pending);
    (outcome, draft, view.digest)
}
