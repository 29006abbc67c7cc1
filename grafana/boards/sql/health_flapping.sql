WITH counted AS (
  SELECT drop_log.room_id, drop_log.dropped_at,
    count(*) OVER (
      PARTITION BY drop_log.room_id ORDER BY drop_log.dropped_at
      RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW
    ) AS within
  {{health_drops}}
)
SELECT
  room.anchor, room.platform, room.hall, room.external_id, max(counted.within) AS within, count(*) AS drops,
  max(counted.dropped_at) AS latest_at, room.contact, room.room_id
FROM counted
JOIN room ON room.room_id = counted.room_id
GROUP BY room.room_id
HAVING max(counted.within) >= 3
ORDER BY within DESC, drops DESC, latest_at DESC
LIMIT 50
