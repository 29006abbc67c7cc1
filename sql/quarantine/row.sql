SELECT quarantine_id, received_at, feed, kind, state, reason, sample, payload, origin, place, erase_at, erased_at
FROM quarantine
WHERE quarantine_id = $1
