-- What candles looked like in words, for search by words. An index and no source: it can be written again from candles.
CREATE TABLE documents (
    id         INTEGER PRIMARY KEY,
    instrument TEXT    NOT NULL,
    timeframe  TEXT    NOT NULL,
    open_time  INTEGER NOT NULL,
    text       TEXT    NOT NULL,
    keywords   TEXT    NOT NULL, -- separated by spaces
    schema     TEXT    NOT NULL, -- hash of what text and keywords were made by
    UNIQUE (instrument, timeframe, open_time)
) STRICT;

CREATE VIRTUAL TABLE documents_fts USING fts5 (
    text, keywords, content = 'documents', content_rowid = 'id', tokenize = 'porter unicode61'
);

CREATE TRIGGER documents_added AFTER INSERT ON documents BEGIN
    INSERT INTO documents_fts (rowid, text, keywords) VALUES (new.id, new.text, new.keywords);
END;

CREATE TRIGGER documents_removed AFTER DELETE ON documents BEGIN
    INSERT INTO documents_fts (documents_fts, rowid, text, keywords) VALUES ('delete', old.id, old.text, old.keywords);
END;

CREATE TRIGGER documents_changed AFTER UPDATE ON documents BEGIN
    INSERT INTO documents_fts (documents_fts, rowid, text, keywords) VALUES ('delete', old.id, old.text, old.keywords);
    INSERT INTO documents_fts (rowid, text, keywords) VALUES (new.id, new.text, new.keywords);
END;
