SELECT quarantine_id, state FROM quarantine WHERE quarantine_id = ANY ($1::bigint[])
