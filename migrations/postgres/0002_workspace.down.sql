DROP TABLE workspaces;
DROP TABLE settings;
DROP TABLE instruments;
