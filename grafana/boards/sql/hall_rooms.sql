SELECT state_code, since, hall, anchor, platform, external_id, viewers, views_total, kbps,
  CASE WHEN expected THEN '«是|yes»' ELSE '' END AS expected, slot_starts_at, slot_ends_at, last_tick_at, contact, room_id
FROM room_now
WHERE hall ~ '^(${hall:pipe})$'
ORDER BY array_position(ARRAY[4, 2, 3, 5, 1, 0], state_code), viewers DESC NULLS LAST, external_id
LIMIT 500
