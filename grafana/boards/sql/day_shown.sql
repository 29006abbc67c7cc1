-- The day of the event's zone in which the span ends, or today.
(SELECT event_date(least($__timeTo()::timestamptz, now()) - interval '1 microsecond'))
