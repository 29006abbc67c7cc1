SELECT
  shop, platform, gmv, orders, in_major(aov_minor, currency) AS order_value, buyers, units, refunds, net
FROM shop_day
WHERE day = {{day_shown}} AND platform ~ '^(${platform:pipe})$'
ORDER BY gmv_minor DESC, platform, shop
LIMIT 50
