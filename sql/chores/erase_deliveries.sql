-- The bytes of deliveries that were tried again or dropped and are due now ($1); the rows and their reasons stay. A row
-- that a person wants tried again after all is left alone.
UPDATE quarantine SET payload = '', erased_at = $1, erase_at = NULL
WHERE state IN ('retried', 'dropped') AND quarantine_id IN (
    SELECT quarantine_id FROM quarantine WHERE erase_at <= $1 AND state IN ('retried', 'dropped')
    ORDER BY erase_at LIMIT 500
)
