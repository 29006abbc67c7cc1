-- An hour of ticks, round by round, as they are written when they are observed; $1: the hour's first second.
-- On air each room is observed every 5 s, off air every 15 minutes, and not at all while its feed is blind.
INSERT INTO {day} (at, room_id, live, viewers, views_total, likes_total, kbps)
WITH on_air AS MATERIALIZED (
    SELECT
        session.room_id, session.platform = 'nginx_rtmp' AS own, session.base, session.opened_s, session.opened_us,
        session.offset_us * interval '1 microsecond' AS behind, session.stop_k, session.back_k, session.end_k,
        session.opened_s + 5 * session.closed_k AS closed_s,
        coalesce(dark.from_s, 0) AS dark_s, coalesce(dark.to_s, 0) AS seen_s
    FROM bench.session
    LEFT JOIN bench.dark ON dark.feed = session.feed AND dark.from_s < $1::bigint + 3600 AND dark.to_s > $1
    WHERE session.opened_s < $1::bigint + 3600 AND session.opened_s > $1::bigint - 36000
        AND session.opened_s + 5 * session.closed_k > $1
),
heard AS (
    SELECT to_timestamp(at_s) AS round_at, told.*
    FROM generate_series($1::bigint, least($1::bigint + 3595, (SELECT to_s - 5 FROM bench.size)), 5) AS at_s
    CROSS JOIN LATERAL (
        SELECT
            on_air.room_id, on_air.behind, on_air.own, on_air.base, ((at_s - on_air.opened_s) / 5)::int AS k,
            on_air.stop_k, on_air.back_k, on_air.end_k
        FROM on_air
        WHERE on_air.opened_s <= at_s AND at_s < on_air.closed_s AND (at_s < on_air.dark_s OR at_s >= on_air.seen_s)
        OFFSET 0 -- the rounds stay outside
    ) AS told
)
SELECT
    round_at + behind, room_id, live,
    CASE WHEN live THEN bench.viewers(base, k, room_id) END,
    CASE WHEN live THEN base * 2 + base::bigint * k / 20 END,
    CASE WHEN live THEN base * 5 + base::bigint * k / 7 END,
    CASE WHEN own AND live THEN 2000 + (room_id + k) % 500 END
FROM heard
CROSS JOIN LATERAL (SELECT k < end_k AND (k < stop_k OR k >= back_k) AS live) AS seen
UNION ALL
SELECT to_timestamp(at_s) + (room.room_id % 50) * interval '100 milliseconds', room.room_id, false, NULL, NULL, NULL, NULL
FROM room
CROSS JOIN LATERAL (SELECT $1::bigint + (room.room_id % 180) * 5 + quarter * 900 AS at_s FROM generate_series(0, 3) AS quarter) AS asked
WHERE at_s < (SELECT to_s FROM bench.size)
    AND NOT EXISTS (
        SELECT FROM on_air WHERE on_air.room_id = room.room_id AND at_s >= on_air.opened_s AND at_s < on_air.closed_s
    )
    AND NOT EXISTS (
        SELECT FROM bench.dark
        WHERE dark.feed = CASE WHEN room.platform = 'nginx_rtmp' THEN 'hall-' || room.hall ELSE room.platform END
            AND at_s >= dark.from_s AND at_s < dark.to_s
    )
