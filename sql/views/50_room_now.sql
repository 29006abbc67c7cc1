-- The newest observation of a room within a day. A room on air was heard within two minutes, and is looked for there first:
-- a look at the whole day would read a page full of its index entries for the last of them. What is rarely needed is not
-- SQL: it is planned once, not again in every question, for each day that there is.
CREATE OR REPLACE FUNCTION newest_of_day(of_room int) RETURNS TABLE (
    at timestamptz, viewers int, views_total bigint, likes_total bigint, kbps int
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 AS $$
BEGIN
    RETURN QUERY
    SELECT tick.at, tick.viewers, tick.views_total, tick.likes_total, tick.kbps
    FROM livemon.viewer_tick AS tick
    WHERE tick.room_id = of_room AND tick.at > now() - interval '1 day'
    ORDER BY tick.at DESC
    LIMIT 1;
END
$$;
COMMENT ON FUNCTION newest_of_day(int) IS 'What was observed last of a room, within a day; no row: nothing.';

CREATE OR REPLACE FUNCTION newest_tick(of_room int) RETURNS TABLE (
    at timestamptz, viewers int, views_total bigint, likes_total bigint, kbps int
)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS $$
    (
        SELECT tick.at, tick.viewers, tick.views_total, tick.likes_total, tick.kbps
        FROM livemon.viewer_tick AS tick
        WHERE tick.room_id = of_room AND tick.at > now() - interval '2 minutes' AND tick.at < now() + interval '1 minute'
        ORDER BY tick.at DESC
        LIMIT 1
    )
    UNION ALL
    SELECT day.at, day.viewers, day.views_total, day.likes_total, day.kbps FROM livemon.newest_of_day(of_room) AS day
    LIMIT 1
$$;
COMMENT ON FUNCTION newest_tick(int) IS 'What was observed last of a room, within a day; no row: nothing.';

-- Two feeds may each tell a part: the last value of each kind within a minute.
CREATE OR REPLACE FUNCTION told_lately(of_room int, until timestamptz) RETURNS TABLE (
    viewers int, views_total bigint, likes_total bigint, kbps int
)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 AS $$
BEGIN
    RETURN QUERY
    SELECT
        (array_agg(tick.viewers ORDER BY tick.at DESC) FILTER (WHERE tick.viewers IS NOT NULL))[1],
        (array_agg(tick.views_total ORDER BY tick.at DESC) FILTER (WHERE tick.views_total IS NOT NULL))[1],
        (array_agg(tick.likes_total ORDER BY tick.at DESC) FILTER (WHERE tick.likes_total IS NOT NULL))[1],
        (array_agg(tick.kbps ORDER BY tick.at DESC) FILTER (WHERE tick.kbps IS NOT NULL))[1]
    FROM livemon.viewer_tick AS tick
    WHERE tick.room_id = of_room AND tick.at > until - interval '1 minute' AND tick.at <= until;
END
$$;
COMMENT ON FUNCTION told_lately(int, timestamptz) IS 'The last value of each kind that was told of a room within the minute before an instant.';

-- Each active room as it stands, in the words and codes of livemon_room_state.
CREATE OR REPLACE VIEW room_now AS
SELECT
    room.room_id, room.platform, room.external_id, room.anchor, room.hall, room.city, room.category, room.tier,
    room.contact,
    (ARRAY['offline', 'live', 'dropped', 'blind', 'lost', 'unwatched'])[judged.state_code + 1] AS state,
    (ARRAY['未开播', '直播中', '断流', '看不见', '断流未恢复', '无数据源'])[judged.state_code + 1] AS state_zh,
    judged.state_code,
    CASE judged.state_code
        WHEN 0 THEN coalesce(lost.planned_end_at, session.closed_at)
        WHEN 1 THEN coalesce(change.at, session.opened_at)
        WHEN 2 THEN change.at
        WHEN 3 THEN CASE
            WHEN eyes.eyes > 0 AND eyes.shut = eyes.eyes THEN eyes.blind_since
            WHEN monitor.silent THEN monitor.heard_at
            ELSE eyes.watched_since
        END
        WHEN 4 THEN session.closed_at
        ELSE coalesce(eyes.unwatched_since, room.added_at)
    END AS since,
    CASE WHEN session.closed_at IS NULL THEN session.session_id END AS session_id,
    CASE WHEN session.closed_at IS NULL THEN session.opened_at END AS opened_at,
    -- What is looked up in ticks is looked up here, and only where it is asked for and shown: a board's LIMIT comes first.
    (SELECT newest.at FROM newest_tick(room.room_id) AS newest) AS last_tick_at,
    -- Two feeds may each tell a part; so the last value of each kind within a minute of the last tick.
    CASE WHEN judged.state_code = 1 THEN (
        SELECT coalesce(newest.viewers, (SELECT lately.viewers FROM told_lately(room.room_id, newest.at) AS lately))
        FROM newest_tick(room.room_id) AS newest
    ) WHEN judged.state_code NOT IN (3, 5) THEN 0 END AS viewers,
    (
        SELECT coalesce(newest.views_total, (SELECT lately.views_total FROM told_lately(room.room_id, newest.at) AS lately))
        FROM newest_tick(room.room_id) AS newest
    ) AS views_total,
    (
        SELECT coalesce(newest.likes_total, (SELECT lately.likes_total FROM told_lately(room.room_id, newest.at) AS lately))
        FROM newest_tick(room.room_id) AS newest
    ) AS likes_total,
    CASE WHEN judged.state_code = 1 THEN (
        SELECT coalesce(newest.kbps, (SELECT lately.kbps FROM told_lately(room.room_id, newest.at) AS lately))
        FROM newest_tick(room.room_id) AS newest
    ) WHEN judged.state_code NOT IN (3, 5) THEN 0 END AS kbps,
    coalesce(slot.starts_at <= now(), false) AS expected,
    slot.starts_at AS slot_starts_at,
    slot.ends_at AS slot_ends_at,
    sales.orders::int AS orders,
    sales.gmv_minor,
    in_major(sales.gmv_minor, setting.event_currency) AS gmv,
    setting.event_currency AS currency
FROM room
CROSS JOIN (
    -- The planner does not know that there is one row, and would plan for hundreds of times as many rooms.
    SELECT event_currency, (now() AT TIME ZONE timezone)::date AS today FROM setting LIMIT 1
) AS setting
CROSS JOIN (
    -- A monitor from which nothing has come for two minutes cannot see, whatever it said last.
    SELECT max(applied_at) AS heard_at, coalesce(max(applied_at) < now() - interval '2 minutes', false) AS silent
    FROM applied_batch
) AS monitor
CROSS JOIN (
    -- What is dark now, once for all rooms: few feeds. Single rooms of a feed are looked for only if there are any.
    SELECT
        array_agg(feed) FILTER (WHERE room_id IS NULL) AS feeds,
        array_agg(from_at) FILTER (WHERE room_id IS NULL) AS from_ats,
        coalesce(bool_or(room_id IS NOT NULL), false) AS single_rooms
    FROM blind
    WHERE to_at IS NULL
) AS dark
-- First, so that a question for the rooms that are expected looks at no others.
LEFT JOIN LATERAL (
    SELECT planned.starts_at, planned.ends_at
    FROM schedule AS planned
    WHERE planned.room_id = room.room_id AND planned.ends_at > now()
    ORDER BY planned.starts_at
    LIMIT 1
) AS slot ON true
LEFT JOIN LATERAL (
    SELECT latest.session_id, latest.opened_at, latest.closed_at, latest.close_reason
    FROM session AS latest
    WHERE latest.room_id = room.room_id
    ORDER BY latest.opened_at DESC
    LIMIT 1
) AS session ON true
LEFT JOIN LATERAL (
    SELECT latest.change, latest.at
    FROM session_change AS latest
    WHERE latest.session_id = session.session_id AND session.closed_at IS NULL -- of a closed one nothing of it is asked
    ORDER BY latest.number DESC
    LIMIT 1
) AS change ON true
LEFT JOIN LATERAL (
    -- A lost room stays lost until it is live again or its planned end has passed. Slots that touch are one; one that
    -- begins within minutes of the stop counts, too: grace ran out inside it.
    SELECT max(upper(missed.part)) AS planned_end_at
    FROM unnest((
        SELECT range_agg(tstzrange(schedule.starts_at, schedule.ends_at))
        FROM schedule
        WHERE session.close_reason = 'lost' AND schedule.room_id = room.room_id AND schedule.ends_at > session.closed_at
    )) AS missed (part)
    WHERE lower(missed.part) <= session.closed_at + interval '5 minutes'
    HAVING max(upper(missed.part)) <= now()
) AS lost ON true
LEFT JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE watch.open) AS feeds,
        count(*) FILTER (WHERE watch.open AND NOT watch.silent_by_nature) AS eyes,
        count(*) FILTER (WHERE watch.open AND NOT watch.silent_by_nature AND shut.from_at IS NOT NULL) AS shut,
        max(shut.from_at) FILTER (WHERE watch.open AND NOT watch.silent_by_nature) AS blind_since,
        min(watch.from_at) FILTER (WHERE watch.open) AS watched_since,
        max(watch.to_at) AS unwatched_since
    FROM (
        SELECT *, to_at IS NULL AND configured AS open FROM room_watch WHERE room_watch.room_id = room.room_id
    ) AS watch
    LEFT JOIN LATERAL (
        SELECT min(span.from_at) AS from_at
        FROM (
            SELECT told.from_at
            FROM unnest(dark.feeds, dark.from_ats) AS told (feed, from_at)
            WHERE watch.open AND told.feed = watch.feed
            UNION ALL
            SELECT blind.from_at
            FROM blind
            WHERE dark.single_rooms AND watch.open AND blind.to_at IS NULL
                AND blind.feed = watch.feed AND blind.room_id = room.room_id
        ) AS span
    ) AS shut ON true
) AS eyes ON true
LEFT JOIN LATERAL (
    SELECT coalesce(sum(summed.orders), 0) AS orders, coalesce(sum(summed.gmv_minor), 0)::bigint AS gmv_minor
    FROM session_hour AS summed
    WHERE summed.day = setting.today AND summed.room_id = room.room_id
) AS sales ON true
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN eyes.feeds = 0 THEN 5
        WHEN eyes.eyes > 0 AND (eyes.shut = eyes.eyes OR monitor.silent) THEN 3
        -- LIMIT, so that each of the few rooms is looked up: else all ticks of the day may be read into a hash for them.
        WHEN session.session_id IS NULL AND (
            SELECT true FROM viewer_tick AS heard
            WHERE heard.room_id = room.room_id AND heard.at > now() - interval '1 day'
            LIMIT 1
        ) IS NULL THEN 3 -- watched, but nothing was ever heard of it
        WHEN session.session_id IS NOT NULL AND session.closed_at IS NULL AND change.change = 'dropped' THEN 2
        WHEN session.session_id IS NOT NULL AND session.closed_at IS NULL THEN 1
        WHEN session.close_reason = 'lost' AND lost.planned_end_at IS NULL THEN 4
        ELSE 0
    END AS state_code
    OFFSET 0 -- judged once for each room, and not again in every column that asks for its state
) AS judged
WHERE room.active;

COMMENT ON VIEW room_now IS
    'One row per active room of the roster (直播间) as it stands now, as far as the database has been told: seconds behind '
    'Prometheus, and blind when nothing has come from livemon for two minutes.';
COMMENT ON COLUMN room_now.state IS
    'offline 未开播, live 直播中, dropped 断流 (may come back within grace), blind 看不见 (every feed of the room is, or nothing was '
    'heard yet; it says nothing about the room), lost 断流未恢复 (until live again or the planned end), unwatched 无数据源.';
COMMENT ON COLUMN room_now.state_code IS 'The value of livemon_room_state: 0 offline, 1 live, 2 dropped, 3 blind, 4 lost, 5 unwatched.';
COMMENT ON COLUMN room_now.since IS 'Since when this state holds; NULL: not known.';
COMMENT ON COLUMN room_now.session_id IS 'The session under way, also while dropped or blind; NULL: none.';
COMMENT ON COLUMN room_now.opened_at IS 'When that session opened.';
COMMENT ON COLUMN room_now.last_tick_at IS 'The last observation of the room within a day.';
COMMENT ON COLUMN room_now.viewers IS 'People watching now; 0 off air, NULL while blind and where no feed says.';
COMMENT ON COLUMN room_now.views_total IS 'The platform''s own running total of visits, last reported.';
COMMENT ON COLUMN room_now.likes_total IS 'The platform''s own running total of likes, last reported.';
COMMENT ON COLUMN room_now.kbps IS 'Bit rate of the incoming stream in kbit/s; 0 off air, NULL while blind and where no feed says.';
COMMENT ON COLUMN room_now.expected IS 'Inside a slot of its schedule now.';
COMMENT ON COLUMN room_now.slot_starts_at IS 'The slot of the schedule that is on or comes next.';
COMMENT ON COLUMN room_now.orders IS 'Orders paid since midnight of the event''s zone, in the event''s currency; at most 15 s behind.';
COMMENT ON COLUMN room_now.gmv_minor IS 'GMV of these orders, before refunds, in the minor unit (分) of currency.';
COMMENT ON COLUMN room_now.gmv IS 'gmv_minor in the major unit (元).';
COMMENT ON COLUMN room_now.contact IS 'Whom to call: an id of the contacts, never a number.';
