-- Broadcasters over all their rooms and platforms, by watch hours, for several days. 主播观看时长榜（合并全部直播间）。
-- A broadcaster is the person of the roster's column of that name; where it is empty, the anchor.
WITH asked AS NOT MATERIALIZED (
    SELECT
        event_date(now()) - 6 AS from_day, -- edit: DATE '2026-11-19' 修改起始日
        event_date(now()) AS to_day -- edit: DATE '2026-11-25' 修改结束日（含）
)
SELECT
    coalesce(nullif(room_day.broadcaster, ''), room_day.anchor) AS "主播 Broadcaster",
    round(sum(room_day.watch_hours), 1) AS "观看小时 Watch hours",
    round(sum(room_day.air_s) / 3600, 1) AS "直播小时 Airtime hours",
    round(sum(room_day.watch_hours) * 3600 / nullif(sum(room_day.measured_s), 0), 1) AS "平均在线 Average viewers",
    max(room_day.peak_viewers) AS "单间人数峰值 Peak viewers of one room",
    count(DISTINCT room_day.room_id) AS "直播间数 Rooms",
    string_agg(DISTINCT room_day.platform, ', ') AS "平台 Platforms",
    count(DISTINCT room_day.day) AS "天数 Days",
    sum(room_day.drops)::int AS "断流次数 Drops",
    sum(room_day.orders)::int AS "订单数 Orders",
    in_major(sum(room_day.gmv_minor)::bigint, min(room_day.currency)) AS "成交额 GMV",
    min(room_day.currency)::text AS "币种 Currency"
FROM asked
JOIN room_day ON room_day.day BETWEEN asked.from_day AND asked.to_day
GROUP BY 1
ORDER BY sum(room_day.watch_hours) DESC NULLS LAST, 1
LIMIT 50
