SELECT
  alert.severity, «alert.summary|alert.alertname» AS what, alert.starts_at, extract(epoch FROM now() - alert.starts_at) AS age_s,
  coalesce(taken.by_whom, CASE WHEN quiet.until IS NOT NULL
    THEN '«静默至|silenced until» ' || to_char(quiet.until AT TIME ZONE setting.timezone, 'HH24:MI') END) AS holder,
  alert.labels ->> 'hall' AS hall, coalesce(nullif(room.anchor, ''), alert.labels ->> 'room') AS anchor,
  alert.labels ->> 'platform' AS platform, coalesce(alert.labels ->> 'feed', alert.labels ->> 'robot') AS feed,
  '#' || alert.number AS number, room.room_id,
  coalesce(nullif(regexp_replace(alert.labels ->> 'hall', '[]"[''\\^$.|?*+(){}`]', '.', 'g'), ''), '.*') AS hall_pattern
FROM alert
CROSS JOIN setting
LEFT JOIN LATERAL (
  SELECT alert_action.by_whom
  FROM alert_action
  WHERE alert_action.alert = alert.alert_id AND alert_action.action = 'acknowledged'
  ORDER BY alert_action.at DESC
  LIMIT 1
) AS taken ON true
LEFT JOIN LATERAL (
  SELECT max(alert_action.until) AS until
  FROM alert_action
  WHERE alert_action.alert = alert.alert_id AND alert_action.action = 'silenced' AND alert_action.until > now()
) AS quiet ON true
LEFT JOIN room ON room.platform = alert.labels ->> 'platform' AND room.external_id = alert.labels ->> 'room'
WHERE alert.ends_at IS NULL AND alert.alertname <> 'LivemonWatchdog'
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], alert.severity), alert.starts_at DESC, alert.number
LIMIT 200
