CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    -- The name again while the job is live, so that live names are unique.
    live_name TEXT UNIQUE,
    -- A hash of the definition while the job is live, so that the same request finds it.
    fingerprint TEXT UNIQUE,
    state TEXT NOT NULL,
    due_at BIGINT,
    archived_at BIGINT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_name ON jobs (name);

CREATE TABLE revisions (
    job TEXT NOT NULL REFERENCES jobs (id),
    revision BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (job, revision)
);

CREATE TABLE tasks (
    id TEXT PRIMARY KEY NOT NULL,
    job TEXT NOT NULL REFERENCES jobs (id),
    number BIGINT NOT NULL,
    slot BIGINT,
    state TEXT NOT NULL,
    due_at BIGINT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE UNIQUE INDEX tasks_slot ON tasks (job, slot) WHERE slot IS NOT NULL;
-- No job has two runs at once, whatever the code above believes.
CREATE UNIQUE INDEX tasks_exclusive ON tasks (job) WHERE state IN ('claimed', 'running', 'waiting');
CREATE INDEX tasks_pending ON tasks (due_at, id) WHERE state = 'pending';
CREATE INDEX tasks_job ON tasks (job, created_at);
-- Retention asks for the newest number of each job.
CREATE INDEX tasks_number ON tasks (job, number);
-- Retention takes the oldest that are over.
CREATE INDEX tasks_age ON tasks (created_at) WHERE state IN ('ended', 'skipped');

CREATE TABLE attempts (
    task TEXT NOT NULL REFERENCES tasks (id),
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    exit_code BIGINT,
    signal BIGINT,
    cpu_ms BIGINT NOT NULL,
    peak_kb BIGINT NOT NULL,
    stdout_bytes BIGINT NOT NULL,
    stderr_bytes BIGINT NOT NULL,
    PRIMARY KEY (task, number)
);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    job TEXT NOT NULL,
    task TEXT,
    type TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX events_job ON events (job, seq);

CREATE TABLE keys (
    key TEXT PRIMARY KEY NOT NULL,
    request TEXT NOT NULL,
    reply TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX keys_expiry ON keys (expires_at);
