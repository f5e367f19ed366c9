DROP TABLE documents_fts;
DROP TABLE documents;
