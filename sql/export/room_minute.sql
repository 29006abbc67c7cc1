-- Each room minute by minute; in no order. 直播间分钟数据。
SELECT * FROM room_minute
WHERE minute >= coalesce($1::timestamptz, '-infinity') AND minute < coalesce($2::timestamptz, 'infinity')
