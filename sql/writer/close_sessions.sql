-- Only `closed` sets the end. Said twice it is the same. What lay between the end that was known and this one is touched.
WITH told AS (
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS t (session_id, at, reason)
),
moved AS (
    INSERT INTO minute_touched (minute, platform, until)
    SELECT
        date_bin('1 minute', min(least(session.closed_at, told.at)), timestamptz '2000-01-01 00:00:00+00'), room.platform,
        max(greatest(coalesce(session.closed_at, now()), told.at))
    FROM told
    JOIN session ON session.session_id = told.session_id
    JOIN room ON room.room_id = session.room_id
    WHERE session.closed_at IS DISTINCT FROM told.at
    GROUP BY room.platform
)
UPDATE session SET closed_at = told.at, close_reason = told.reason
FROM told
WHERE session.session_id = told.session_id
