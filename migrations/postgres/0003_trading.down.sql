DROP TABLE audit_log;
DROP FUNCTION refuse_audit_change;
DROP TABLE decisions;
DROP TABLE ledger_postings;
DROP TABLE fills;
DROP TABLE orders;
DROP TABLE projection;
