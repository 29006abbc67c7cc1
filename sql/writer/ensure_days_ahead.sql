-- Partitions stand ready from seven days back (late ticks) to two days ahead. Returns until when they do.
SELECT bool_or(ensure_tick_day(event_date(now()) + n)) AS made, ticks_ready_until() AS ready_until
FROM generate_series(-7, 2) AS n
