-- Ends the sessions of this role that have computed, waited or slept inside a transaction for longer than $1, whatever
-- timeouts they set themselves. A cursor that is read on and on is not one of them: each of its reads counts anew.
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::int FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid() AND (
    state IN ('active', 'fastpath function call') AND query_start < clock_timestamp() - $1::interval
    OR state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - $1::interval
)
