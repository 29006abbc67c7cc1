-- Every change of every session: opened, dropped, resumed, closed. 场次变化。
SELECT
    change.at, room.platform, room.external_id, change.room_id, change.session_id, change.number, change.change,
    change.cause
FROM session_change AS change
LEFT JOIN room ON room.room_id = change.room_id
WHERE change.at >= coalesce($1::timestamptz, '-infinity') AND change.at < coalesce($2::timestamptz, 'infinity')
ORDER BY change.at, change.session_id, change.number
