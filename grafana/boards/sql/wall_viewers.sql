WITH clock AS MATERIALIZED (
  {{wall_minute}}
), told AS (
  SELECT
    sum(summed.viewers) FILTER (WHERE summed.minute = clock.this_minute) AS number,
    sum(summed.viewers) FILTER (WHERE summed.minute = clock.that_minute) AS before
  FROM clock
  JOIN event_minute AS summed ON summed.minute IN (clock.this_minute, clock.that_minute)
)
SELECT now() AS time, {{of_minute}} || {{change}} AS metric, round(number) AS value
FROM told
CROSS JOIN clock
