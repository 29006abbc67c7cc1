SELECT
  max(title) AS title, platform, sum(units) AS units, sum(orders) AS orders,
  in_major(sum(gmv_minor)::bigint, min(currency)) AS gmv, item_id
FROM item_day
WHERE day >= event_date($__timeFrom()::timestamptz) AND day <= event_date($__timeTo()::timestamptz)
  AND platform ~ '^(${platform:pipe})$'
GROUP BY platform, item_id
ORDER BY sum(units) DESC NULLS LAST, sum(gmv_minor) DESC NULLS LAST, platform, item_id
LIMIT 50
