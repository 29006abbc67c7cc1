WITH clock AS MATERIALIZED (
  {{wall_clock}}
), told AS (
  SELECT
    sum(summed.{{counted}}) AS number,
    coalesce(sum(summed.{{counted}}) FILTER (WHERE summed.minute < clock.that_minute), 0)
      + coalesce(sum(summed.{{counted}}) FILTER (WHERE summed.minute = clock.that_minute), 0) * min(clock.that_part) AS before
  FROM clock
  JOIN event_minute AS summed
    ON summed.minute >= clock.event_from AND summed.minute < clock.event_to AND summed.minute <= now()
)
SELECT now() AS time, {{until}} || {{change}} AS metric, {{shown}} AS value
FROM told
CROSS JOIN clock
