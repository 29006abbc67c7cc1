SELECT
  schedule.starts_at, schedule.ends_at, CASE
    WHEN schedule.starts_at > now() THEN '«未到|to come»'
    WHEN schedule.ends_at > now() THEN '«进行中|now»'
    WHEN held.opened_at IS NULL THEN '«未播|not held»'
    ELSE '«已播|held»'
  END AS verdict,
  held.opened_at
FROM schedule
LEFT JOIN LATERAL (
  SELECT min(session.opened_at) AS opened_at
  FROM session
  WHERE session.room_id = schedule.room_id AND session.opened_at < schedule.ends_at
    AND coalesce(session.closed_at, now()) > schedule.starts_at
) AS held ON true
WHERE schedule.room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int
  AND schedule.ends_at > now() - interval '3 days' AND schedule.starts_at < now() + interval '7 days'
ORDER BY schedule.starts_at
LIMIT 50
