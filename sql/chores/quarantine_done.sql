UPDATE quarantine SET state = $2, reason = coalesce($3, reason) WHERE quarantine_id = $1
