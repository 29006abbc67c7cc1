-- Room and session of sales that nobody has looked at yet, oldest first, $1 at most. Returns how many those were.
-- A room is the one whose platform and id the event told, or there is none. One that is known stays known.
WITH looked AS (
    SELECT
        sale.platform, sale.event_id, sale.at, coalesce(sale.room_id, room.room_id) AS room_id,
        sale.room_id AS had_room, sale.session_id AS had_session
    FROM (
        SELECT platform, event_id, at, room, room_id, session_id FROM sale WHERE attributed_at IS NULL ORDER BY received_at LIMIT $1
    ) AS sale
    LEFT JOIN room ON room.platform = sale.platform AND room.external_id = sale.room
),
put AS (
    UPDATE sale SET room_id = looked.room_id, session_id = on_air.session_id, attributed_at = now()
    FROM looked
    LEFT JOIN LATERAL session_at(looked.room_id, looked.at) AS on_air ON true
    WHERE sale.platform = looked.platform AND sale.event_id = looked.event_id
    RETURNING
        sale.platform, sale.at, sale.room_id,
        (sale.room_id, sale.session_id) IS DISTINCT FROM (looked.had_room, looked.had_session) AS moved
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
