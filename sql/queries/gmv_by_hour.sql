-- GMV by hour, beside the same hour of the day before. 分小时成交额：当天与前一天对比。
-- Hours are counted from the beginning of each day (where clocks change, a day has 23 or 25). Hours to come are left out,
-- and the one under way is compared with the whole hour of the day before. 进行中的一小时与前一天整小时对比。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT
        day_starts_at(day - 1) AS before_at, day_starts_at(day) AS from_at, day_starts_at(day + 1) AS to_at,
        greatest(day_starts_at(day - 1), event_starts_at) AS first_at,
        least(day_starts_at(day + 1), event_ends_at) AS last_at
    FROM asked CROSS JOIN setting
), hour_sum AS (
    SELECT
        minute >= (SELECT from_at FROM span) AS of_day,
        floor(extract(epoch FROM minute - CASE
            WHEN minute >= (SELECT from_at FROM span) THEN (SELECT from_at FROM span) ELSE (SELECT before_at FROM span)
        END) / 3600)::int AS number,
        sum(orders) AS orders, sum(gmv_minor) AS gmv_minor, min(currency) AS currency
    FROM event_minute
    WHERE minute >= (SELECT first_at FROM span) AND minute < (SELECT last_at FROM span)
    GROUP BY 1, 2
), beside AS (
    SELECT
        number, min(currency) AS currency,
        coalesce(sum(orders) FILTER (WHERE of_day), 0) AS orders,
        coalesce(sum(gmv_minor) FILTER (WHERE of_day), 0) AS gmv_minor,
        coalesce(sum(orders) FILTER (WHERE NOT of_day), 0) AS orders_before,
        coalesce(sum(gmv_minor) FILTER (WHERE NOT of_day), 0) AS gmv_before_minor
    FROM hour_sum
    GROUP BY number
)
SELECT
    (SELECT from_at FROM span) + number * interval '1 hour' AS "小时 Hour",
    orders::int AS "订单数 Orders",
    in_major(gmv_minor::bigint, currency) AS "成交额 GMV",
    orders_before::int AS "前一天订单数 Orders the day before",
    in_major(gmv_before_minor::bigint, currency) AS "前一天成交额 GMV the day before",
    round(100.0 * (gmv_minor - gmv_before_minor) / nullif(gmv_before_minor, 0), 1) AS "变化% Change",
    in_major(sum(gmv_minor) OVER (ORDER BY number)::bigint, currency) AS "累计成交额 GMV so far",
    in_major(sum(gmv_before_minor) OVER (ORDER BY number)::bigint, currency) AS "前一天累计 GMV so far the day before",
    currency::text AS "币种 Currency"
FROM beside
WHERE (SELECT from_at FROM span) + number * interval '1 hour' < least((SELECT to_at FROM span), now())
ORDER BY number
