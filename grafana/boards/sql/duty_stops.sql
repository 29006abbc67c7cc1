-- Who takes an alert of a room holds the room; else who took that of its hall or of its platform.
WITH stopped AS MATERIALIZED (
  SELECT room_id, state_code, hall, anchor, platform, external_id, tier, contact, expected, since, slot_ends_at
  FROM room_now
  WHERE state_code IN (2, 4)
  ORDER BY expected DESC, tier NULLS LAST, since DESC NULLS LAST, room_id
  LIMIT 200
), held AS MATERIALIZED (
  SELECT
    alert.labels ->> 'platform' AS platform, coalesce(alert.labels ->> 'hall', '') AS hall,
    coalesce(alert.labels ->> 'room', '') AS external_id, taken.at, taken.by_whom
  FROM alert
  CROSS JOIN LATERAL (
    SELECT alert_action.at, alert_action.by_whom
    FROM alert_action
    WHERE alert_action.alert = alert.alert_id AND alert_action.action = 'acknowledged'
    ORDER BY alert_action.at DESC
    LIMIT 1
  ) AS taken
  WHERE alert.ends_at IS NULL AND alert.alertname IN (
    'LivemonRoomDropped', 'LivemonRoomLost', 'LivemonRoomsDroppedMany', 'LivemonHallOutage', 'LivemonPlatformOutage'
  )
)
SELECT
  stopped.state_code, stop.at AS stopped_at, extract(epoch FROM now() - stop.at) AS down_s, stopped.tier, stopped.hall,
  stopped.anchor, stopped.platform, stopped.external_id, before.viewers AS viewers_before, stopped.contact,
  holder.by_whom AS holder, CASE WHEN stopped.expected THEN stopped.slot_ends_at END AS slot_ends_at, stopped.room_id,
  coalesce(nullif(regexp_replace(stopped.hall, '[]"[''\\^$.|?*+(){}`]', '.', 'g'), ''), '.*') AS hall_pattern
FROM stopped
LEFT JOIN LATERAL (
  SELECT session_change.at
  FROM session_change
  WHERE session_change.room_id = stopped.room_id AND session_change.change = 'dropped'
  ORDER BY session_change.at DESC
  LIMIT 1
) AS stop ON true
LEFT JOIN LATERAL (
  SELECT tick.viewers
  FROM viewer_tick AS tick
  WHERE tick.room_id = stopped.room_id AND tick.at < stop.at AND tick.at >= stop.at - interval '5 minutes'
    AND tick.viewers IS NOT NULL AND tick.live IS NOT FALSE
  ORDER BY tick.at DESC
  LIMIT 1
) AS before ON true
LEFT JOIN LATERAL (
  SELECT held.by_whom
  FROM held
  WHERE held.platform = stopped.platform
    AND (held.external_id = stopped.external_id OR held.external_id = '' AND held.hall IN ('', stopped.hall))
  ORDER BY held.external_id = '', held.hall = '', held.at DESC
  LIMIT 1
) AS holder ON true
ORDER BY stopped.expected DESC, stopped.tier NULLS LAST, stop.at DESC NULLS LAST, stopped.room_id
