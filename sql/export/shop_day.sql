-- Each shop by days, as above. 店铺日数据。
SELECT * FROM shop_day
WHERE day >= coalesce(event_date($1::timestamptz), '-infinity')
    AND day <= coalesce(event_date($2::timestamptz - interval '1 microsecond'), 'infinity')
ORDER BY day, platform, shop
