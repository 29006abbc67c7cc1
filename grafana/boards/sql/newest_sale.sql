-- Per platform: until when its sales are in the sums, which is its newest sale that was applied, unless the roller is
-- behind. To the second within two minutes, else to the minute; no row: nothing was sold within a day.
SELECT summed.platform, CASE
    WHEN told.at IS NULL THEN summed.minute
    ELSE least(told.at, summed.minute + interval '1 minute')
  END AS as_of
FROM (
  SELECT platform, max(minute) AS minute
  FROM event_minute
  WHERE minute > now() - interval '1 day' AND minute <= now()
    AND (orders > 0 OR created_orders > 0 OR refund_orders > 0 OR gifts_minor > 0)
  GROUP BY platform
) AS summed
LEFT JOIN (
  SELECT platform, max(at) AS at
  FROM sale
  WHERE at > now() - interval '2 minutes' AND at <= now()
  GROUP BY platform
) AS told USING (platform)
