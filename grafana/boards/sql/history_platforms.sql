WITH span AS (
  {{history_span}}
), summed AS (
  SELECT
    platform, min(currency) AS currency, max(minute) FILTER (WHERE sold) AS sold_at,
    max(rooms_live) AS rooms_live, max(viewers) AS peak_viewers, sum(viewers) / 60 AS watch_hours,
    sum(air_s) / 3600 AS air_hours, sum(blind_s) / 3600 AS blind_hours, sum(drops) AS drops,
    sum(orders) AS orders, sum(gmv_minor) AS gmv_minor, sum(refunds_minor) AS refunds_minor
  FROM span
  GROUP BY platform
)
SELECT
  platform, in_major(gmv_minor::bigint, currency) AS gmv,
  gmv_minor / nullif(sum(gmv_minor) OVER (), 0) AS gmv_share,
  in_major((gmv_minor - refunds_minor)::bigint, currency) AS net, in_major(refunds_minor::bigint, currency) AS refunds,
  orders, rooms_live, round(peak_viewers) AS peak_viewers, round(watch_hours, 1) AS watch_hours,
  round(air_hours, 1) AS air_hours, round(blind_hours, 1) AS blind_hours, drops, sold_at
FROM summed
ORDER BY gmv_minor DESC, platform
