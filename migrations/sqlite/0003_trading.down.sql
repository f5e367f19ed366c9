DROP TABLE audit_log;
DROP TABLE decisions;
DROP TABLE ledger_postings;
DROP TABLE fills;
DROP TABLE orders;
DROP TABLE projection;
