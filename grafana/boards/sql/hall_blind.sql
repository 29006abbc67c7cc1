SELECT from_at, to_at, feed, hall, coalesce(external_id, '«全部|all»') AS external_id, blind_s, cause
FROM feed_blind
WHERE (still_open OR to_at > now() - interval '1 hour') AND coalesce(hall, '') ~ '^(${hall:pipe})$'
ORDER BY still_open DESC, from_at DESC
LIMIT 200
