-- Projections of the journal: what happened, in tables one can ask. All of it but the audit log can be dropped and
-- written again from the journal. `instance` is the data directory that the rows come from: several may share a database.

CREATE TABLE projection (
    instance TEXT PRIMARY KEY,
    upto_seq BIGINT  NOT NULL -- the last journal entry that these tables include
);

CREATE TABLE orders (
    instance        TEXT    NOT NULL,
    id              BIGINT  NOT NULL,
    client_order_id TEXT    NOT NULL,
    venue_order_id  TEXT,
    account         TEXT    NOT NULL,
    instrument      TEXT    NOT NULL,
    side            TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    is_open         BOOLEAN NOT NULL,
    qty             NUMERIC NOT NULL,
    filled_qty      NUMERIC NOT NULL,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    document        JSONB   NOT NULL, -- the whole order
    PRIMARY KEY (instance, id)
);
CREATE INDEX orders_open ON orders (instance, id) WHERE is_open;
CREATE INDEX orders_client_order_id ON orders (client_order_id);

CREATE TABLE fills (
    instance      TEXT    NOT NULL,
    account       TEXT    NOT NULL,
    venue_fill_id TEXT    NOT NULL,
    seq           BIGINT  NOT NULL, -- the journal entry
    order_id      BIGINT  NOT NULL,
    instrument    TEXT    NOT NULL,
    side          TEXT    NOT NULL CHECK (side IN ('buy', 'sell')),
    price         NUMERIC NOT NULL,
    qty           NUMERIC NOT NULL,
    fee           NUMERIC NOT NULL,
    liquidity     TEXT    NOT NULL CHECK (liquidity IN ('maker', 'taker')),
    realized_pnl  NUMERIC NOT NULL,
    event_time    BIGINT  NOT NULL,
    source        TEXT    NOT NULL,
    PRIMARY KEY (instance, account, venue_fill_id)
);
CREATE INDEX fills_seq ON fills (instance, seq);
CREATE INDEX fills_order ON fills (instance, order_id);

-- Double entry: the amounts of one transaction add up to zero in every currency.
CREATE TABLE ledger_postings (
    instance TEXT    NOT NULL,
    seq      BIGINT  NOT NULL, -- the journal entry = the transaction
    line     BIGINT  NOT NULL,
    account  TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    amount   NUMERIC NOT NULL,
    time     BIGINT  NOT NULL,
    memo     TEXT    NOT NULL,
    PRIMARY KEY (instance, seq, line)
);
CREATE INDEX ledger_postings_account ON ledger_postings (instance, account, currency);

CREATE TABLE decisions (
    instance   TEXT    NOT NULL,
    seq        BIGINT  NOT NULL,
    time       BIGINT  NOT NULL,
    instrument TEXT    NOT NULL,
    strategy   TEXT    NOT NULL,
    verdict    TEXT    NOT NULL CHECK (verdict IN ('buy', 'sell', 'hold', 'skip', 'block', 'error')),
    qty        NUMERIC,
    price      NUMERIC,
    confidence NUMERIC,
    order_id   BIGINT,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (instance, seq)
);

-- Who asked for what, over which surface, and what came of it. Append-only, each row chained to the one before.
CREATE TABLE audit_log (
    instance    TEXT    NOT NULL,
    number      BIGINT  NOT NULL,
    journal_seq BIGINT, -- NULL for what never reached the engine
    time        BIGINT  NOT NULL,
    actor       TEXT    NOT NULL,
    surface     TEXT    NOT NULL,
    command     TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    trace_id    TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    prev_hash   BYTEA   NOT NULL CHECK (length(prev_hash) = 32),
    hash        BYTEA   NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (instance, number),
    UNIQUE (instance, journal_seq)
);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
