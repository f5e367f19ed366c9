-- Market data as it came: raw candles and ticks, never anything computed from them.
-- Prices are integers of 10⁻⁹, times UTC nanoseconds. The same tables as migrations/sqlite.

CREATE TABLE series (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument TEXT   NOT NULL,
    channel    TEXT   NOT NULL,
    rows       BIGINT NOT NULL DEFAULT 0,
    UNIQUE (instrument, channel)
);

CREATE TABLE sources (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('streamed', 'backfilled', 'revised', 'imported', 'simulated')),
    UNIQUE (provider, kind)
);

CREATE TABLE candles (
    series    BIGINT  NOT NULL,
    open_time BIGINT  NOT NULL,
    open      BIGINT  NOT NULL,
    high      BIGINT  NOT NULL,
    low       BIGINT  NOT NULL,
    close     BIGINT  NOT NULL,
    volume    NUMERIC NOT NULL,
    source    BIGINT  NOT NULL,
    revision  BIGINT  NOT NULL,
    PRIMARY KEY (series, open_time)
);

CREATE TABLE trades (
    series     BIGINT  NOT NULL,
    event_time BIGINT  NOT NULL,
    trade_id   BIGINT  NOT NULL,
    ordinal    BIGINT  NOT NULL,
    price      BIGINT  NOT NULL,
    qty        NUMERIC NOT NULL,
    side       BIGINT  NOT NULL CHECK (side IN (-1, 0, 1)),
    source     BIGINT  NOT NULL,
    PRIMARY KEY (series, event_time, trade_id, ordinal)
);

CREATE TABLE quotes (
    series     BIGINT  NOT NULL,
    event_time BIGINT  NOT NULL,
    ordinal    BIGINT  NOT NULL,
    bid        BIGINT  NOT NULL,
    ask        BIGINT  NOT NULL,
    bid_qty    NUMERIC NOT NULL,
    ask_qty    NUMERIC NOT NULL,
    source     BIGINT  NOT NULL,
    PRIMARY KEY (series, event_time, ordinal)
);

CREATE TABLE coverage (
    series    BIGINT NOT NULL REFERENCES series (id),
    provider  TEXT   NOT NULL,
    from_time BIGINT NOT NULL,
    to_time   BIGINT NOT NULL CHECK (to_time > from_time),
    PRIMARY KEY (series, provider, from_time)
);

CREATE TABLE gaps (
    series    BIGINT NOT NULL REFERENCES series (id),
    from_time BIGINT NOT NULL,
    to_time   BIGINT NOT NULL CHECK (to_time > from_time),
    missing   BIGINT NOT NULL CHECK (missing > 0),
    PRIMARY KEY (series, from_time)
);

CREATE TABLE imports (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    series     BIGINT NOT NULL REFERENCES series (id),
    name       TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    accepted   BIGINT NOT NULL,
    rejected   BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    rounded    BIGINT NOT NULL
);

CREATE TABLE quarantine (
    import BIGINT NOT NULL REFERENCES imports (id),
    line   BIGINT NOT NULL,
    reason TEXT   NOT NULL,
    raw    TEXT   NOT NULL,
    PRIMARY KEY (import, line)
);

CREATE VIEW candles_readable AS
SELECT s.instrument, s.channel AS timeframe,
       to_char(to_timestamp(c.open_time / 1000000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS open_time,
       c.open / 1e9 AS open, c.high / 1e9 AS high, c.low / 1e9 AS low, c.close / 1e9 AS close,
       c.volume / 1e9 AS volume, o.provider, o.kind, c.revision
FROM candles c JOIN series s ON s.id = c.series JOIN sources o ON o.id = c.source;
