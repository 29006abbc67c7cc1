SELECT
  from_at, to_at, feed,
  extract(epoch FROM least(coalesce(to_at, now()), $__timeTo()::timestamptz) - greatest(from_at, $__timeFrom()::timestamptz))
    AS blind_s,
  cause, hall, coalesce(external_id, '«全部|all»') AS external_id, anchor, room_id
FROM feed_blind
WHERE from_at <= $__timeTo()::timestamptz AND (still_open OR to_at >= $__timeFrom()::timestamptz) AND feed ~ '^(${feed:pipe})$'
ORDER BY still_open DESC, from_at DESC
LIMIT 200
