-- The same by hall, city, category and tier of each platform. 分场馆、城市、类目的分钟数据。
SELECT * FROM event_minute_by
WHERE minute >= coalesce($1::timestamptz, '-infinity') AND minute < coalesce($2::timestamptz, 'infinity')
ORDER BY minute, platform, dimension, value
