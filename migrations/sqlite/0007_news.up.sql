-- What publishers wrote, as providers told it, for search by words and without a network. Outside text: plain, cut, data.
CREATE TABLE news (
    number       INTEGER PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE, -- hash of the address
    provider     TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    headline     TEXT    NOT NULL,
    summary      TEXT    NOT NULL,
    url          TEXT    NOT NULL,
    symbols      TEXT    NOT NULL, -- each between two spaces
    published_at INTEGER NOT NULL,
    approximate  INTEGER NOT NULL,
    fetched_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX news_published ON news (published_at);

CREATE VIRTUAL TABLE news_fts USING fts5 (
    headline, summary, content = 'news', content_rowid = 'number', tokenize = 'porter unicode61'
);

CREATE TRIGGER news_added AFTER INSERT ON news BEGIN
    INSERT INTO news_fts (rowid, headline, summary) VALUES (new.number, new.headline, new.summary);
END;

CREATE TRIGGER news_removed AFTER DELETE ON news BEGIN
    INSERT INTO news_fts (news_fts, rowid, headline, summary)
    VALUES ('delete', old.number, old.headline, old.summary);
END;

CREATE TRIGGER news_changed AFTER UPDATE ON news BEGIN
    INSERT INTO news_fts (news_fts, rowid, headline, summary)
    VALUES ('delete', old.number, old.headline, old.summary);
    INSERT INTO news_fts (rowid, headline, summary) VALUES (new.number, new.headline, new.summary);
END;

-- What was asked of whom, and the items of the answer in its order: the same question within a while asks nobody.
CREATE TABLE news_answers (
    question    TEXT    NOT NULL,
    provider    TEXT    NOT NULL,
    answered_at INTEGER NOT NULL,
    items       TEXT    NOT NULL, -- ids between spaces
    PRIMARY KEY (question, provider)
) STRICT;
