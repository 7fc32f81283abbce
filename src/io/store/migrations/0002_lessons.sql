-- What the person said of mails, and what is learned from it.

-- One row for each time that the label of a mail changed: said, taken back, said again. The last row of a message
-- holds. Rows are added, never changed; they are deleted only when the person asks to forget the mail.
CREATE TABLE lesson (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    message INTEGER NOT NULL REFERENCES message (id),
    outcome INTEGER NOT NULL REFERENCES outcome (id), -- the row of the chain that this change belongs to
    before  TEXT    NOT NULL,                 -- the category that held before
    label   TEXT,                             -- what the person said; NULL: they took it back
    rules   TEXT    NOT NULL,                 -- fingerprint of the rule set that had judged
    traits  TEXT    CHECK (traits IS NULL OR json_valid(traits)), -- learn::Traits: masked words, no text of the mail
    CHECK ((label IS NULL) = (traits IS NULL))
) STRICT;

CREATE INDEX lesson_by_message ON lesson (message, id);

CREATE TRIGGER lesson_no_update BEFORE UPDATE ON lesson BEGIN SELECT RAISE(ABORT, 'lesson is append-only'); END;
