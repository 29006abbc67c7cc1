-- The last minute that is whole and summed, and the same of the day before.
SELECT
    timezone, newest.minute AS this_minute,
    (newest.minute AT TIME ZONE timezone - interval '1 day') AT TIME ZONE timezone AS that_minute
  FROM setting
  CROSS JOIN (
    SELECT max(minute) AS minute FROM event_minute
    WHERE minute > now() - interval '15 minutes' AND minute <= now() - interval '75 seconds'
  ) AS newest
