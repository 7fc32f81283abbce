//! Any order of anything: what has to hold after every operation, whatever came before.

use std::collections::BTreeMap;

use onward::{
    draft::{DraftEvent, DraftState, transition},
    io::store::{Filter, Ingest, Lock, Place, Quarantined, Rewrite, Store, StoreError},
    outcome::{Category, Origin},
    sync::Cursor,
};
use proptest::prelude::*;

use super::fixture::{ACCOUNT, Home, at, envelope, mail, new_outcome, note, outcome, proposed, verdict};

/// Something that happens. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Op {
    Deliver { mail: u8, mailbox: u8, uid_validity: u8, uid: u8, supersedes: Option<u8> },
    BeginAttempt { uid: u8 },
    FailAttempt { uid: u8 },
    Approve { draft: u8, stale: bool },
    Edit { draft: u8, recipient: bool },
    Take { draft: u8, later_hours: u8 },
    Restore { draft: u8 },
    Record { draft: u8, event: u8 },
    Fix { outcome: u8, with_draft: bool },
    Undo { outcome: u8 },
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let n = || 0u8..8;
    prop_oneof![
        4 => (n(), 0u8..2, 1u8..3, 1u8..12, proptest::option::weighted(0.2, n()))
            .prop_map(|(mail, mailbox, uid_validity, uid, supersedes)| Op::Deliver { mail, mailbox, uid_validity, uid, supersedes }),
        1 => (1u8..12).prop_map(|uid| Op::BeginAttempt { uid }),
        1 => (1u8..12).prop_map(|uid| Op::FailAttempt { uid }),
        3 => (n(), proptest::bool::weighted(0.2)).prop_map(|(draft, stale)| Op::Approve { draft, stale }),
        1 => (n(), any::<bool>()).prop_map(|(draft, recipient)| Op::Edit { draft, recipient }),
        3 => (n(), 0u8..60).prop_map(|(draft, later_hours)| Op::Take { draft, later_hours }),
        1 => n().prop_map(|draft| Op::Restore { draft }),
        3 => (n(), 0u8..32).prop_map(|(draft, event)| Op::Record { draft, event }),
        2 => (n(), any::<bool>()).prop_map(|(outcome, with_draft)| Op::Fix { outcome, with_draft }),
        2 => n().prop_map(|outcome| Op::Undo { outcome }),
        1 => Just(Op::Crash),
    ]
}

/// The store under test and what the world knows about it.
struct World {
    home: Home,
    store: Store,
    minute: i64,
    /// By message: every hash ever delivered.
    delivered: std::collections::BTreeSet<[u8; 32]>,
}

impl World {
    fn pick(&self, n: u8, rows: &[i64]) -> i64 {
        rows.get(usize::from(n) % rows.len().max(1)).copied().unwrap_or(i64::from(n))
    }

    fn draft(&self, n: u8) -> i64 {
        let drafts: Vec<i64> = self.store.drafts(&[]).unwrap().iter().map(|draft| draft.id).collect();
        self.pick(n, &drafts)
    }

    fn outcome(&self, n: u8) -> i64 {
        let all = Filter { superseded: true, ..Filter::default() };
        let rows: Vec<i64> = self.store.list(&all).unwrap().iter().map(|row| row.id).collect();
        self.pick(n, &rows)
    }

    fn apply(&mut self, op: &Op) {
        self.minute += 1;
        let now = at(self.minute);
        let place = |uid: u8| Place { account: ACCOUNT, mailbox: "INBOX", uid_validity: 1, uid: u32::from(uid) * 8 };
        let fix = outcome(Category::OnHold, "Example Bakery");
        let reply = proposed(&format!("re{}@example.net", self.minute));
        let refused = match *op {
            Op::Deliver { .. } => self.deliver(op).err(),
            Op::BeginAttempt { uid } => self.store.begin_attempt(place(uid), now).err(),
            Op::FailAttempt { uid } => self.store.fail_attempt(place(uid), "broken", now).err(),
            Op::Approve { draft, stale } => {
                let draft = self.draft(draft);
                let digest = self.store.draft(draft).map(|view| view.digest);
                let digest = digest.unwrap_or_else(|_| onward::draft::Digest::of(&envelope(None), b""));
                let wrong = onward::draft::Digest::of(&envelope(None), b"never a draft");
                let result = self.store.approve(draft, if stale { wrong } else { digest }, now);
                assert!(!(stale && result.is_ok()), "a stale digest was approved");
                result.err()
            }
            Op::Edit { draft, recipient } => {
                let to = envelope(recipient.then_some("ada@example.org"));
                let bytes = format!("edited in minute {}\r\n", self.minute).into_bytes();
                let rewrite = Rewrite { envelope: &to, message_id: "re@example.net", bytes: &bytes, cautions: &[] };
                self.store.edit(self.draft(draft), rewrite, now).err()
            }
            Op::Take { draft, later_hours } => {
                self.minute += i64::from(later_hours) * 60;
                self.store.take(self.draft(draft), at(self.minute)).err()
            }
            Op::Restore { draft } => self.store.restore(self.draft(draft), now).err(),
            Op::Record { draft, event } => {
                let event = DraftEvent::ALL[usize::from(event) % DraftEvent::ALL.len()];
                self.store.record(self.draft(draft), event, "a remark", now).err()
            }
            Op::Fix { outcome, with_draft } => {
                let new = new_outcome(&fix, Origin::Person);
                self.store.supersede(self.outcome(outcome), new, with_draft.then_some(&reply), None, now).err()
            }
            Op::Undo { outcome } => self.store.undo(self.outcome(outcome), now).err(),
            Op::Crash => {
                self.store = self.home.open();
                let lock = Lock::acquire(self.home.dir()).unwrap();
                self.store.recover(&lock, now).err()
            }
        };
        // Refusals are part of the game; damage, mistakes and strange values are not.
        if let Some(error) = refused {
            let expected = matches!(
                error,
                StoreError::NotFound { .. }
                    | StoreError::NotAllowed(_)
                    | StoreError::NotByItself { .. }
                    | StoreError::StaleDigest
                    | StoreError::NoRecipient
                    | StoreError::Lapsed { .. }
                    | StoreError::OtherDraft { .. }
                    | StoreError::NothingToUndo { .. }
            );
            assert!(expected, "{op:?}: {error:?}");
        }
    }

    fn deliver(&mut self, op: &Op) -> Result<(), StoreError> {
        let Op::Deliver { mail: n, mailbox, uid_validity, uid, supersedes } = *op else { return Ok(()) };
        let message = mail(Some(&format!("mail{n}@example.org")), &[], &n.to_string());
        let supersedes = supersedes.map(|n| self.outcome(n));
        let category = if n % 4 == 3 { Category::Unrelated } else { Category::Rejection };
        let (outcome, verdict) = (outcome(category, "Example Bakery"), verdict(category));
        let (draft, note) = (proposed(&format!("re{n}@example.net")), note("n/1"));
        let related = category != Category::Unrelated;
        let mailbox = if mailbox == 0 { "INBOX" } else { "Junk" };
        // One mail at one place for ever: a UID of its own for each mail.
        let uid = u32::from(uid) * 8 + u32::from(n);
        let ingest = Ingest {
            account: ACCOUNT,
            mailbox,
            uid_validity: uid_validity.into(),
            uid: Some(uid),
            internal_date: at(0),
            size: 1,
            message: &message,
            raw: b"raw",
            classification: &verdict,
            outcome: related.then(|| new_outcome(&outcome, Origin::Rules)),
            supersedes: supersedes.filter(|_| related),
            draft: related.then_some(&draft),
            no_draft: None,
            note: related.then_some(&note),
            bounced: None,
            now: at(self.minute),
        };
        let cursor = Cursor { uid_validity: uid_validity.into(), last_uid: uid };
        let before = self.store.cursor(ACCOUNT, mailbox)?.filter(|before| before.uid_validity == cursor.uid_validity);
        self.store.commit(&ingest, Some(cursor))?;
        let after = self.store.cursor(ACCOUNT, mailbox)?.unwrap();
        assert!(after.last_uid <= uid.max(before.map_or(0, |before| before.last_uid)));
        if before.is_none_or(|before| before.last_uid < after.last_uid) {
            let open = self.store.quarantined()?.into_iter().filter(|q| q.quarantined_at.is_none());
            let passed = |q: &Quarantined| {
                q.mailbox == mailbox && q.uid_validity == cursor.uid_validity && q.uid <= after.last_uid
            };
            assert!(!open.into_iter().any(|q| passed(&q)), "the cursor passed a message that is not stored");
        }
        self.delivered.insert(message.hash);
        Ok(())
    }

    fn check(&self) {
        let sql = self.home.sql();
        let none = |what: &str, query: &str| {
            let n: i64 = sql.query_row(&format!("SELECT count(*) FROM ({query})"), [], |row| row.get(0)).unwrap();
            assert_eq!(n, 0, "{what}");
        };
        let messages = self.home.number("SELECT count(*) FROM message");
        assert_eq!(messages, self.delivered.len() as i64, "each mail is stored exactly once");
        none(
            "every mail is logged once",
            "SELECT message FROM event WHERE kind = 'message' GROUP BY message HAVING count(*) > 1",
        );
        none("a chain goes forward", "SELECT 1 FROM outcome WHERE supersedes >= id");
        none("foreign keys hold", "SELECT * FROM pragma_foreign_key_check");
        none(
            "nothing is taken without an approval of the same digest",
            "SELECT 1 FROM draft_event AS t WHERE t.event IN ('take', 'place') AND NOT EXISTS
                 (SELECT 1 FROM draft_event AS a WHERE a.draft = t.draft AND a.id < t.id AND a.event = 'approve'
                  AND a.digest = t.digest AND a.revision = t.revision)",
        );
        none(
            "every step of a draft stands in the log",
            "SELECT 1 FROM draft_event AS d JOIN event AS e ON e.id = d.id
             WHERE e.kind <> 'draft' OR e.draft <> d.draft OR e.detail ->> 'state' <> d.state",
        );
        self.check_folds(&sql);
        self.check_one_reply();
    }

    /// The stored state is the fold of the events.
    fn check_folds(&self, sql: &rusqlite::Connection) {
        let mut statement = sql.prepare("SELECT draft, event, state FROM draft_event ORDER BY id").unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))
            .unwrap();
        let mut states: BTreeMap<i64, DraftState> = BTreeMap::new();
        for row in rows {
            let (draft, event, state) = row.unwrap();
            let next = match states.get(&draft) {
                None => {
                    assert_eq!(event, "propose");
                    DraftState::Pending
                }
                Some(before) => transition(*before, event.parse().unwrap()).unwrap(),
            };
            assert_eq!(next.as_str(), state);
            states.insert(draft, next);
        }
        for draft in self.store.drafts(&[]).unwrap() {
            assert_eq!(states.get(&draft.id), Some(&draft.state));
        }
    }

    /// Every chain has one row that holds and at most one reply that answers.
    fn check_one_reply(&self) {
        let all = Filter { superseded: true, ..Filter::default() };
        let mut live: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        let drafts = self.store.drafts(&[]).unwrap();
        for row in self.store.list(&all).unwrap() {
            let item = self.store.item(row.id).unwrap();
            assert!(item.chain.iter().any(|link| link.id == row.id));
            let answering = drafts.iter().filter(|draft| draft.outcome == row.id && draft.state.is_live());
            live.entry(item.row.id).or_default().extend(answering.map(|draft| draft.id));
        }
        assert_eq!(live.len(), self.store.list(&Filter::default()).unwrap().len());
        assert!(live.values().all(|drafts| drafts.len() <= 1), "{live:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn invariants_hold_after_any_operations(ops in proptest::collection::vec(op(), 1..40)) {
        let home = Home::new();
        let mut world = World { store: home.open(), home, minute: 0, delivered: Default::default() };
        for op in &ops {
            world.apply(op);
        }
        world.check();
    }
}
