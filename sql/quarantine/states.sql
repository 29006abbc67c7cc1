SELECT quarantine_id, state, erased_at FROM quarantine WHERE quarantine_id = ANY ($1::bigint[])
