-- Minutes in which ticks came in, each with one room of the platform, as minutes since 1970. A number of viewers holds for
-- up to 60 s, so the minute after is touched, too.
INSERT INTO minute_touched (minute, platform)
SELECT DISTINCT to_timestamp(60 * (told.minute + later.n)), room.platform
FROM unnest($1::bigint[], $2::int[]) AS told (minute, room_id)
JOIN room ON room.room_id = told.room_id
CROSS JOIN generate_series(0, 1) AS later (n)
