-- Those that touch the span of time; who comes without one sees the room all the same.
SELECT
  to_char(session.opened_at AT TIME ZONE setting.timezone, 'MM-DD HH24:MI') || ' · ' || CASE
    WHEN session.closed_at IS NULL THEN '«直播中|on air»'
    ELSE floor(extract(epoch FROM session.closed_at - session.opened_at) / 3600)
      || to_char(session.closed_at - session.opened_at, ':MI')
  END AS __text,
  session.session_id::text AS __value
FROM session
CROSS JOIN setting
WHERE session.room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int
  AND session.opened_at <= $__timeTo()::timestamptz AND coalesce(session.closed_at, now()) >= $__timeFrom()::timestamptz
ORDER BY session.opened_at DESC
LIMIT 200
