-- What rooms did from $1 to $2: all of it, by platform, and the first $3 rooms, broadcasters and halls by GMV.
--
-- Sessions are counted apart, those that were open between $4 and $5: one across midnight is a session of both days.
WITH by_room AS MATERIALIZED (
    SELECT
        room_id, platform, broadcaster, hall, external_id, anchor, 0::bigint AS sessions, air_s, blind_s, measured_s,
        watch_hours, peak_viewers, drops, down_s, orders, gmv_minor, refunds_minor
    FROM room_day
    WHERE day BETWEEN $1::date AND $2::date
    UNION ALL
    SELECT
        room.room_id, room.platform, room.broadcaster, room.hall, room.external_id, room.anchor, present.sessions, 0, 0, 0,
        NULL, NULL, 0, 0, 0, 0, 0
    FROM (
        SELECT room_id, count(*) AS sessions
        FROM session
        WHERE opened_at < $5::timestamptz AND coalesce(closed_at, now()) > $4::timestamptz
        GROUP BY room_id
    ) AS present
    JOIN room ON room.room_id = present.room_id
),
summed AS (
    SELECT
        CASE grouping(room_id, platform, broadcaster, hall)
            WHEN 15 THEN 'all'
            WHEN 11 THEN 'platform'
            WHEN 3 THEN 'room'
            WHEN 13 THEN 'broadcaster'
            ELSE 'hall'
        END AS kind,
        platform, broadcaster, hall,
        max(external_id) AS external_id,
        max(anchor) AS anchor,
        max(hall) AS its_hall,
        count(DISTINCT room_id) AS rooms,
        count(DISTINCT nullif(broadcaster, '')) AS broadcasters,
        sum(sessions)::bigint AS sessions,
        sum(air_s) AS air_s,
        sum(blind_s) AS blind_s,
        sum(measured_s) AS measured_s,
        sum(watch_hours) AS watch_hours,
        max(peak_viewers)::bigint AS peak_viewers,
        sum(drops)::bigint AS drops,
        sum(down_s) AS down_s,
        sum(orders)::bigint AS orders,
        sum(gmv_minor)::bigint AS gmv_minor,
        sum(refunds_minor)::bigint AS refunds_minor
    FROM by_room
    GROUP BY GROUPING SETS ((), (platform), (room_id, platform), (broadcaster), (hall))
),
placed AS (
    SELECT
        summed.*,
        row_number() OVER (
            PARTITION BY kind ORDER BY gmv_minor DESC NULLS LAST, watch_hours DESC NULLS LAST, platform, external_id
        ) AS place
    FROM summed
    WHERE kind IN ('all', 'platform', 'room') OR coalesce(CASE kind WHEN 'hall' THEN hall ELSE broadcaster END, '') <> ''
)
SELECT
    kind, coalesce(platform, '') AS platform, coalesce(broadcaster, '') AS broadcaster,
    CASE WHEN kind IN ('room', 'hall') THEN coalesce(its_hall, '') ELSE '' END AS hall,
    coalesce(external_id, '') AS external_id, coalesce(anchor, '') AS anchor, rooms, broadcasters,
    coalesce(sessions, 0) AS sessions, coalesce(air_s, 0)::numeric AS air_s, coalesce(blind_s, 0)::numeric AS blind_s,
    coalesce(measured_s, 0)::numeric AS measured_s, coalesce(watch_hours, 0)::numeric AS watch_hours, peak_viewers,
    coalesce(drops, 0) AS drops, coalesce(down_s, 0)::numeric AS down_s, coalesce(orders, 0) AS orders,
    coalesce(gmv_minor, 0) AS gmv_minor, coalesce(refunds_minor, 0) AS refunds_minor
FROM placed
WHERE kind IN ('all', 'platform') OR place <= $3::int
ORDER BY kind, place
