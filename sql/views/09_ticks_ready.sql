-- Until when days of ticks can be written without a hole, counted from today; the start of today if even that is missing. A table
-- of that name is not enough: one that was detached, or is being detached, takes no tick.
-- Volatile, so that it sees days that the same statement has just made (writer/ensure_days_ahead).
CREATE OR REPLACE FUNCTION ticks_ready_until() RETURNS timestamptz
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = livemon, pg_temp AS $$
    SELECT (min(day)::timestamp AT TIME ZONE (SELECT timezone FROM setting))
    FROM generate_series(event_date(now()), event_date(now()) + 400, interval '1 day') AS days (day)
    WHERE NOT EXISTS (
        SELECT FROM pg_inherits
        WHERE inhrelid = to_regclass('livemon.tick_raw_' || to_char(day, 'YYYYMMDD'))
            AND inhparent = 'livemon.tick_raw'::regclass AND NOT inhdetachpending
    )
$$;
