-- The planned broadcasts, if any part of them is in the window. 排期。
SELECT schedule.starts_at, schedule.ends_at, schedule.room_id, room.platform, room.external_id, room.anchor, room.hall
FROM schedule
JOIN room ON room.room_id = schedule.room_id
WHERE schedule.starts_at < coalesce($2::timestamptz, 'infinity')
    AND schedule.ends_at > coalesce($1::timestamptz, '-infinity')
ORDER BY schedule.starts_at, schedule.room_id
