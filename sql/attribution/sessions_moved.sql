-- Sales of sessions that are new or whose end moved: $1 sessions and $2 sales at most. Returns (sessions, sales).
-- A session decides for all that its room sold until the next one opened: what lies after its end is of no session.
-- Once fewer sales than the limit were wrong, none is left, and the sessions are done.
WITH due AS (
    SELECT session_id, room_id, opened_at FROM session WHERE sales_due LIMIT $1 FOR UPDATE
),
stretch AS (
    SELECT due.room_id, due.opened_at AS from_at, coalesce(min(next.opened_at), 'infinity') AS to_at
    FROM due
    LEFT JOIN session AS next ON next.room_id = due.room_id AND next.opened_at > due.opened_at
    GROUP BY due.room_id, due.opened_at
),
found AS (
    SELECT sale.platform, sale.event_id, on_air.session_id
    FROM stretch
    JOIN sale ON sale.room_id = stretch.room_id AND sale.at >= stretch.from_at AND sale.at < stretch.to_at
    LEFT JOIN LATERAL session_at(sale.room_id, sale.at) AS on_air ON true
    WHERE sale.session_id IS DISTINCT FROM on_air.session_id
    LIMIT $2
),
put AS (
    UPDATE sale SET session_id = found.session_id, attributed_at = now()
    FROM found
    WHERE sale.platform = found.platform AND sale.event_id = found.event_id
    RETURNING sale.platform, sale.at, sale.room_id, true AS moved
),
mark AS (
    -- Where it counted, and where it counts now: as a rule one platform.
    INSERT INTO minute_touched (minute, platform)
    SELECT DISTINCT date_bin('1 minute', put.at, timestamptz '2000-01-01 00:00:00+00'), side.platform
    FROM put
    LEFT JOIN room ON room.room_id = put.room_id
    CROSS JOIN LATERAL (VALUES (put.platform), (room.platform)) AS side (platform)
    WHERE put.moved AND side.platform IS NOT NULL
),
done AS (
    UPDATE session SET sales_due = false
    FROM due
    WHERE session.session_id = due.session_id AND (SELECT count(*) FROM found) < $2
    RETURNING 1
)
SELECT (SELECT count(*) FROM done) AS sessions, (SELECT count(*) FROM put) AS sales
