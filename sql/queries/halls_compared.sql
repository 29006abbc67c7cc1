-- The halls beside each other, for one day, over all platforms. 场馆对比（单日，全平台合计）。
-- A sale of no known room counts for a hall if all rooms of its shop are there; else it is in no row of this table.
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT greatest(day_starts_at(day), event_starts_at) AS from_at, least(day_starts_at(day + 1), event_ends_at) AS to_at
    FROM asked CROSS JOIN setting
), hall_minute AS (
    SELECT
        minute, value AS hall, min(currency) AS currency,
        sum(rooms_live) AS rooms_live, sum(viewers) AS viewers, sum(air_s) AS air_s, sum(blind_s) AS blind_s,
        sum(drops) AS drops, sum(orders) AS orders, sum(gmv_minor) AS gmv_minor, sum(refunds_minor) AS refunds_minor
    FROM event_minute_by
    WHERE dimension = 'hall' AND value <> ''
        AND minute >= (SELECT from_at FROM span) AND minute < (SELECT to_at FROM span)
    GROUP BY minute, value
)
SELECT
    hall AS "场馆 Hall",
    max(rooms_live)::int AS "同时直播间数峰值 Rooms live at most",
    round(max(viewers)) AS "人数峰值 Peak viewers",
    round(sum(viewers) / 60, 1) AS "观看小时 Watch hours",
    round(sum(air_s) / 3600, 1) AS "直播小时 Airtime hours",
    round(sum(blind_s) / 3600, 1) AS "看不见小时 Blind hours",
    sum(drops)::int AS "断流次数 Drops",
    round(sum(drops) * 3600 / nullif(sum(air_s), 0), 2) AS "每直播小时断流 Drops per airtime hour",
    sum(orders)::int AS "订单数 Orders",
    in_major(sum(gmv_minor)::bigint, min(currency)) AS "成交额 GMV",
    in_major(sum(refunds_minor)::bigint, min(currency)) AS "退款 Refunds",
    in_major(sum(gmv_minor - refunds_minor)::bigint, min(currency)) AS "净成交额 Net",
    min(currency)::text AS "币种 Currency"
FROM hall_minute
GROUP BY hall
ORDER BY sum(gmv_minor) DESC, hall
