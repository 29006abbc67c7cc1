SELECT feed, platform, external_id, first_at, last_at
FROM room_unlisted
WHERE last_at >= $__timeFrom()::timestamptz AND feed ~ '^(${feed:pipe})$'
ORDER BY last_at DESC, feed, external_id
LIMIT 200
