-- The minutes of both, those of the day before at the time of day that they had.
SELECT '«当天|this day»' AS metric, summed.minute AS at, summed.minute, summed.viewers, summed.gmv_minor
  FROM clock
  JOIN event_minute AS summed ON summed.minute >= clock.from_at AND summed.minute < clock.to_at
  UNION ALL
  SELECT
    '«前一天|the day before»', (summed.minute AT TIME ZONE clock.timezone + interval '1 day') AT TIME ZONE clock.timezone,
    summed.minute, summed.viewers, summed.gmv_minor
  FROM clock
  JOIN event_minute AS summed ON summed.minute >= clock.before_from AND summed.minute < clock.before_to
