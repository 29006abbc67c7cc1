SELECT
  pg_database_size(current_database()) AS bytes,
  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
  (SELECT count(*) FROM quarantine WHERE state IN ('kept', 'retry', 'drop')) AS kept,
  (SELECT extract(epoch FROM now() - max(applied_at)) FROM applied_batch) AS newest_s
