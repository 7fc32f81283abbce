-- What the person sent, and what employers answered.

-- A mail in the person's Sent mailbox, by its ids alone: enough to know which mails they have answered. No address,
-- subject or text.
CREATE TABLE sent_mail (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    TEXT    NOT NULL,            -- the account's name in the configuration
    message_id TEXT    NOT NULL,            -- without angle brackets
    draft      INTEGER REFERENCES draft (id), -- the draft of ours that it is; NULL: the person's own
    sent_at    INTEGER NOT NULL,            -- INTERNALDATE
    seen_at    INTEGER NOT NULL,
    UNIQUE (account, message_id)
) STRICT;

CREATE INDEX sent_mail_by_draft ON sent_mail (draft) WHERE draft IS NOT NULL;
CREATE INDEX sent_mail_by_id ON sent_mail (message_id);

-- The mails it refers to: In-Reply-To and References.
CREATE TABLE sent_reference (
    sent       INTEGER NOT NULL REFERENCES sent_mail (id),
    message_id TEXT    NOT NULL,            -- without angle brackets
    PRIMARY KEY (sent, message_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sent_reference_by_id ON sent_reference (message_id);

-- What an employer said when asked, or by themselves, in their words. Deleted when the person asks to forget the mail.
CREATE TABLE feedback (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL UNIQUE REFERENCES message (id),
    outcome INTEGER NOT NULL REFERENCES outcome (id), -- the row of the feedback mail itself
    draft   INTEGER REFERENCES draft (id),  -- the question it answers; NULL: nobody asked
    text    TEXT    NOT NULL,               -- cleaned, without quotes and signature
    at      INTEGER NOT NULL
) STRICT;

CREATE INDEX feedback_by_draft ON feedback (draft) WHERE draft IS NOT NULL;

-- What the person made of it; the last row of a feedback holds.
CREATE TABLE feedback_mark (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    feedback INTEGER NOT NULL REFERENCES feedback (id),
    useful   INTEGER CHECK (useful IN (0, 1)), -- 0: not now; NULL: not said
    tags     TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX feedback_mark_by_feedback ON feedback_mark (feedback, id);

-- Who was written to: whether a mail may be the answer to a question.
CREATE INDEX draft_revision_by_recipient ON draft_revision (envelope_to COLLATE NOCASE) WHERE envelope_to IS NOT NULL;
