WITH clock AS MATERIALIZED (
  {{wall_clock}}
), told AS (
  SELECT
    coalesce(sum(summed.{{counted}}) FILTER (WHERE summed.minute >= clock.today_at), 0) AS number,
    coalesce(sum(summed.{{counted}}) FILTER (WHERE summed.minute < clock.that_minute), 0)
      + coalesce(sum(summed.{{counted}}) FILTER (WHERE summed.minute = clock.that_minute), 0) * min(clock.that_part) AS before
  FROM clock
  JOIN event_minute AS summed
    ON summed.minute >= clock.yesterday_at AND summed.minute <= now()
    AND (summed.minute >= clock.today_at OR summed.minute <= clock.that_minute)
    AND summed.minute >= clock.event_from AND summed.minute < clock.event_to
)
SELECT
  now() AS time, {{until}} || {{change}} AS metric, CASE WHEN as_of >= today_at THEN {{shown}} END AS value
FROM told
CROSS JOIN clock
