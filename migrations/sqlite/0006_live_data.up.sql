-- How live data fared: when a stream was away and what became of the candles in it, and what was sent that could not be
-- taken.
CREATE TABLE outages (
    instrument TEXT    NOT NULL,
    from_time  INTEGER NOT NULL,
    to_time    INTEGER, -- NULL while the stream is away
    state      TEXT    NOT NULL CHECK (state IN ('open', 'backfilled', 'gap')),
    reason     TEXT    NOT NULL,
    candles    INTEGER NOT NULL, -- minutes in it that came by asking
    noted_at   INTEGER NOT NULL,
    PRIMARY KEY (instrument, from_time)
) STRICT, WITHOUT ROWID;
CREATE INDEX outages_from ON outages (from_time);

CREATE TABLE refused (
    provider   TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    raw        TEXT    NOT NULL, -- its beginning, as it came
    count      INTEGER NOT NULL CHECK (count > 0),
    first_time INTEGER NOT NULL,
    last_time  INTEGER NOT NULL,
    PRIMARY KEY (provider, reason, raw)
) STRICT, WITHOUT ROWID;
CREATE INDEX refused_last ON refused (provider, last_time);

-- 'raw' or 'splits': what was done to the prices of a series. Both are never mixed in one.
ALTER TABLE series ADD COLUMN adjustment TEXT CHECK (adjustment IN ('raw', 'splits'));
