-- Who was on air when: about 1.2 sessions a room and day, most of them in the evening; what stopped; what nobody saw.
-- Seconds are those of a round (a poll each 5 s); a room's own instant lies offset_us behind it. k counts its ticks.
CREATE UNLOGGED TABLE bench.session AS
WITH comes AS (
    SELECT
        room.room_id, room.platform, room.shop, draw.base,
        CASE WHEN room.platform = 'nginx_rtmp' THEN 'hall-' || room.hall ELSE room.platform END AS feed,
        (room.room_id % 50) * 100000 AS offset_us,
        room.room_id * 1000::bigint + day * 10 + evening AS seed, evening,
        size.from_s + day * 86400 AS day_s, size.to_s, size.now_s
    FROM room
    JOIN bench.draw USING (room_id)
    CROSS JOIN bench.size
    CROSS JOIN generate_series(0, size.days - 1) AS day
    CROSS JOIN generate_series(0, 1) AS evening
    WHERE bench.dice(room.room_id * 1000::bigint + day * 10 + evening, 1) < CASE evening WHEN 1 THEN 0.85 ELSE 0.35 END
),
timed AS (
    SELECT
        comes.*,
        day_s + 5 * floor(CASE evening WHEN 1 THEN 13320 + bench.dice(seed, 2) * 2160
            ELSE 6480 + bench.dice(seed, 2) * 4320 END)::bigint AS opened_s,
        floor(432 + bench.dice(seed, 3) * CASE evening WHEN 1 THEN 2880 ELSE 1440 END)::int AS end_k,
        CASE WHEN bench.dice(seed, 4) < 0.50 THEN 'ended' WHEN bench.dice(seed, 4) < 0.985 THEN 'unknown' ELSE 'lost' END AS reason,
        bench.dice(seed, 5) < 0.12 AS stops
    FROM comes
),
grown AS (
    SELECT
        timed.*,
        CASE WHEN stops THEN floor(end_k * (0.1 + 0.7 * bench.dice(seed, 6)))::int END AS stop_k,
        end_k + CASE reason WHEN 'ended' THEN 0 ELSE 24 END AS closed_k
    FROM timed
    WHERE opened_s < now_s -- none that is still to come
)
SELECT
    row_number() OVER (ORDER BY opened_s, room_id) AS n, md5(seed::text)::uuid AS session_id, room_id, platform, shop, feed,
    base, offset_us, seed, opened_s, end_k, closed_k, reason,
    coalesce(stop_k, 1000000) AS stop_k,
    coalesce(stop_k + 6 + floor(16 * bench.dice(seed, 7))::int, 1000000) AS back_k,
    opened_s + 5 * closed_k < to_s AS closed, -- else it is on air at the end
    opened_s * 1000000 + offset_us AS opened_us,
    least((opened_s + 5 * closed_k) * 1000000 + offset_us, to_s * 1000000) AS ends_us,
    day_s, to_s
FROM grown;
CREATE UNIQUE INDEX ON bench.session (opened_s, n);
ANALYZE bench.session;

INSERT INTO feed (feed, kind, platform, hall, signals)
SELECT DISTINCT CASE WHEN platform = 'nginx_rtmp' THEN 'hall-' || hall ELSE platform END, platform, platform,
    CASE WHEN platform = 'nginx_rtmp' THEN hall ELSE '' END, ARRAY['live', 'viewers']
FROM room
UNION ALL
SELECT DISTINCT 'orders-' || platform, platform || '_hooks', platform, '', ARRAY['sales'] FROM room;
INSERT INTO feed_room (feed, room_id, from_at)
SELECT CASE WHEN platform = 'nginx_rtmp' THEN 'hall-' || hall ELSE platform END, room_id, to_timestamp(size.from_s)
FROM room CROSS JOIN bench.size;
INSERT INTO feed_room (feed, room_id, from_at)
SELECT 'orders-' || platform, room_id, to_timestamp(size.from_s) FROM room CROSS JOIN bench.size;

-- Each feed is blind once a day, for one to six minutes between 10 and 22 o'clock.
CREATE UNLOGGED TABLE bench.dark AS
SELECT feed.feed, begins.at_s AS from_s, begins.at_s + 60 + 5 * floor(60 * bench.dice(hashtext(feed.feed) + day, 9))::bigint AS to_s
FROM feed
CROSS JOIN bench.size
CROSS JOIN generate_series(0, size.days - 1) AS day
CROSS JOIN LATERAL (
    SELECT size.from_s + day * 86400 + 36000 + 5 * floor(8640 * bench.dice(hashtext(feed.feed) + day, 8))::bigint AS at_s
) AS begins
WHERE 'live' = ANY (feed.signals) AND begins.at_s + 400 < size.to_s;
INSERT INTO blind (feed, from_at, to_at, cause) SELECT feed, to_timestamp(from_s), to_timestamp(to_s), 'timeout' FROM bench.dark;

INSERT INTO session (session_id, room_id, opened_at, closed_at, close_reason, sales_due)
SELECT session_id, room_id, bench.instant(opened_us), CASE WHEN closed THEN bench.instant(ends_us) END,
    CASE WHEN closed THEN reason END, false
FROM bench.session ORDER BY opened_s, n;
INSERT INTO session_change (session_id, number, room_id, at, change, cause)
SELECT session_id, row_number() OVER (PARTITION BY session_id ORDER BY place), room_id, at, change, cause
FROM bench.session
CROSS JOIN LATERAL (
    VALUES (1, bench.instant(opened_us), 'opened', 'status', true),
        (2, bench.instant(opened_us + stop_k * 5000000::bigint), 'dropped', 'status', stop_k < end_k),
        (3, bench.instant(opened_us + back_k * 5000000::bigint), 'resumed', 'status', stop_k < end_k),
        (4, bench.instant(opened_us + end_k * 5000000::bigint), 'dropped', 'status', closed_k > end_k),
        (5, bench.instant(opened_us + closed_k * 5000000::bigint), 'closed', reason, true)
) AS told (place, at, change, cause, happened)
WHERE happened AND at < to_timestamp(to_s)
ORDER BY at;

-- Planned by the quarter of an hour, and one slot in thirty in which nobody came.
INSERT INTO schedule (room_id, starts_at, ends_at)
SELECT room_id, to_timestamp(opened_s / 900 * 900), to_timestamp((opened_s + 5 * end_k) / 900 * 900 + 900) FROM bench.session
ON CONFLICT DO NOTHING;
INSERT INTO schedule (room_id, starts_at, ends_at)
SELECT room_id, to_timestamp(size.from_s + day * 86400 + 72000), to_timestamp(size.from_s + day * 86400 + 79200)
FROM room CROSS JOIN bench.size CROSS JOIN generate_series(0, size.days - 1) AS day
WHERE bench.dice(room_id * 1000::bigint + day * 10 + 1, 1) >= 0.97
ON CONFLICT DO NOTHING;
