WITH {{history_of_days}}
SELECT
  to_char(day, 'YYYY-MM-DD') AS day, platform, orders - cut_orders AS late_orders,
  in_major(gmv_minor - cut_gmv_minor, currency) AS late_gmv, in_major(cut_gmv_minor, currency) AS cut_gmv,
  in_major(refunds_minor - cut_refunds_minor, currency) AS late_refunds
FROM beside
WHERE orders <> cut_orders OR gmv_minor <> cut_gmv_minor OR refunds_minor <> cut_refunds_minor
ORDER BY beside.day DESC, platform
LIMIT 200
