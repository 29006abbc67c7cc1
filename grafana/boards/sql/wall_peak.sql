SELECT
  now() AS time, to_char(minute AT TIME ZONE timezone, '«MM月DD日|MM-DD» HH24:MI') AS metric, round(viewers) AS value
FROM (
  SELECT minute, sum(viewers) AS viewers
  FROM event_minute
  CROSS JOIN setting
  WHERE minute >= coalesce(event_starts_at, '-infinity') AND minute < least(event_ends_at, now())
  GROUP BY minute
  ORDER BY viewers DESC, minute
  LIMIT 1
) AS highest
CROSS JOIN setting
