WITH clock AS MATERIALIZED (
  {{wall_clock}}
), told AS (
  SELECT
    sum(summed.{{counted}}) AS number,
    sum(summed.{{counted}} * least(1, extract(epoch FROM clock.yesterday_until - summed.minute) / 60))
      FILTER (WHERE summed.minute < clock.yesterday_until) AS before
  FROM clock
  JOIN event_minute AS summed
    ON summed.minute >= clock.event_from AND summed.minute < clock.event_to AND summed.minute <= now()
)
SELECT now() AS time, {{until}} || {{change}} AS metric, {{shown}} AS value
FROM told
CROSS JOIN clock
