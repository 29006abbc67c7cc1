-- The columns of every comparison.
in_major(sum(gmv_minor)::bigint, currency) AS gmv,
  sum(gmv_minor) / nullif(sum(sum(gmv_minor)) OVER (), 0) AS share,
  sum(orders)::int AS orders,
  in_major(round(sum(gmv_minor) / nullif(sum(orders), 0))::bigint, currency) AS order_value,
  in_major(sum(refunds_minor)::bigint, currency) AS refunds,
  sum(refunds_minor) / nullif(sum(gmv_minor), 0) AS refund_ratio,
  in_major(sum(gmv_minor - refunds_minor)::bigint, currency) AS net,
  in_major(round(sum(gmv_minor) * 60 / nullif(sum(viewers), 0))::bigint, currency) AS watch_hour_value
