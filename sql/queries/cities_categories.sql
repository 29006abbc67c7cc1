-- Cities, categories and tiers, each ranked by GMV, for one day. 城市、品类、等级对比（单日）。
-- A sale of no known room counts for a city if all rooms of its shop are there, and for no category and no tier.
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT greatest(day_starts_at(day), event_starts_at) AS from_at, least(day_starts_at(day + 1), event_ends_at) AS to_at
    FROM asked CROSS JOIN setting
)
SELECT
    CASE dimension WHEN 'city' THEN '城市 City' WHEN 'category' THEN '品类 Category' ELSE '等级 Tier' END AS "维度 By",
    value AS "取值 Value",
    rank() OVER (PARTITION BY dimension ORDER BY sum(gmv_minor) DESC) AS "名次 Rank",
    round(sum(viewers) / 60, 1) AS "观看小时 Watch hours",
    round(sum(air_s) / 3600, 1) AS "直播小时 Airtime hours",
    sum(drops)::int AS "断流次数 Drops",
    sum(orders)::int AS "订单数 Orders",
    in_major(sum(gmv_minor)::bigint, min(currency)) AS "成交额 GMV",
    in_major(sum(refunds_minor)::bigint, min(currency)) AS "退款 Refunds",
    in_major(sum(gmv_minor - refunds_minor)::bigint, min(currency)) AS "净成交额 Net",
    min(currency)::text AS "币种 Currency"
FROM event_minute_by
WHERE dimension IN ('city', 'category', 'tier') AND value <> ''
    AND minute >= (SELECT from_at FROM span) AND minute < (SELECT to_at FROM span)
GROUP BY dimension, value
ORDER BY array_position(ARRAY['city', 'category', 'tier'], dimension), sum(gmv_minor) DESC, value
