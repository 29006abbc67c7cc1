-- The platforms beside each other, for one day. 平台对比（单日）。
-- Peaks are of whole minutes: the average number watching in the best minute. 人数峰值按分钟平均值计。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT greatest(day_starts_at(day), event_starts_at) AS from_at, least(day_starts_at(day + 1), event_ends_at) AS to_at
    FROM asked CROSS JOIN setting
)
SELECT
    platform AS "平台 Platform",
    max(rooms_live) AS "同时直播间数峰值 Rooms live at most",
    round(max(viewers)) AS "人数峰值 Peak viewers",
    round(sum(viewers) / 60, 1) AS "观看小时 Watch hours",
    round(sum(air_s) / 3600, 1) AS "直播小时 Airtime hours",
    round(sum(blind_s) / 3600, 1) AS "看不见小时 Blind hours",
    sum(drops)::int AS "断流次数 Drops",
    sum(orders)::int AS "订单数 Orders",
    in_major(sum(gmv_minor)::bigint, min(currency)) AS "成交额 GMV",
    in_major(sum(refunds_minor)::bigint, min(currency)) AS "退款 Refunds",
    in_major(sum(net_minor)::bigint, min(currency)) AS "净成交额 Net",
    round(100.0 * sum(gmv_minor) / nullif(sum(sum(gmv_minor)) OVER (), 0), 1) AS "占比% Share of GMV",
    in_major(round(sum(gmv_minor) / nullif(sum(orders), 0))::bigint, min(currency)) AS "单均 GMV per order",
    in_major(round(sum(gmv_minor) * 60 / nullif(sum(viewers), 0))::bigint, min(currency)) AS "每观看小时GMV GMV per watch hour",
    min(currency)::text AS "币种 Currency"
FROM event_minute
WHERE minute >= (SELECT from_at FROM span) AND minute < (SELECT to_at FROM span)
GROUP BY platform
ORDER BY sum(gmv_minor) DESC, platform
