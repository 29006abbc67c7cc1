-- What should bound those who read and does not: role, what, and whether only a superuser can mend it. A setting that an
-- administrator gave another value is there; one that was set to nothing (0, off, -1) is not.
SELECT role.rolname AS role, wanted.what, wanted.super
FROM pg_roles AS role
CROSS JOIN LATERAL (
    SELECT what, coalesce(setting.value !~ '^(0|-1|off|)$', false) AS there, what = 'temp_file_limit' AS super
    FROM unnest(ARRAY[
        'default_transaction_read_only', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
        'temp_file_limit'
    ]) AS what
    LEFT JOIN LATERAL (
        SELECT split_part(entry, '=', 2) AS value FROM unnest(role.rolconfig) AS entry WHERE split_part(entry, '=', 1) = what
    ) AS setting ON true
    UNION ALL VALUES
        ('a limit of connections', role.rolconnlimit > 0, false),
        ('no temporary tables', NOT has_database_privilege(role.oid, current_database(), 'TEMPORARY'), true),
        ('no advisory locks', NOT has_function_privilege(role.oid, 'pg_advisory_lock(bigint)', 'EXECUTE'), true),
        ('no large objects', NOT has_function_privilege(role.oid, 'lo_from_bytea(oid, bytea)', 'EXECUTE'), true)
) AS wanted
WHERE role.rolname IN ('livemon_reader', 'livemon_hall') AND NOT wanted.there
ORDER BY 1, 2
