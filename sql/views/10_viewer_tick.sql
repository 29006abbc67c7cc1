-- Every observation of every room, and the same rows of one span of time.
CREATE OR REPLACE VIEW viewer_tick AS
SELECT
    at,
    date_bin('1 hour', at, timestamptz '2000-01-01 00:00:00+00') AS hour,
    room_id, live, viewers, views_total, likes_total, kbps
FROM tick_raw;
COMMENT ON VIEW viewer_tick IS
    'One row per observation of one room at one instant, as a feed reported it. Limit "at" (and "hour") in every query: '
    'days outside are then not read. Source: the feeds, by way of the spool.';
COMMENT ON COLUMN viewer_tick.at IS 'The instant the observation speaks of, never that of its arrival.';
COMMENT ON COLUMN viewer_tick.hour IS 'The hour of "at", cut in UTC.';
COMMENT ON COLUMN viewer_tick.live IS 'True on air, false off air, NULL: this observation does not say.';
COMMENT ON COLUMN viewer_tick.viewers IS 'People watching at this instant; NULL: this observation does not say, zero: nobody.';
COMMENT ON COLUMN viewer_tick.views_total IS 'The platform''s running total of visits (场观), as reported.';
COMMENT ON COLUMN viewer_tick.likes_total IS 'The platform''s running total of likes, as reported.';
COMMENT ON COLUMN viewer_tick.kbps IS 'Bit rate of the incoming stream in kbit/s, from own servers.';

-- Plain SQL, STABLE, no SET, not SECURITY DEFINER: so the planner writes it into the query that calls it, and prunes.
-- The columns are listed and not SETOF viewer_tick, so that the view can be made anew while the function stands.
CREATE OR REPLACE FUNCTION ticks(from_at timestamptz, to_at timestamptz)
RETURNS TABLE (
    at timestamptz, hour timestamptz, room_id int, live boolean, viewers int, views_total bigint, likes_total bigint,
    kbps int
)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS $$
    SELECT tick.at, tick.hour, tick.room_id, tick.live, tick.viewers, tick.views_total, tick.likes_total, tick.kbps
    FROM livemon.viewer_tick AS tick
    WHERE tick.at >= from_at AND tick.at < to_at
$$;
COMMENT ON FUNCTION ticks(timestamptz, timestamptz) IS
    'The rows of viewer_tick with from_at <= at < to_at. Reads only the days it must.';
