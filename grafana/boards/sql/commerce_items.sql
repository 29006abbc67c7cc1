SELECT title, item_id, platform, units, orders, gmv
FROM item_day
WHERE day = {{day_shown}} AND platform ~ '^(${platform:pipe})$'
ORDER BY gmv_minor DESC NULLS LAST, units DESC NULLS LAST, platform, item_id
LIMIT 50
