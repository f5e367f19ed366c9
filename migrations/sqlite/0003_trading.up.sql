-- Projections of the journal: what happened, in tables one can ask. All of it but the audit log can be dropped and
-- written again from the journal. `instance` is the data directory that the rows come from: several may share a database.
-- Decimal numbers are text, because SQLite has no exact decimal type.

CREATE TABLE projection (
    instance TEXT PRIMARY KEY,
    upto_seq INTEGER NOT NULL -- the last journal entry that these tables include
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    instance        TEXT    NOT NULL,
    id              INTEGER NOT NULL,
    client_order_id TEXT    NOT NULL,
    venue_order_id  TEXT,
    account         TEXT    NOT NULL,
    instrument      TEXT    NOT NULL,
    side            TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    is_open         INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    qty             TEXT    NOT NULL,
    filled_qty      TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    document        TEXT    NOT NULL CHECK (json_valid(document)), -- the whole order
    PRIMARY KEY (instance, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_open ON orders (instance, id) WHERE is_open;
CREATE INDEX orders_client_order_id ON orders (client_order_id);

CREATE TABLE fills (
    instance      TEXT    NOT NULL,
    account       TEXT    NOT NULL,
    venue_fill_id TEXT    NOT NULL,
    seq           INTEGER NOT NULL, -- the journal entry
    order_id      INTEGER NOT NULL,
    instrument    TEXT    NOT NULL,
    side          TEXT    NOT NULL CHECK (side IN ('buy', 'sell')),
    price         TEXT    NOT NULL,
    qty           TEXT    NOT NULL,
    fee           TEXT    NOT NULL,
    liquidity     TEXT    NOT NULL CHECK (liquidity IN ('maker', 'taker')),
    realized_pnl  TEXT    NOT NULL,
    event_time    INTEGER NOT NULL,
    source        TEXT    NOT NULL,
    PRIMARY KEY (instance, account, venue_fill_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX fills_seq ON fills (instance, seq);
CREATE INDEX fills_order ON fills (instance, order_id);

-- Double entry: the amounts of one transaction add up to zero in every currency.
CREATE TABLE ledger_postings (
    instance TEXT    NOT NULL,
    seq      INTEGER NOT NULL, -- the journal entry = the transaction
    line     INTEGER NOT NULL,
    account  TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    amount   TEXT    NOT NULL,
    time     INTEGER NOT NULL,
    memo     TEXT    NOT NULL,
    PRIMARY KEY (instance, seq, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_postings_account ON ledger_postings (instance, account, currency);

CREATE TABLE decisions (
    instance   TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    time       INTEGER NOT NULL,
    instrument TEXT    NOT NULL,
    strategy   TEXT    NOT NULL,
    verdict    TEXT    NOT NULL CHECK (verdict IN ('buy', 'sell', 'hold', 'skip', 'block', 'error')),
    qty        TEXT,
    price      TEXT,
    confidence TEXT,
    order_id   INTEGER,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (instance, seq)
) STRICT, WITHOUT ROWID;

-- Who asked for what, over which surface, and what came of it. Append-only, each row chained to the one before.
CREATE TABLE audit_log (
    instance    TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    journal_seq INTEGER, -- NULL for what never reached the engine
    time        INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    surface     TEXT    NOT NULL,
    command     TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    trace_id    TEXT    NOT NULL,
    detail      TEXT    NOT NULL CHECK (json_valid(detail)),
    prev_hash   BLOB    NOT NULL CHECK (length(prev_hash) = 32),
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (instance, number),
    UNIQUE (instance, journal_seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
