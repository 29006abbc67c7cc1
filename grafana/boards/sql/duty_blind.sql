SELECT
  feed_blind.feed, feed_blind.from_at, feed_blind.blind_s, feed_blind.cause, feed_blind.platform, feed_blind.hall,
  CASE WHEN feed_blind.room_id IS NOT NULL THEN 1 ELSE (
    SELECT count(*) FROM feed_room WHERE feed_room.feed = feed_blind.feed AND feed_room.to_at IS NULL
  ) END AS rooms,
  feed_blind.anchor, feed_blind.room_id,
  coalesce(nullif(regexp_replace(feed_blind.hall, '[]"[''\\^$.|?*+(){}`]', '.', 'g'), ''), '.*') AS hall_pattern
FROM feed_blind
WHERE feed_blind.still_open
ORDER BY feed_blind.room_id IS NOT NULL, feed_blind.from_at, feed_blind.feed
LIMIT 200
