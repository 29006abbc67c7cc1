-- The day of the event's zone, as far as the event's window goes.
SELECT
    event_currency AS currency, timezone,
    greatest(day_starts_at(event_date(now())), event_starts_at) AS from_at,
    least(day_starts_at(event_date(now()) + 1), event_ends_at) AS to_at
  FROM setting
