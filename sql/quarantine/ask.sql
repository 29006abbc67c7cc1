-- What a person wants of these rows ($1), where their states ($3) allow it; the running monitor carries it out.
UPDATE quarantine SET state = $2 WHERE quarantine_id = ANY ($1::bigint[]) AND state = ANY ($3::text[])
RETURNING quarantine_id
