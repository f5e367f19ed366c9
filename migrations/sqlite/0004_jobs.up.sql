-- Long work: backtests, sweeps, fetches. The request and the result as they were, so that both can be looked at later.
CREATE TABLE jobs (
    id          TEXT    PRIMARY KEY,
    instance    TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'canceled')),
    request     TEXT    NOT NULL CHECK (json_valid(request)),
    result      TEXT    CHECK (json_valid(result)),
    fingerprint TEXT,
    error       TEXT,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX jobs_created ON jobs (created_at);
