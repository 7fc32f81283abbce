-- The first schema. A migration is never edited once released: a change is a new file.
--
-- Times are whole seconds since 1970-01-01 UTC. Words (categories, states, events) are written as in `outcome.rs` and
-- `draft.rs`. Ids are never used twice (AUTOINCREMENT), because the person knows some of them by heart and a draft
-- must never come to belong to another outcome.

-- One row for each message, however often and wherever it was delivered to the account.
CREATE TABLE message (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      TEXT    NOT NULL,            -- the account's name in the configuration
    message_id   TEXT,                        -- without angle brackets; NULL where there is no usable one
    content_hash BLOB    NOT NULL CHECK (length(content_hash) = 32), -- Message::hash: route and mailbox do not count
    subject      TEXT    NOT NULL DEFAULT '', -- cleaned
    from_name    TEXT    NOT NULL DEFAULT '', -- cleaned
    from_addr    TEXT    NOT NULL DEFAULT '', -- first address of From; '' where there is none
    sent_at      INTEGER,                     -- Date, as the sender claims it
    received_at  INTEGER NOT NULL,            -- INTERNALDATE: order by this one
    size         INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0), -- octets, as the server says
    truncated    INTEGER NOT NULL DEFAULT 0 CHECK (truncated IN (0, 1)), -- 1: only the first octets were read
    in_reply_to  TEXT,                        -- without angle brackets
    raw          BLOB,                        -- the octets read; NULL for mail without an outcome, and after a purge
    seen_at      INTEGER NOT NULL,            -- when it was stored
    UNIQUE (account, content_hash)
) STRICT;

CREATE INDEX message_by_id ON message (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX message_by_time ON message (received_at);

-- References of a message, In-Reply-To among them: how threads are found.
CREATE TABLE message_reference (
    message    INTEGER NOT NULL REFERENCES message (id),
    position   INTEGER NOT NULL,              -- 0 is the oldest
    message_id TEXT    NOT NULL,              -- without angle brackets
    PRIMARY KEY (message, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_reference_by_id ON message_reference (message_id);

-- Where a message was found. Several rows for one message: moved, copied, delivered twice, UIDVALIDITY changed.
CREATE TABLE location (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    message      INTEGER NOT NULL REFERENCES message (id),
    account      TEXT    NOT NULL,
    mailbox      TEXT    NOT NULL,
    uid_validity INTEGER NOT NULL,            -- 0: the server gives none, and the UID alone proves nothing
    uid          INTEGER NOT NULL CHECK (uid > 0),
    seen_at      INTEGER NOT NULL,
    UNIQUE (account, mailbox, uid_validity, uid)
) STRICT;

CREATE INDEX location_by_message ON location (message);

-- How far a mailbox has been read: every UID up to last_uid is stored, quarantined, or gone from the server.
CREATE TABLE cursor (
    account      TEXT    NOT NULL,
    mailbox      TEXT    NOT NULL,
    uid_validity INTEGER NOT NULL,
    last_uid     INTEGER NOT NULL CHECK (last_uid >= 0),
    polled_at    INTEGER NOT NULL,            -- the last completed look
    PRIMARY KEY (account, mailbox)
) STRICT, WITHOUT ROWID;

-- Messages on their way and messages given up. A row is written before a message is parsed and removed when it is
-- stored, so that one that takes the process down is counted.
CREATE TABLE quarantine (
    account        TEXT    NOT NULL,
    mailbox        TEXT    NOT NULL,
    uid_validity   INTEGER NOT NULL,
    uid            INTEGER NOT NULL CHECK (uid > 0),
    attempts       INTEGER NOT NULL DEFAULT 0,
    reason         TEXT    NOT NULL DEFAULT '', -- cleaned; '' while no attempt has reported an error
    tried_at       INTEGER NOT NULL,
    quarantined_at INTEGER,                   -- NULL while it is still tried; the cursor waits for it
    PRIMARY KEY (account, mailbox, uid_validity, uid)
) STRICT, WITHOUT ROWID;

-- Verdicts. A message judged again by other rules gets another row; the last one counts.
CREATE TABLE classification (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES message (id),
    at      INTEGER NOT NULL,
    rules   TEXT    NOT NULL,                 -- fingerprint of the rule set
    verdict TEXT    NOT NULL CHECK (json_valid(verdict)) -- Classification as JSON
) STRICT;

CREATE INDEX classification_by_message ON classification (message, id);

-- What a message means for an application. Never changed: a correction, an undo and a later mail each add a row that
-- supersedes the row before, at most one each, so that every outcome is one chain.
CREATE TABLE outcome (
    id             INTEGER PRIMARY KEY AUTOINCREMENT, -- the number the person sees
    message        INTEGER REFERENCES message (id),   -- NULL: entered by hand
    supersedes     INTEGER UNIQUE REFERENCES outcome (id), -- NULL: the first of its chain
    origin         TEXT    NOT NULL,          -- rules, person, superseded
    category       TEXT    NOT NULL,
    decided        INTEGER NOT NULL CHECK (decided IN (0, 1)), -- 0: the person has to be asked
    stage          TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    employer       TEXT,                      -- as written in the mail
    employer_key   TEXT,                      -- employer folded for comparison, see outcome::employer_key
    role           TEXT,
    requisition_id TEXT,
    contact        TEXT,                      -- a human address
    detected_at    INTEGER NOT NULL,          -- when the mail arrived or the person entered it
    tell_at        INTEGER,                   -- when the person is told; NULL: never by itself
    draft_due_at   INTEGER,                   -- when the draft is offered; NULL: there is none to offer
    at             INTEGER NOT NULL           -- when this row was written
) STRICT;

CREATE INDEX outcome_by_message ON outcome (message);
CREATE INDEX outcome_by_employer ON outcome (employer_key, detected_at) WHERE employer_key IS NOT NULL;
CREATE INDEX outcome_by_time ON outcome (detected_at);

-- The last row of every chain: what holds today.
CREATE VIEW current_outcome AS
SELECT o.*
FROM outcome AS o
WHERE NOT EXISTS (SELECT 1 FROM outcome AS later WHERE later.supersedes = o.id);

-- When and how the person was told of an outcome.
CREATE TABLE told (
    outcome INTEGER NOT NULL REFERENCES outcome (id),
    at      INTEGER NOT NULL,
    channel TEXT    NOT NULL,                 -- e.g. digest, notification, person
    PRIMARY KEY (outcome, at, channel)
) STRICT, WITHOUT ROWID;

-- A reply. What it says stands in its revisions, where it stands in its events.
CREATE TABLE draft (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    outcome    INTEGER NOT NULL REFERENCES outcome (id),
    kind       TEXT    NOT NULL,              -- thank-you, feedback-request
    language   TEXT    NOT NULL,              -- ISO 639-1
    policy_row TEXT    NOT NULL,              -- the row of the reply policy that chose it
    template   TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

CREATE INDEX draft_by_outcome ON draft (outcome);

-- The exact wording and envelope of a draft. An edit adds a row.
CREATE TABLE draft_revision (
    draft         INTEGER NOT NULL REFERENCES draft (id),
    n             INTEGER NOT NULL CHECK (n >= 1), -- 1 is as proposed
    envelope_from TEXT    NOT NULL,           -- MAIL FROM
    envelope_to   TEXT,                       -- RCPT TO; NULL: no reachable address, cannot be approved
    message_id    TEXT    NOT NULL,           -- of the reply, without angle brackets
    bytes         BLOB    NOT NULL,           -- the message with CRLF line ends
    digest        TEXT    NOT NULL CHECK (length(digest) = 64), -- hex SHA-256 of envelope and bytes
    cautions      TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(cautions)),
    at            INTEGER NOT NULL,
    PRIMARY KEY (draft, n)
) STRICT;

CREATE INDEX draft_revision_by_message_id ON draft_revision (message_id);

-- The note that goes with an outcome; the last one counts.
CREATE TABLE note (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    outcome  INTEGER NOT NULL REFERENCES outcome (id),
    template TEXT    NOT NULL,
    language TEXT    NOT NULL,                -- ISO 639-1
    text     TEXT    NOT NULL,
    facts    TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(facts)), -- names of the facts it states
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX note_by_outcome ON note (outcome, id);
CREATE INDEX note_by_time ON note (at);

-- The log: one row for everything that happened, written in the same transaction as the thing itself.
CREATE TABLE event (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,                 -- see EventKind
    message INTEGER REFERENCES message (id),
    outcome INTEGER REFERENCES outcome (id),
    draft   INTEGER REFERENCES draft (id),
    detail  TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(detail)) -- never text of a mail
) STRICT;

CREATE INDEX event_by_outcome ON event (outcome) WHERE outcome IS NOT NULL;
CREATE INDEX event_by_time ON event (at);

-- What happened to a draft: the event of the log with the same id, and the state after it. The last row is where the
-- draft stands; an approval is a row with the digest it is bound to.
CREATE TABLE draft_event (
    id             INTEGER PRIMARY KEY REFERENCES event (id),
    draft          INTEGER NOT NULL REFERENCES draft (id),
    event          TEXT    NOT NULL,          -- propose, or a DraftEvent
    state          TEXT    NOT NULL,          -- DraftState after it
    revision       INTEGER NOT NULL,          -- the latest revision at that moment
    digest         TEXT    NOT NULL,          -- of that revision
    newest_message INTEGER NOT NULL,          -- highest message.id at that moment; what came later was not known
    FOREIGN KEY (draft, revision) REFERENCES draft_revision (draft, n)
) STRICT;

CREATE INDEX draft_event_by_draft ON draft_event (draft, id);

-- Where every draft stands.
CREATE VIEW draft_now AS
SELECT e.draft AS draft, e.state AS state, e.event AS event, e.revision AS revision, e.digest AS digest, e.id AS event_id
FROM draft_event AS e
WHERE e.id = (SELECT max(last.id) FROM draft_event AS last WHERE last.draft = e.draft);

-- What is written stays written.
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER draft_event_no_update BEFORE UPDATE ON draft_event BEGIN SELECT RAISE(ABORT, 'draft_event is append-only'); END;
CREATE TRIGGER draft_event_no_delete BEFORE DELETE ON draft_event BEGIN SELECT RAISE(ABORT, 'draft_event is append-only'); END;
CREATE TRIGGER draft_revision_no_update BEFORE UPDATE ON draft_revision BEGIN SELECT RAISE(ABORT, 'draft_revision is append-only'); END;
CREATE TRIGGER draft_revision_no_delete BEFORE DELETE ON draft_revision BEGIN SELECT RAISE(ABORT, 'draft_revision is append-only'); END;
CREATE TRIGGER draft_no_update BEFORE UPDATE ON draft BEGIN SELECT RAISE(ABORT, 'draft is append-only'); END;
CREATE TRIGGER draft_no_delete BEFORE DELETE ON draft BEGIN SELECT RAISE(ABORT, 'draft is append-only'); END;
CREATE TRIGGER outcome_no_update BEFORE UPDATE ON outcome BEGIN SELECT RAISE(ABORT, 'outcome is append-only'); END;
CREATE TRIGGER outcome_no_delete BEFORE DELETE ON outcome BEGIN SELECT RAISE(ABORT, 'outcome is append-only'); END;
