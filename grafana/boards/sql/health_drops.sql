FROM drop_log
JOIN room ON room.room_id = drop_log.room_id
WHERE $__timeFilter(drop_log.dropped_at) AND room.platform ~ '^(${platform:pipe})$'
  AND room.hall ~ '^(${hall:pipe})$' AND room.city ~ '^(${city:pipe})$'
