-- What a person decided and we have to carry out.
SELECT quarantine_id, feed, kind, received_at, state, sample, payload, erased_at FROM quarantine
WHERE state IN ('retry', 'drop')
ORDER BY quarantine_id LIMIT 100
