SELECT
  room.anchor, room.platform, room.hall, room.city, room.external_id, count(*) AS drops, sum(drop_log.down_s) AS down_s,
  max(drop_log.down_s) AS longest_s,
  round(sum(drop_log.viewers_before * drop_log.down_s) / 3600, 1) AS lost_hours,
  max(drop_log.dropped_at) AS latest_at, room.contact, room.room_id
{{health_drops}}
GROUP BY room.room_id
ORDER BY lost_hours DESC NULLS LAST, down_s DESC NULLS LAST, drops DESC, room.room_id
LIMIT 10
