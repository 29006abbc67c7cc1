-- What the server is, and who we are on it.
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
    current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS safe,
    pg_is_in_recovery() AS standby, clock_timestamp() AS now,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
    EXISTS (
        SELECT FROM pg_class WHERE relname = 'setting' AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = 'livemon')
    ) AS migrated,
    has_table_privilege((
        SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'livemon' AND relname = 'applied_batch'
    ), 'INSERT') AS writes,
    ARRAY(
        SELECT name FROM unnest(ARRAY['livemon_owner', 'livemon_writer', 'livemon_reader', 'livemon_hall']) AS name
        WHERE name NOT IN (SELECT rolname FROM pg_roles)
    ) AS missing_roles
