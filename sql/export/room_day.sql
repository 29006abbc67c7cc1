-- Each room by days of the event; a day counts if any part of it is in the window. 直播间日数据。
SELECT * FROM room_day
WHERE day >= coalesce(event_date($1::timestamptz), '-infinity')
    AND day <= coalesce(event_date($2::timestamptz - interval '1 microsecond'), 'infinity')
ORDER BY day, room_id
