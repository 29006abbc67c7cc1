-- The span that is shown and the one a day before it, in the event's zone and window.
SELECT
    timezone, event_currency AS currency, coalesce(event_starts_at, '-infinity') AS event_from,
    coalesce(event_ends_at, 'infinity') AS event_to, $__timeFrom()::timestamptz AS from_at,
    least($__timeTo()::timestamptz, date_bin('5 minutes', now() - interval '15 seconds', $__timeFrom()::timestamptz)) AS to_at,
    ($__timeFrom()::timestamptz AT TIME ZONE timezone - interval '1 day') AT TIME ZONE timezone AS before_from,
    ($__timeTo()::timestamptz AT TIME ZONE timezone - interval '1 day') AT TIME ZONE timezone AS before_to
  FROM setting
