-- A point holds what was sold until then, since the beginning of the span.
WITH clock AS MATERIALIZED (
  {{wall_curve_clock}}
), told AS (
  {{wall_curve_minutes}}
), binned AS (
  SELECT
    date_bin('5 minutes', told.at, clock.from_at) + interval '5 minutes' AS time, told.metric,
    sum(told.gmv_minor) FILTER (WHERE told.minute >= clock.event_from AND told.minute < clock.event_to) AS gmv_minor
  FROM told
  CROSS JOIN clock
  GROUP BY 1, 2
)
SELECT
  binned.time, binned.metric,
  in_major((sum(binned.gmv_minor) OVER (PARTITION BY binned.metric ORDER BY binned.time))::bigint, clock.currency) AS value
FROM binned
CROSS JOIN clock
ORDER BY binned.time, binned.metric
