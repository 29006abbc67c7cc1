-- Feeds that could not be seen that day: how often, how long, and whether still. 当天看不见的数据源。
-- Spans are cut at the day's edges. A span of one room alone is counted apart from those of the whole feed.
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT day_starts_at(day) AS from_at, least(day_starts_at(day + 1), now()) AS to_at FROM asked
), part AS (
    SELECT
        feed, platform, hall, room_id, from_at, cause, still_open,
        extract(epoch FROM least(coalesce(to_at, now()), (SELECT to_at FROM span))
            - greatest(from_at, (SELECT from_at FROM span))) AS length_s
    FROM feed_blind
    WHERE from_at < (SELECT to_at FROM span) AND (to_at IS NULL OR to_at > (SELECT from_at FROM span))
)
SELECT
    feed AS "数据源 Feed", platform AS "平台 Platform", hall AS "场馆 Hall",
    count(*) FILTER (WHERE room_id IS NULL) AS "次数 Spans",
    round(coalesce(sum(length_s) FILTER (WHERE room_id IS NULL), 0) / 60, 1) AS "看不见分钟 Blind minutes",
    round(max(length_s) FILTER (WHERE room_id IS NULL) / 60, 1) AS "最长分钟 Longest minutes",
    CASE WHEN bool_or(still_open AND room_id IS NULL) THEN '是 yes' ELSE '' END AS "仍看不见 Still blind",
    count(DISTINCT room_id) AS "单独看不见的直播间 Rooms alone",
    max(from_at) AS "最近一次 Latest from",
    string_agg(DISTINCT cause, ', ') AS "原因 Causes"
FROM part
GROUP BY feed, platform, hall
ORDER BY coalesce(sum(length_s) FILTER (WHERE room_id IS NULL), 0) DESC, feed
