-- History: exact sums by minute and hour, kept by the roller (monitor/history/roller.py), and figures of days as they stood.
-- What changes the past says so in minute_touched; the roller computes the touched minutes anew from what was observed.

-- Plain rows without a key: batches insert in passing and never wait for each other. The roller deletes them first and
-- computes in the next statement of the same READ COMMITTED transaction: a mark that comes in between is done again.
-- With `until` a mark stands for every minute up to then; the roller spreads those first. Never truncated by vacuum: that
-- would take the lock which batches wait for.
CREATE TABLE minute_touched (
    minute timestamptz NOT NULL,
    platform text NOT NULL,
    until timestamptz
) WITH (vacuum_truncate = false);

-- What each session did in each minute; sales of a room outside any session have a NULL session. Instants are cut at the
-- minute's edges, so that sums over minutes are the session's own. Microseconds, so that nothing is ever rounded:
-- air: inside the session, not stopped. blind: inside the session, seen by no feed that could. measured: seconds for which
-- a number of viewers is known (it holds until the next one, at most 60 s, never into a stop or a blind span).
CREATE TABLE session_minute (
    minute timestamptz NOT NULL,
    platform text NOT NULL,
    room_id int NOT NULL,
    session_id uuid,
    air_us bigint NOT NULL,
    blind_us bigint NOT NULL,
    measured_us bigint NOT NULL,
    viewer_us bigint NOT NULL, -- viewers x microseconds held
    peak_viewers int, -- the highest observed in this minute
    views_total bigint, -- the highest running totals observed in it
    likes_total bigint,
    drops smallint NOT NULL, -- stops that began in it and were resumed or lost
    created int NOT NULL, -- order events of this minute, in the event's currency
    orders int NOT NULL, -- paid, distinct
    gmv_minor bigint NOT NULL,
    units int NOT NULL,
    refunds int NOT NULL,
    refunds_minor bigint NOT NULL,
    gifts int NOT NULL,
    gifts_minor bigint NOT NULL,
    orders_other_currency int NOT NULL
) PARTITION BY RANGE (minute);
CREATE INDEX session_minute_room ON session_minute (room_id, minute);
CREATE INDEX session_minute_session ON session_minute (session_id, minute);
CREATE INDEX session_minute_platform ON session_minute (minute, platform);

-- The same by hours of the event's zone (`day`, and `hour`: its beginning, so many hours after that of the day). This is
-- what days, weeks, leaderboards and sessions are summed from. `peak_at`: the first minute with that peak.
CREATE TABLE session_hour (
    day date NOT NULL,
    hour timestamptz NOT NULL,
    platform text NOT NULL,
    room_id int NOT NULL,
    session_id uuid,
    air_us bigint NOT NULL,
    blind_us bigint NOT NULL,
    measured_us bigint NOT NULL,
    viewer_us bigint NOT NULL,
    peak_viewers int,
    peak_at timestamptz,
    views_total bigint,
    likes_total bigint,
    drops int NOT NULL,
    created int NOT NULL,
    orders int NOT NULL,
    gmv_minor bigint NOT NULL,
    units int NOT NULL,
    refunds int NOT NULL,
    refunds_minor bigint NOT NULL,
    gifts int NOT NULL,
    gifts_minor bigint NOT NULL,
    orders_other_currency int NOT NULL
);
CREATE INDEX session_hour_hour ON session_hour (hour, platform);
CREATE INDEX session_hour_day ON session_hour (day, room_id);
CREATE INDEX session_hour_room ON session_hour (room_id, hour);
CREATE INDEX session_hour_session ON session_hour (session_id) WHERE session_id IS NOT NULL;

-- Sums of each minute over all rooms of a platform, and by hall, city, category and tier (as text) of it. `dimension` is
-- platform (value is empty), hall, city, category or tier. Money of sales without a room is in the platform's row, and in
-- those of the hall and city on which the rows of its shop agree (sale_place). Viewers of a minute: viewer_us / 60e6.
CREATE TABLE minute_sum (
    minute timestamptz NOT NULL,
    platform text NOT NULL,
    dimension text NOT NULL CHECK (dimension IN ('platform', 'hall', 'city', 'category', 'tier')),
    value text NOT NULL,
    rooms_live int NOT NULL, -- rooms that were on air at some instant of the minute
    air_us bigint NOT NULL,
    blind_us bigint NOT NULL,
    measured_us bigint NOT NULL,
    viewer_us bigint NOT NULL,
    drops int NOT NULL,
    created int NOT NULL,
    orders int NOT NULL,
    gmv_minor bigint NOT NULL,
    units int NOT NULL,
    refunds int NOT NULL,
    refunds_minor bigint NOT NULL,
    gifts int NOT NULL,
    gifts_minor bigint NOT NULL,
    orders_other_currency int NOT NULL
);
CREATE INDEX minute_sum_minute ON minute_sum (minute, platform);
CREATE INDEX minute_sum_dimension ON minute_sum (dimension, minute);

-- A day's figures as they stood at 00:15 of the next day, written once per platform and never again.
CREATE TABLE day_cut (
    day date NOT NULL,
    platform text NOT NULL,
    as_of timestamptz NOT NULL,
    currency char(3) NOT NULL,
    orders int NOT NULL,
    gmv_minor bigint NOT NULL,
    created int NOT NULL,
    refunds int NOT NULL,
    refunds_minor bigint NOT NULL,
    gifts int NOT NULL,
    gifts_minor bigint NOT NULL,
    PRIMARY KEY (day, platform, currency)
);

-- A platform's own running total of a room's money (WeChat's total_gmv): kept beside ours and compared, never added.
CREATE TABLE platform_total (
    room_id int NOT NULL,
    at timestamptz NOT NULL,
    session_id uuid,
    gmv_minor bigint NOT NULL,
    currency char(3) NOT NULL,
    PRIMARY KEY (room_id, at)
);

-- How far the roller is: everything before `closed_until` whose marks are done is summed.
CREATE TABLE roll_state (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    rolled_at timestamptz NOT NULL DEFAULT now(),
    oldest_mark timestamptz
);
INSERT INTO roll_state DEFAULT VALUES;

-- Days of session_minute, made in the same way and by the same caller as those of tick_raw (0001).
CREATE FUNCTION ensure_minute_day(day date) RETURNS boolean
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
-- The beginning of the hour of the event's zone in which an instant lies: whole hours after the beginning of its day.
CREATE FUNCTION event_hour(instant timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT date_bin('1 hour', instant,
        (livemon.event_date(instant))::timestamp AT TIME ZONE (SELECT timezone FROM livemon.setting))
$$;
REVOKE ALL ON FUNCTION ensure_minute_day(date) FROM PUBLIC;

-- Which sessions and blind spans lie over a minute, and which feeds see a room: asked for each minute that is summed.
CREATE INDEX session_span ON session USING gist (
    tstzrange(opened_at, CASE WHEN closed_at IS NOT NULL THEN greatest(closed_at, opened_at) END)
);
CREATE INDEX blind_span ON blind USING gist (
    tstzrange(from_at, CASE WHEN to_at IS NOT NULL THEN greatest(to_at, from_at) END)
);
CREATE INDEX feed_room_room ON feed_room (room_id);
