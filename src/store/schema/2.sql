-- What the output of an agent says about an attempt.
ALTER TABLE attempts ADD COLUMN reading TEXT;

-- The accounts that have used up what they may.
CREATE TABLE gates (
    purse TEXT PRIMARY KEY NOT NULL,
    until BIGINT NOT NULL,
    is_stated BIGINT NOT NULL
);

DROP INDEX tasks_pending;
CREATE INDEX tasks_due ON tasks (due_at, id) WHERE state IN ('pending', 'waiting');
