-- The person may have changed his mind meanwhile: then it is asked again. $5: when the bytes of a delivery go.
UPDATE quarantine SET state = $2, reason = coalesce($3, reason), erase_at = $5 WHERE quarantine_id = $1 AND state = $4
