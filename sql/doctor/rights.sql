-- What this login may not do that the service does. Asked only where the schema is there.
SELECT format('%s on %s', privilege, relation) AS missing
FROM (
    VALUES ('tick_raw', 'INSERT'), ('sale', 'INSERT'), ('sale', 'UPDATE'), ('session', 'UPDATE'),
        ('applied_batch', 'INSERT'), ('quarantine', 'UPDATE'), ('room', 'UPDATE')
) AS wanted (relation, privilege)
WHERE NOT has_table_privilege(format('livemon.%I', relation), privilege)
