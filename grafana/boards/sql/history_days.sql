WITH {{history_of_days}}, people AS (
  SELECT
    (minute AT TIME ZONE (SELECT timezone FROM setting))::date AS day, sum(viewers) / 60 AS watch_hours, sum(drops) AS drops
  FROM event_minute
  WHERE minute >= day_starts_at((SELECT min(day) FROM days)) AND minute < day_starts_at((SELECT max(day) FROM days) + 1)
    AND platform ~ '^(${platform:pipe})$'
  GROUP BY 1
), money AS (
  SELECT
    day, max(cut_at) AS cut_at, min(currency) AS currency, sum(orders) AS orders, sum(gmv_minor)::bigint AS gmv_minor,
    sum(refunds_minor)::bigint AS refunds_minor, sum(cut_gmv_minor)::bigint AS cut_gmv_minor
  FROM beside
  GROUP BY day
)
SELECT
  to_char(days.day, 'YYYY-MM-DD') AS day, in_major(gmv_minor, currency) AS gmv, in_major(cut_gmv_minor, currency) AS cut_gmv,
  in_major(gmv_minor - cut_gmv_minor, currency) AS late_gmv, in_major(refunds_minor, currency) AS refunds,
  in_major(gmv_minor - refunds_minor, currency) AS net, orders, round(watch_hours, 1) AS watch_hours, drops, cut_at,
  (extract(epoch FROM day_starts_at(days.day)) * 1000)::bigint::text AS from_ms,
  (extract(epoch FROM day_starts_at(days.day + 1)) * 1000 - 1)::bigint::text AS to_ms
FROM days
LEFT JOIN money ON money.day = days.day
LEFT JOIN people ON people.day = days.day
WHERE money.day IS NOT NULL OR people.day IS NOT NULL
ORDER BY days.day DESC
