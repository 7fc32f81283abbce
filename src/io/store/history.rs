//! What policies ask of the past: threads, employers, notes used, and counts. Only reading; the judging is theirs.

use jiff::{Timestamp, civil::Date};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{
    Store,
    error::Result,
    value::{At, Json, Word},
};
use crate::{
    draft::DraftState,
    message::{Address, MessageId, Remembered},
    outcome::{Category, Stage},
    reply::DraftKind,
};

/// Most mails of a thread that are looked at, the latest ones.
pub const THREAD_MAX: u32 = 100;

/// An earlier mail of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThreadMail {
    /// Its row.
    pub message: i64,
    /// `Message-ID` without angle brackets.
    pub message_id: Option<String>,
    /// Its references, oldest first: what an answer to it carries on.
    pub references: Vec<String>,
    /// The sender's display name.
    pub from_name: String,
    /// The sender's address.
    pub from_addr: String,
    /// The subject.
    pub subject: String,
    /// INTERNALDATE.
    pub date: Timestamp,
    /// Whether a reply to its sender reaches nobody, by the latest verdict.
    pub noreply: bool,
    /// What it is by the outcome that holds, or by the latest verdict.
    pub category: Option<Category>,
    /// Whether that is decided, and not only the best guess.
    pub decided: bool,
    /// Its outcome's number.
    pub outcome: Option<i64>,
    /// Where the reply to it stands.
    pub draft: Option<DraftState>,
}

/// What is known about an employer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmployerHistory {
    /// Replies to this employer, oldest first.
    pub replies: Vec<EmployerReply>,
    /// Outcomes that hold, oldest first: whether a process is live is for the policy to say.
    pub outcomes: Vec<EmployerOutcome>,
}

/// A reply to an employer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmployerReply {
    /// The draft.
    pub draft: i64,
    /// What it wants.
    pub kind: DraftKind,
    /// Where it stands.
    pub state: DraftState,
    /// Since when it stands there.
    pub at: Timestamp,
    /// Who it goes to.
    pub to: Option<String>,
    /// The hash of the mail it answers.
    pub answers_hash: Option<[u8; 32]>,
}

/// An outcome of an employer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmployerOutcome {
    /// Its number.
    pub outcome: i64,
    /// What it is.
    pub category: Category,
    /// How far it had come.
    pub stage: Stage,
    /// The role.
    pub role: Option<String>,
    /// The employer's number for the vacancy.
    pub requisition_id: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether it is decided, and not only the best guess.
    pub decided: bool,
    /// Who wrote the mail; `None` for an entry by hand.
    pub from: Option<Address>,
    /// The days that the mail names. One that is none to meet on makes it several.
    pub dates: Vec<Date>,
}

/// A note that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteUse {
    /// Its template.
    pub template: String,
    /// Names of the facts it stated.
    pub facts: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// Numbers for the status line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages stored.
    pub messages: u32,
    /// Outcomes that hold, by category.
    pub outcomes: Vec<(Category, u32)>,
    /// Outcomes that hold and the person has to decide.
    pub undecided: u32,
    /// Outcomes that hold, have a time to be told and are not told.
    pub untold: u32,
    /// Drafts by state.
    pub drafts: Vec<(DraftState, u32)>,
    /// Messages given up.
    pub quarantined: u32,
}

impl Store {
    /// Stored mails of a thread, oldest first: those that a mail with this id and these references (`In-Reply-To`
    /// among them) refers to, those that refer to it, and those that refer to the same ones. The mail itself is left
    /// out.
    pub fn thread(&self, message_id: Option<&MessageId>, references: &[MessageId]) -> Result<Vec<ThreadMail>> {
        let own = message_id.map(MessageId::as_str);
        let ids: Vec<&str> = references.iter().map(MessageId::as_str).chain(own).collect();
        let mut statement = self.db.prepare_cached(THREAD)?;
        let rows = statement.query_map(params![Json(&ids), own, THREAD_MAX], thread_mail)?;
        let mut mails: Vec<ThreadMail> = rows.collect::<rusqlite::Result<_>>()?;
        mails.reverse();
        Ok(mails)
    }

    /// What is kept of a message whose octets are gone; `None` where the person had it forgotten.
    pub fn remembered(&self, message: i64) -> Result<Option<Remembered>> {
        let ids = |list: Vec<String>| list.iter().filter_map(|id| MessageId::new(id)).collect();
        let found = self
            .db
            .prepare_cached(
                "SELECT m.message_id, m.subject, m.from_name, m.from_addr,
                        (SELECT json_group_array(r.message_id ORDER BY r.position) FROM message_reference AS r
                         WHERE r.message = m.id) AS reference_ids
                 FROM message AS m WHERE m.id = ?1",
            )?
            .query_row([message], |row| {
                Ok(Remembered {
                    id: row.get::<_, Option<String>>("message_id")?.and_then(|id| MessageId::new(&id)),
                    references: ids(row.get::<_, Json<_>>("reference_ids")?.0),
                    subject: row.get("subject")?,
                    from: Address { name: row.get("from_name")?, email: row.get("from_addr")? },
                    to: None,
                })
            })
            .optional()?;
        Ok(found.filter(|remembered| !remembered.from.email.is_empty()))
    }

    /// Replies to an employer and outcomes of theirs from `since` on. The key is
    /// [`crate::outcome::employer_key`]'s.
    pub fn history_for_employer(&self, employer_key: &str, since: Timestamp) -> Result<EmployerHistory> {
        let mut statement = self.db.prepare_cached(EMPLOYER_REPLIES)?;
        let replies = statement.query_map(params![employer_key, At(since)], |row| {
            Ok(EmployerReply {
                draft: row.get("draft")?,
                kind: row.get::<_, Word<_>>("kind")?.0,
                state: row.get::<_, Word<_>>("state")?.0,
                at: row.get::<_, At>("at")?.0,
                to: row.get("envelope_to")?,
                answers_hash: row.get("content_hash")?,
            })
        })?;
        let replies = replies.collect::<rusqlite::Result<_>>()?;
        let mut statement = self.db.prepare_cached(EMPLOYER_OUTCOMES)?;
        let outcomes = statement.query_map(params![employer_key, At(since)], |row| {
            Ok(EmployerOutcome {
                outcome: row.get("id")?,
                category: row.get::<_, Word<_>>("category")?.0,
                stage: row.get::<_, Word<_>>("stage")?.0,
                role: row.get("role")?,
                requisition_id: row.get("requisition_id")?,
                at: row.get::<_, At>("detected_at")?.0,
                decided: row.get("decided")?,
                from: sender(row)?,
                dates: row.get::<_, Option<Json<Dates>>>("dates")?.map(|json| json.0.days()).unwrap_or_default(),
            })
        })?;
        Ok(EmployerHistory { replies, outcomes: outcomes.collect::<rusqlite::Result<_>>()? })
    }

    /// Whether a reply to this address is on its way, placed or sent from `since` on: nobody is answered twice.
    pub fn answered(&self, address: &str, since: Timestamp) -> Result<bool> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT 1
                 FROM draft_now AS s
                 JOIN draft_revision AS r ON r.draft = s.draft AND r.n = s.revision
                 JOIN event AS e ON e.id = s.event_id
                 WHERE s.state IN ('approved', 'sending', 'placed', 'sent', 'unconfirmed')
                   AND e.at >= ?2 AND r.envelope_to = ?1 COLLATE NOCASE
                 LIMIT 1",
            )?
            .query_row(params![address, At(since)], |_| Ok(()))
            .optional()?
            .is_some())
    }

    /// How many drafts to this address there are for mail that came from `since` on, other than the one with this hash.
    /// Withdrawn ones do not count: what they answered was taken back.
    pub fn drafts_to(&self, address: &str, since: Timestamp, but: &[u8; 32]) -> Result<u32> {
        Ok(self
            .db
            .prepare_cached(DRAFTS_TO)?
            .query_row(params![address, At(since), but.as_slice()], |row| row.get(0))?)
    }

    /// Notes made from `since` on, oldest first: templates and facts that have to rest.
    pub fn note_usage(&self, since: Timestamp) -> Result<Vec<NoteUse>> {
        let mut statement =
            self.db.prepare_cached("SELECT template, facts, at FROM note WHERE at >= ?1 ORDER BY at, id")?;
        let rows = statement.query_map([At(since)], |row| {
            Ok(NoteUse {
                template: row.get("template")?,
                facts: row.get::<_, Json<_>>("facts")?.0,
                at: row.get::<_, At>("at")?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Numbers for the status line.
    pub fn counts(&self) -> Result<Counts> {
        let _moment = self.one_moment()?;
        let db = &self.db;
        let number = |sql: &str| -> Result<u32> { Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?) };
        let mut by_category =
            db.prepare_cached("SELECT category, count(*) FROM current_outcome GROUP BY category ORDER BY category")?;
        let outcomes = by_category.query_map([], |row| Ok((row.get::<_, Word<_>>(0)?.0, row.get(1)?)))?;
        let mut by_state = db.prepare_cached("SELECT state, count(*) FROM draft_now GROUP BY state ORDER BY state")?;
        let drafts = by_state.query_map([], |row| Ok((row.get::<_, Word<_>>(0)?.0, row.get(1)?)))?;
        Ok(Counts {
            messages: number("SELECT count(*) FROM message")?,
            outcomes: outcomes.collect::<rusqlite::Result<_>>()?,
            undecided: number("SELECT count(*) FROM current_outcome WHERE decided = 0")?,
            untold: number(
                "SELECT count(*) FROM current_outcome AS o
                 WHERE o.tell_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM told WHERE told.outcome = o.id)",
            )?,
            drafts: drafts.collect::<rusqlite::Result<_>>()?,
            quarantined: number("SELECT count(*) FROM quarantine WHERE quarantined_at IS NOT NULL")?,
        })
    }
}

/// ?1: ids of the thread as a JSON array; ?2: the id of the mail itself; ?3: most rows.
pub(super) const THREAD: &str = "
    WITH related (id) AS (
        SELECT m.id FROM message AS m WHERE m.message_id IN (SELECT value FROM json_each(?1))
        UNION
        SELECT r.message FROM message_reference AS r WHERE r.message_id IN (SELECT value FROM json_each(?1))
    )
    SELECT m.id, m.message_id, m.from_name, m.from_addr, m.subject, m.received_at,
           (SELECT json_group_array(r.message_id ORDER BY r.position) FROM message_reference AS r
            WHERE r.message = m.id) AS reference_ids,
           c.verdict ->> '$.facts.noreply' AS noreply,
           coalesce(o.category, c.verdict ->> '$.category') AS category,
           coalesce(o.decided, c.verdict ->> '$.decided') AS decided,
           o.id AS outcome,
           (SELECT s.state FROM draft AS d JOIN draft_now AS s ON s.draft = d.id
            WHERE d.outcome IN (SELECT any_outcome.id FROM outcome AS any_outcome WHERE any_outcome.message = m.id)
            ORDER BY s.state IN ('discarded', 'withdrawn'), d.id DESC LIMIT 1) AS draft_state
    FROM related
    JOIN message AS m ON m.id = related.id
    LEFT JOIN classification AS c
        ON c.id = (SELECT max(last.id) FROM classification AS last WHERE last.message = m.id)
    LEFT JOIN outcome AS o
        ON o.id = (SELECT max(last.id) FROM outcome AS last WHERE last.message = m.id)
    WHERE ?2 IS NULL OR m.message_id IS NOT ?2
    ORDER BY m.received_at DESC, m.id DESC
    LIMIT ?3";

pub(super) const EMPLOYER_REPLIES: &str = "
    SELECT d.id AS draft, d.kind, s.state, e.at, r.envelope_to, m.content_hash
    FROM outcome AS o
    LEFT JOIN message AS m ON m.id = o.message
    JOIN draft AS d ON d.outcome = o.id
    JOIN draft_now AS s ON s.draft = d.id
    JOIN draft_revision AS r ON r.draft = d.id AND r.n = s.revision
    JOIN event AS e ON e.id = s.event_id
    WHERE o.employer_key = ?1 AND e.at >= ?2
    ORDER BY d.id";

pub(super) const DRAFTS_TO: &str = "
    SELECT count(*)
    FROM outcome AS o
    -- From the week's outcomes on, and not from every letter ever written.
    CROSS JOIN message AS m ON m.id = o.message
    CROSS JOIN draft AS d ON d.outcome = o.id
    CROSS JOIN draft_now AS s ON s.draft = d.id
    CROSS JOIN draft_revision AS r ON r.draft = d.id AND r.n = s.revision
    WHERE o.detected_at >= ?2 AND s.state <> 'withdrawn' AND r.envelope_to = ?1 COLLATE NOCASE
      AND m.content_hash <> ?3";

pub(super) const EMPLOYER_OUTCOMES: &str = "
    SELECT o.id, o.category, o.stage, o.role, o.requisition_id, o.detected_at, o.decided, m.from_name, m.from_addr,
           (SELECT json_object('all', c.verdict -> '$.facts.dates', 'to_meet', c.verdict -> '$.facts.appointments')
            FROM classification AS c WHERE c.message = m.id ORDER BY c.id DESC LIMIT 1) AS dates
    FROM current_outcome AS o
    LEFT JOIN message AS m ON m.id = o.message
    WHERE o.employer_key = ?1 AND o.detected_at >= ?2
    ORDER BY o.detected_at, o.id";

/// Who wrote the mail of a row that may have none.
fn sender(row: &Row<'_>) -> rusqlite::Result<Option<Address>> {
    let email: Option<String> = row.get("from_addr")?;
    let name: Option<String> = row.get("from_name")?;
    Ok(email.filter(|email| !email.is_empty()).map(|email| Address { name: name.unwrap_or_default(), email }))
}

/// Dates as verdicts hold them.
#[derive(Deserialize)]
struct Dates {
    all: Option<Vec<String>>,
    to_meet: Option<Vec<String>>,
}

impl Dates {
    /// The days, with one more that nobody meets on where any of them is none to meet on or cannot be read.
    fn days(self) -> Vec<Date> {
        let all = self.all.unwrap_or_default();
        let mut days: Vec<Date> = all.iter().filter_map(|date| date.parse().ok()).collect();
        if days.len() < all.len() || self.to_meet.as_ref() != Some(&all) {
            days.push(Date::ZERO);
        }
        days
    }
}

fn thread_mail(row: &Row<'_>) -> rusqlite::Result<ThreadMail> {
    Ok(ThreadMail {
        message: row.get("id")?,
        message_id: row.get("message_id")?,
        references: row.get::<_, Json<_>>("reference_ids")?.0,
        from_name: row.get("from_name")?,
        from_addr: row.get("from_addr")?,
        subject: row.get("subject")?,
        date: row.get::<_, At>("received_at")?.0,
        noreply: row.get::<_, Option<bool>>("noreply")?.unwrap_or(false),
        category: row.get::<_, Option<Word<_>>>("category")?.map(|word| word.0),
        decided: row.get::<_, Option<bool>>("decided")?.unwrap_or(false),
        outcome: row.get("outcome")?,
        draft: row.get::<_, Option<Word<_>>>("draft_state")?.map(|word| word.0),
    })
}
