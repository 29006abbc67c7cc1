WITH clock AS MATERIALIZED (
  {{wall_curve_clock}}
), told AS (
  {{wall_curve_minutes}}
)
SELECT
  date_bin('5 minutes', told.at, clock.from_at) + interval '5 minutes' AS time, told.metric,
  round(sum(told.viewers) / count(DISTINCT told.minute)) AS value
FROM told
CROSS JOIN clock
GROUP BY 1, 2
ORDER BY 1, 2
