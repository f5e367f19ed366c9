DROP TABLE meta;
DROP TABLE snapshots;
DROP TABLE journal_blocks;
