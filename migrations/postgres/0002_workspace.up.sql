-- What the user set up: instruments, settings, screen layouts.

CREATE TABLE instruments (
    id          TEXT   PRIMARY KEY,
    venue       TEXT   NOT NULL,
    symbol      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    asset_class TEXT   NOT NULL,
    spec        JSONB  NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE TABLE settings (
    key        TEXT   PRIMARY KEY,
    value      JSONB  NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE workspaces (
    name           TEXT   NOT NULL,
    revision       BIGINT NOT NULL,
    schema_version BIGINT NOT NULL,
    layout         JSONB  NOT NULL,
    saved_at       BIGINT NOT NULL,
    PRIMARY KEY (name, revision)
);
