-- What a person wants of these rows ($1), where their states ($3) allow it; the running monitor carries it out. What was
-- erased cannot be tried again.
UPDATE quarantine SET state = $2
WHERE quarantine_id = ANY ($1::bigint[]) AND state = ANY ($3::text[]) AND erased_at IS NULL
RETURNING quarantine_id
