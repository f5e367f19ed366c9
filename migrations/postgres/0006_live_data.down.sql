ALTER TABLE series DROP COLUMN adjustment;
DROP TABLE refused;
DROP TABLE outages;
