-- The event's window bounds every total; it follows the config. Which row of an order, or a buyer, is the first of
-- its day depends on the beginning: if that moves, what was sold on the days of the old and the new one is summed anew.
WITH was AS (
    SELECT event_starts_at FROM setting
),
put AS (
    UPDATE setting SET event_name = $1, event_starts_at = $2, event_ends_at = $3
    WHERE (event_name, event_starts_at, event_ends_at) IS DISTINCT FROM ($1, $2, $3)
    RETURNING event_starts_at, timezone
)
INSERT INTO minute_touched (minute, platform)
SELECT DISTINCT date_bin('1 minute', sale.at, timestamptz '2000-01-01 00:00:00+00'), side.platform
FROM put
CROSS JOIN was
CROSS JOIN LATERAL (VALUES (was.event_starts_at), (put.event_starts_at)) AS edge (at)
JOIN sale ON sale.at >= date_trunc('day', edge.at, put.timezone)
    AND sale.at < (date_trunc('day', edge.at AT TIME ZONE put.timezone) + interval '1 day') AT TIME ZONE put.timezone
LEFT JOIN room ON room.room_id = sale.room_id
CROSS JOIN LATERAL (VALUES (sale.platform), (room.platform)) AS side (platform)
WHERE was.event_starts_at IS DISTINCT FROM put.event_starts_at AND side.platform IS NOT NULL
