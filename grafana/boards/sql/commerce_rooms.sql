SELECT
  room_id, anchor, platform, hall, city, category, gmv, orders,
  in_major(round(gmv_minor::numeric / nullif(orders, 0))::bigint, currency) AS order_value, refunds, net, average_viewers,
  in_major(round(gmv_minor / nullif(watch_hours, 0))::bigint, currency) AS watch_hour_value
FROM room_day
WHERE day = {{day_shown}} AND platform ~ '^(${platform:pipe})$' AND hall ~ '^(${hall:pipe})$' AND gmv_minor <> 0
ORDER BY gmv_minor DESC, room_id
LIMIT 50
