-- What the user set up: instruments, settings, screen layouts.

CREATE TABLE instruments (
    id          TEXT PRIMARY KEY,
    venue       TEXT NOT NULL,
    symbol      TEXT NOT NULL,
    name        TEXT NOT NULL,
    asset_class TEXT NOT NULL,
    spec        TEXT NOT NULL CHECK (json_valid(spec)),
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    key        TEXT PRIMARY KEY,
    value      TEXT NOT NULL CHECK (json_valid(value)),
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workspaces (
    name           TEXT    NOT NULL,
    revision       INTEGER NOT NULL,
    schema_version INTEGER NOT NULL,
    layout         TEXT    NOT NULL CHECK (json_valid(layout)),
    saved_at       INTEGER NOT NULL,
    PRIMARY KEY (name, revision)
) STRICT, WITHOUT ROWID;
