SELECT
  now() AS time, '«场次|sessions» ' || to_char(count(*), 'FM999,999,990') AS metric,
  count(DISTINCT coalesce(nullif(room.broadcaster, ''), room.room_id::text)) AS value
FROM session
JOIN room ON room.room_id = session.room_id
CROSS JOIN setting
WHERE session.opened_at < least(setting.event_ends_at, now())
  AND coalesce(session.closed_at, now()) > coalesce(setting.event_starts_at, '-infinity')
