-- Each item by days, as above. 商品日数据。
SELECT * FROM item_day
WHERE day >= coalesce(event_date($1::timestamptz), '-infinity')
    AND day <= coalesce(event_date($2::timestamptz - interval '1 microsecond'), 'infinity')
ORDER BY day, platform, item_id
