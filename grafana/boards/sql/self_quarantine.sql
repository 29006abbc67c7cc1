SELECT feed, kind, reason, count(*) AS rows, min(received_at) AS first_at, max(received_at) AS last_at, max(quarantine_id)::text AS latest
FROM quarantine
WHERE state IN ('kept', 'retry', 'drop')
GROUP BY feed, kind, reason
ORDER BY count(*) DESC, feed, kind, reason
LIMIT 100
