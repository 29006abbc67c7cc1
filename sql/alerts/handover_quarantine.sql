-- Rows that wait for a person, by kind.
SELECT kind, count(*)::int AS rows FROM quarantine WHERE state = 'kept' GROUP BY kind ORDER BY kind
