-- A day that stands already is found without a lock. The roller asks for the days of its minutes inside the transaction
-- that sums them, and so held the lock as long: each ten minutes the writer asks for the days ahead, and while the
-- roller was slow it was blocked, for as long as that took.
ALTER FUNCTION ensure_tick_day(date) RENAME TO make_tick_day;
ALTER FUNCTION ensure_minute_day(date) RENAME TO make_minute_day;
-- Not by to_regclass: it would remember that there is none, also after another one made it while we wait for the lock.
CREATE FUNCTION day_stands(of_table text, day date) RETURNS boolean
LANGUAGE sql STABLE SET search_path = livemon, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_class WHERE relnamespace = 'livemon'::regnamespace AND relname = of_table || '_' || to_char(day, 'YYYYMMDD')
    )
$$;
CREATE FUNCTION ensure_tick_day(day date) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = livemon, pg_temp AS $$
    SELECT CASE WHEN day_stands('tick_raw', day) THEN false ELSE make_tick_day(day) END
$$;
CREATE FUNCTION ensure_minute_day(day date) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = livemon, pg_temp AS $$
    SELECT CASE WHEN day_stands('session_minute', day) THEN false ELSE make_minute_day(day) END
$$;
REVOKE ALL ON FUNCTION day_stands(text, date), ensure_tick_day(date), ensure_minute_day(date) FROM PUBLIC;
