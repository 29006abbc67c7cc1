-- Of the minute that yesterday was under way at this time, its part until then.
WITH clock AS MATERIALIZED (
  {{wall_clock}}
), told AS (
  SELECT
    coalesce(sum(summed.{{counted}}) FILTER (WHERE summed.minute >= clock.today_at), 0) AS number,
    sum(summed.{{counted}} * least(1, extract(epoch FROM clock.yesterday_until - summed.minute) / 60))
      FILTER (WHERE summed.minute < clock.today_at) AS before
  FROM clock
  JOIN event_minute AS summed
    ON summed.minute >= clock.yesterday_at AND summed.minute <= now()
    AND (summed.minute >= clock.today_at OR summed.minute < clock.yesterday_until)
    AND summed.minute >= clock.event_from AND summed.minute < clock.event_to
)
SELECT
  now() AS time, {{until}} || {{change}} AS metric, CASE WHEN as_of >= today_at THEN {{shown}} END AS value
FROM told
CROSS JOIN clock
