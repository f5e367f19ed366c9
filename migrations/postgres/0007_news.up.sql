-- What publishers wrote, as providers told it, for search by words and without a network. Outside text: plain, cut, data.
CREATE TABLE news (
    number       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE, -- hash of the address
    provider     TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    headline     TEXT    NOT NULL,
    summary      TEXT    NOT NULL,
    url          TEXT    NOT NULL,
    symbols      TEXT    NOT NULL, -- each between two spaces
    published_at BIGINT  NOT NULL,
    approximate  BOOLEAN NOT NULL,
    fetched_at   BIGINT  NOT NULL,
    search       TSVECTOR GENERATED ALWAYS AS (to_tsvector('english', headline || ' ' || summary)) STORED
);

CREATE INDEX news_published ON news (published_at);
CREATE INDEX news_search ON news USING GIN (search);

-- What was asked of whom, and the items of the answer in its order: the same question within a while asks nobody.
CREATE TABLE news_answers (
    question    TEXT    NOT NULL,
    provider    TEXT    NOT NULL,
    answered_at BIGINT  NOT NULL,
    items       TEXT    NOT NULL, -- ids between spaces
    PRIMARY KEY (question, provider)
);
