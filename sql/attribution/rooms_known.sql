-- Sales whose room has come into the roster since, $1 at most. Returns how many those were.
WITH found AS (
    SELECT sale.platform, sale.event_id, sale.at, room.room_id
    FROM sale
    JOIN room ON room.platform = sale.platform AND room.external_id = sale.room
    WHERE sale.room_id IS NULL AND sale.room IS NOT NULL
    LIMIT $1
),
put AS (
    UPDATE sale SET room_id = found.room_id, session_id = on_air.session_id, attributed_at = now()
    FROM found
    LEFT JOIN LATERAL session_at(found.room_id, found.at) AS on_air ON true
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
)
SELECT count(*) FROM put
