SELECT currency::text AS currency, platform, orders, gmv, refunds, net
FROM event_day({{day_shown}})
WHERE platform ~ '^(${platform:pipe})$'
ORDER BY currency = (SELECT event_currency FROM setting), currency, gmv_minor DESC, platform
LIMIT 100
