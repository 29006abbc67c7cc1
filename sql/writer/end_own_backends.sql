-- Earlier connections of this very spool may still hold our batch's key: end them. Returns how many are left.
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = $1 AND usename = current_user AND pid <> pg_backend_pid()
