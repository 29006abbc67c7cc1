-- Who is shown is chosen by urgency and tier alone: whatever needs the ticks of 12,000 rooms would be asked of all of them.
SELECT shown.*, newest.at AS last_tick_at, newest.views_total
FROM (
  SELECT state_code, since, hall, anchor, platform, external_id, viewers, kbps,
    CASE WHEN expected THEN '«是|yes»' ELSE '' END AS expected, slot_starts_at, slot_ends_at, contact, room_id
  FROM room_now
  WHERE hall ~ '^(${hall:pipe})$'
  ORDER BY array_position(ARRAY[4, 2, 3, 5, 1, 0], state_code), tier, external_id
  LIMIT 500
) AS shown
LEFT JOIN LATERAL newest_tick(shown.room_id) AS newest ON true
