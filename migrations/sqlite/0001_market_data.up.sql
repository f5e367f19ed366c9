-- Market data as it came: raw candles and ticks, never anything computed from them.
-- Prices are integers of 10⁻⁹, times UTC nanoseconds.

-- One row per instrument and channel, so that the large tables carry a small integer instead of two texts.
CREATE TABLE series (
    id         INTEGER PRIMARY KEY,
    instrument TEXT    NOT NULL,
    channel    TEXT    NOT NULL, -- a timeframe ('1m', '1d'), 'trades' or 'quotes'
    rows       INTEGER NOT NULL DEFAULT 0,
    UNIQUE (instrument, channel)
) STRICT;

CREATE TABLE sources (
    id       INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('streamed', 'backfilled', 'revised', 'imported', 'simulated')),
    UNIQUE (provider, kind)
) STRICT;

-- No foreign keys on the three large tables: the ids are looked up in the same transaction, and a check per row would
-- cost a tenth of an import.
CREATE TABLE candles (
    series    INTEGER NOT NULL,
    open_time INTEGER NOT NULL,
    open      INTEGER NOT NULL,
    high      INTEGER NOT NULL,
    low       INTEGER NOT NULL,
    close     INTEGER NOT NULL,
    volume    ANY     NOT NULL, -- integer of 10⁻⁹; text of the same number where it does not fit 64 bits
    source    INTEGER NOT NULL,
    revision  INTEGER NOT NULL, -- how often the values changed after they were first written
    PRIMARY KEY (series, open_time)
) STRICT, WITHOUT ROWID;

CREATE TABLE trades (
    series     INTEGER NOT NULL,
    event_time INTEGER NOT NULL,
    trade_id   INTEGER NOT NULL, -- 0 where the venue has none
    ordinal    INTEGER NOT NULL, -- place among prints of the same time and id
    price      INTEGER NOT NULL,
    qty        ANY     NOT NULL, -- as candles.volume
    side       INTEGER NOT NULL CHECK (side IN (-1, 0, 1)), -- the taker's: sell, unknown, buy
    source     INTEGER NOT NULL,
    PRIMARY KEY (series, event_time, trade_id, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE quotes (
    series     INTEGER NOT NULL,
    event_time INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    bid        INTEGER NOT NULL,
    ask        INTEGER NOT NULL,
    bid_qty    ANY     NOT NULL,
    ask_qty    ANY     NOT NULL,
    source     INTEGER NOT NULL,
    PRIMARY KEY (series, event_time, ordinal)
) STRICT, WITHOUT ROWID;

-- What was asked for and answered, whether or not the market traded: [from_time, to_time).
CREATE TABLE coverage (
    series    INTEGER NOT NULL REFERENCES series (id),
    provider  TEXT    NOT NULL,
    from_time INTEGER NOT NULL,
    to_time   INTEGER NOT NULL CHECK (to_time > from_time),
    PRIMARY KEY (series, provider, from_time)
) STRICT, WITHOUT ROWID;

-- Stretches without candles between two that exist: [from_time, to_time).
CREATE TABLE gaps (
    series    INTEGER NOT NULL REFERENCES series (id),
    from_time INTEGER NOT NULL,
    to_time   INTEGER NOT NULL CHECK (to_time > from_time),
    missing   INTEGER NOT NULL CHECK (missing > 0),
    PRIMARY KEY (series, from_time)
) STRICT, WITHOUT ROWID;

CREATE TABLE imports (
    id         INTEGER PRIMARY KEY,
    series     INTEGER NOT NULL REFERENCES series (id),
    name       TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    accepted   INTEGER NOT NULL,
    rejected   INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    rounded    INTEGER NOT NULL
) STRICT;

-- Rows of a file that were not taken, to be looked at.
CREATE TABLE quarantine (
    import INTEGER NOT NULL REFERENCES imports (id),
    line   INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    raw    TEXT    NOT NULL,
    PRIMARY KEY (import, line)
) STRICT, WITHOUT ROWID;

-- For people and `db query`: the candles in words and decimals.
CREATE VIEW candles_readable AS
SELECT s.instrument, s.channel AS timeframe,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.open_time / 1000000000, 'unixepoch') AS open_time,
       c.open / 1e9 AS open, c.high / 1e9 AS high, c.low / 1e9 AS low, c.close / 1e9 AS close,
       CAST(c.volume AS REAL) / 1e9 AS volume, o.provider, o.kind, c.revision
FROM candles c JOIN series s ON s.id = c.series JOIN sources o ON o.id = c.source;
