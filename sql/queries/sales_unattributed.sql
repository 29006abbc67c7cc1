-- Sales of that day that belong to no session, and why. 当天未归属场次的订单及原因。
-- All count for their platform and shop. The same over all days is the view sale_unattributed, by shop.
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT day_starts_at(day) AS from_at, day_starts_at(day + 1) AS to_at FROM asked
), told AS (
    SELECT
        sale.platform, sale.currency, sale.kind, sale.amount_minor, sale.at,
        (sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id)) AS order_key,
        CASE
            WHEN sale.session_id IS NOT NULL THEN NULL
            WHEN sale.attributed_at IS NULL THEN '尚未归属 not looked at yet'
            WHEN sale.room_id IS NOT NULL THEN '下单时不在场次内 no session open'
            WHEN sale.room IS NULL THEN '订单未注明直播间 no room told'
            ELSE '直播间不在名册内 room not in the roster'
        END AS reason
    FROM sale
    WHERE sale.at >= (SELECT from_at FROM span) AND sale.at < (SELECT to_at FROM span)
), counted AS (
    SELECT
        platform, reason, currency, count(*) AS events,
        count(DISTINCT order_key) FILTER (WHERE kind = 'paid') AS orders,
        coalesce(sum(amount_minor) FILTER (WHERE kind = 'paid'), 0) AS gmv_minor,
        min(at) AS first_at, max(at) AS last_at
    FROM told
    GROUP BY platform, reason, currency
), shared AS (
    SELECT *, 100.0 * gmv_minor / nullif(sum(gmv_minor) OVER (PARTITION BY platform, currency), 0) AS share
    FROM counted
)
SELECT
    platform AS "平台 Platform", reason AS "原因 Reason", events AS "订单事件 Events", orders AS "支付订单 Orders paid",
    in_major(gmv_minor::bigint, currency) AS "成交额 GMV", round(share, 1) AS "占平台% Of the platform's GMV",
    currency::text AS "币种 Currency", first_at AS "最早 First", last_at AS "最晚 Last"
FROM shared
WHERE reason IS NOT NULL
ORDER BY gmv_minor DESC, platform, reason
