WITH told AS (
  SELECT
    sum(orders) AS orders, sum(gmv_minor)::bigint AS gmv_minor, sum(refund_orders) AS refund_orders,
    sum(refunds_minor)::bigint AS refunds_minor
  FROM (
  {{sold}}
  ) AS sold
), newest AS (
  SELECT max(as_of) AS as_of FROM (
  {{newest_sale}}
  ) AS platforms
  WHERE platform ~ '^(${platform:pipe})$'
)
SELECT now() AS time, {{until}} AS metric, {{shown}} AS value
FROM told
CROSS JOIN newest
CROSS JOIN (SELECT timezone, event_currency AS currency FROM setting) AS setting
