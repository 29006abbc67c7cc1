-- What new changes of sessions touch: from each on until its session's end, and, of what followed a stop, the minute in
-- which that began, for only now it is known whether it was a drop. Between the two it was off air either way.
WITH fresh AS (
    SELECT change.session_id, change.number, change.at, room.platform, coalesce(session.closed_at, now()) AS until
    FROM unnest($1::uuid[], $2::int[]) AS told (session_id, number)
    JOIN session_change AS change ON change.session_id = told.session_id AND change.number = told.number
    JOIN session ON session.session_id = change.session_id
    JOIN room ON room.room_id = change.room_id
)
INSERT INTO minute_touched (minute, platform, until)
SELECT date_bin('1 minute', min(at), timestamptz '2000-01-01 00:00:00+00'), platform, greatest(max(until), max(at))
FROM fresh
GROUP BY platform
UNION
SELECT date_bin('1 minute', before.at, timestamptz '2000-01-01 00:00:00+00'), fresh.platform, NULL
FROM fresh
CROSS JOIN LATERAL (
    SELECT earlier.at, earlier.change
    FROM session_change AS earlier
    WHERE earlier.session_id = fresh.session_id AND earlier.number < fresh.number
    ORDER BY earlier.number DESC
    LIMIT 1
) AS before
WHERE before.change = 'dropped'
