-- Partitions stand ready from seven days back (late ticks) to two days ahead. Returns until when those of ticks do.
SELECT
    bool_or(ensure_tick_day(event_date(now()) + n)) AS made, bool_or(ensure_minute_day(event_date(now()) + n)) AS made_minutes,
    ticks_ready_until() AS ready_until
FROM generate_series(-7, 2) AS n
