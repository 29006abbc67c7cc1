-- The event minute by minute, a row for each platform. 全场分钟数据。
SELECT * FROM event_minute
WHERE minute >= coalesce($1::timestamptz, '-infinity') AND minute < coalesce($2::timestamptz, 'infinity')
ORDER BY minute, platform
