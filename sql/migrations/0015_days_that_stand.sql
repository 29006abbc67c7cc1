-- A day that stands already is found without a lock. The roller asks for the days of its minutes inside the transaction
-- that sums them, and so held the lock as long: each ten minutes the writer asks for the days ahead, and while the
-- roller was slow it was blocked, for as long as that took.
-- Not by to_regclass: it would remember that there is none, also after another one made it while we wait for the lock.
CREATE OR REPLACE FUNCTION ensure_tick_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = livemon, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    zone text := (SELECT timezone FROM setting);
    from_at timestamptz := day::timestamp AT TIME ZONE zone;
    to_at timestamptz := (day + 1)::timestamp AT TIME ZONE zone;
    name text := 'tick_raw_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF day IS NULL OR day < current_date - 400 OR day > current_date + 400 THEN
        RAISE EXCEPTION 'a day of ticks must be within 400 days of today, not %', day USING ERRCODE = '22008';
    END IF;
    IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'livemon'::regnamespace AND relname = name) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('livemon.ensure_tick_day'));
    IF to_regclass('livemon.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE tick_raw INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', name);
    -- With the range already proved by a CHECK, ATTACH need not scan (the table is empty all the same).
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT in_day CHECK (at >= %L AND at < %L)', name, from_at, to_at);
    EXECUTE format('ALTER TABLE tick_raw ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, from_at, to_at);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT in_day', name);
    RETURN true;
END
$$;
CREATE OR REPLACE FUNCTION ensure_minute_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = livemon, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    zone text := (SELECT timezone FROM setting);
    from_at timestamptz := day::timestamp AT TIME ZONE zone;
    to_at timestamptz := (day + 1)::timestamp AT TIME ZONE zone;
    name text := 'session_minute_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF day IS NULL OR day < current_date - 400 OR day > current_date + 400 THEN
        RAISE EXCEPTION 'a day of minutes must be within 400 days of today, not %', day USING ERRCODE = '22008';
    END IF;
    IF EXISTS (SELECT FROM pg_class WHERE relnamespace = 'livemon'::regnamespace AND relname = name) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('livemon.ensure_minute_day'));
    IF to_regclass('livemon.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE session_minute INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', name);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT in_day CHECK (minute >= %L AND minute < %L)', name, from_at, to_at);
    EXECUTE format('ALTER TABLE session_minute ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, from_at, to_at);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT in_day', name);
    RETURN true;
END
$$;
