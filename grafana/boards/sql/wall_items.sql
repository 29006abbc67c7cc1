SELECT left(title, 18) || ' · ' || {{platform_name}} AS item, units
FROM item_day AS summed
WHERE day = (SELECT event_date(now())) AND units > 0
ORDER BY units DESC, gmv_minor DESC NULLS LAST, item_id
LIMIT 5
