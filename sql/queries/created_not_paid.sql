-- Orders created that day: how many were paid, cancelled, or neither so far. 当天下单未支付情况。
-- By the day of their creation, paid or cancelled whenever. Platforms that tell no creation are not listed.
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT greatest(day_starts_at(day), event_starts_at) AS from_at, least(day_starts_at(day + 1), event_ends_at) AS to_at
    FROM asked CROSS JOIN setting
), created AS (
    SELECT sale.platform, sale.shop, sale.order_id, sum(sale.amount_minor) AS amount_minor, min(sale.at) AS at
    FROM sale CROSS JOIN setting
    WHERE sale.kind = 'created' AND sale.order_id <> '' AND sale.currency = setting.event_currency
        AND sale.at >= (SELECT from_at FROM span) AND sale.at < (SELECT to_at FROM span)
    GROUP BY 1, 2, 3
), later AS (
    SELECT platform, shop, order_id, bool_or(kind = 'paid') AS paid, min(at) FILTER (WHERE kind = 'paid') AS paid_at
    FROM sale
    WHERE kind IN ('paid', 'cancelled') AND at >= (SELECT from_at FROM span) AND order_id <> ''
    GROUP BY 1, 2, 3
)
SELECT
    created.platform AS "平台 Platform",
    count(*) AS "下单 Created",
    count(*) FILTER (WHERE later.paid) AS "已支付 Paid",
    count(*) FILTER (WHERE NOT later.paid) AS "已取消 Cancelled",
    count(*) FILTER (WHERE later.order_id IS NULL) AS "未支付 Neither so far",
    round(100.0 * count(*) FILTER (WHERE later.paid) / count(*), 1) AS "支付率% Share paid",
    in_major(sum(created.amount_minor)::bigint, min(setting.event_currency)) AS "下单金额 Created amount",
    in_major(
        coalesce(sum(created.amount_minor) FILTER (WHERE later.order_id IS NULL), 0)::bigint, min(setting.event_currency)
    ) AS "未支付金额 Amount of neither",
    round(extract(epoch FROM avg(later.paid_at - created.at))) AS "平均支付用时秒 Seconds to pay",
    min(setting.event_currency)::text AS "币种 Currency"
FROM created
CROSS JOIN setting
LEFT JOIN later USING (platform, shop, order_id)
GROUP BY created.platform
ORDER BY count(*) DESC, created.platform
