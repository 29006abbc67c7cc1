-- The processes of the role that we act as, but for our own.
SELECT pid FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()
