-- The person may have changed his mind meanwhile: then it is asked again.
UPDATE quarantine SET state = $2, reason = coalesce($3, reason) WHERE quarantine_id = $1 AND state = $4
