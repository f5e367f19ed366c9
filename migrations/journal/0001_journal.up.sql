-- The journal: opaque, hash-chained blocks that the engine writes before anything leaves the machine.
-- Its own file, so that a bulk import into the main database never makes an order wait.
CREATE TABLE journal_blocks (
    first_seq INTEGER PRIMARY KEY,
    count     INTEGER NOT NULL CHECK (count > 0),
    prev_hash BLOB    NOT NULL CHECK (length(prev_hash) = 32),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32),
    bytes     BLOB    NOT NULL
) STRICT;

CREATE TRIGGER journal_blocks_no_update BEFORE UPDATE ON journal_blocks
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_blocks_no_delete BEFORE DELETE ON journal_blocks
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- Engine states to start a replay from; only the newest few are kept.
CREATE TABLE snapshots (
    seq   INTEGER PRIMARY KEY,
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    state BLOB NOT NULL
) STRICT;

-- Facts about this data directory: `instance` names it for ever.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
