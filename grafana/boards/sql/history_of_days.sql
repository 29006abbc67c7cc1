-- Days that the span touches, the last 31 at most: as they are known now, and as they were fixed at 00:15 of the next day.
-- A platform that is not in the cut of a day that was cut had sold nothing by then.
days AS MATERIALIZED (
  SELECT event_date($__timeTo()::timestamptz) - back AS day
  FROM generate_series(0, least(30, event_date($__timeTo()::timestamptz) - event_date($__timeFrom()::timestamptz))) AS back
), known AS (
  SELECT told.day, told.platform, told.orders, told.gmv_minor, told.refunds_minor, told.currency
  FROM days
  CROSS JOIN setting
  CROSS JOIN LATERAL event_day(days.day) AS told
  WHERE told.currency = setting.event_currency AND told.platform ~ '^(${platform:pipe})$'
), fixed AS (
  SELECT day, max(as_of) AS cut_at FROM day_cut WHERE day IN (SELECT day FROM days) GROUP BY day
), cut AS (
  SELECT day_cut.day, day_cut.platform, day_cut.orders, day_cut.gmv_minor, day_cut.refunds_minor, day_cut.currency
  FROM day_cut
  CROSS JOIN setting
  WHERE day_cut.day IN (SELECT day FROM days) AND day_cut.currency = setting.event_currency
    AND day_cut.platform ~ '^(${platform:pipe})$'
), beside AS (
  SELECT
    day, platform, fixed.cut_at, coalesce(known.currency, cut.currency) AS currency,
    coalesce(known.orders, 0) AS orders, coalesce(known.gmv_minor, 0) AS gmv_minor,
    coalesce(known.refunds_minor, 0) AS refunds_minor,
    CASE WHEN fixed.cut_at IS NOT NULL THEN coalesce(cut.orders, 0) END AS cut_orders,
    CASE WHEN fixed.cut_at IS NOT NULL THEN coalesce(cut.gmv_minor, 0) END AS cut_gmv_minor,
    CASE WHEN fixed.cut_at IS NOT NULL THEN coalesce(cut.refunds_minor, 0) END AS cut_refunds_minor
  FROM known
  FULL JOIN cut USING (day, platform)
  LEFT JOIN fixed USING (day)
)
