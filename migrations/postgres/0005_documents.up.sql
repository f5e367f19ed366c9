-- What candles looked like in words, for search by words. An index and no source: it can be written again from candles.
CREATE TABLE documents (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument TEXT   NOT NULL,
    timeframe  TEXT   NOT NULL,
    open_time  BIGINT NOT NULL,
    text       TEXT   NOT NULL,
    keywords   TEXT   NOT NULL,
    schema     TEXT   NOT NULL,
    search     TSVECTOR GENERATED ALWAYS AS (to_tsvector('english', text || ' ' || keywords)) STORED,
    UNIQUE (instrument, timeframe, open_time)
);

CREATE INDEX documents_search ON documents USING GIN (search);
