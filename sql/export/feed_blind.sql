-- Spans in which a feed could not be seen, if any part of them is in the window. 看不见。
SELECT * FROM feed_blind
WHERE from_at < coalesce($2::timestamptz, 'infinity') AND coalesce(to_at, 'infinity') > coalesce($1::timestamptz, '-infinity')
ORDER BY from_at, feed, room_id
