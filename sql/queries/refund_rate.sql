-- What was refunded so far of the orders paid that day, by platform. 当天支付订单的退款率（截至目前）。
-- Never final during the event: refunds come for days. Refunds of whatever later day count for the day of their payment.
-- 退款归入订单支付当天；活动期间退款率不是最终值。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT greatest(day_starts_at(day), event_starts_at) AS from_at, least(day_starts_at(day + 1), event_ends_at) AS to_at
    FROM asked CROSS JOIN setting
), paid AS (
    SELECT
        sale.platform, sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id) AS order_key,
        sum(sale.amount_minor) AS amount_minor
    FROM sale CROSS JOIN setting
    WHERE sale.kind = 'paid' AND sale.currency = setting.event_currency
        AND sale.at >= (SELECT from_at FROM span) AND sale.at < (SELECT to_at FROM span)
    GROUP BY 1, 2, 3
), refunded AS (
    SELECT sale.platform, sale.shop, sale.order_id AS order_key, sum(abs(sale.amount_minor)) AS amount_minor
    FROM sale CROSS JOIN setting
    WHERE sale.kind = 'refunded' AND sale.currency = setting.event_currency AND sale.order_id <> ''
        AND sale.at >= (SELECT from_at FROM span)
    GROUP BY 1, 2, 3
)
SELECT
    paid.platform AS "平台 Platform",
    count(*) AS "支付订单 Orders paid",
    count(refunded.order_key) AS "有退款的订单 Orders with refunds",
    round(100.0 * count(refunded.order_key) / count(*), 2) AS "订单退款率% Of orders so far",
    in_major(sum(paid.amount_minor)::bigint, min(setting.event_currency)) AS "成交额 GMV",
    in_major(coalesce(sum(refunded.amount_minor), 0)::bigint, min(setting.event_currency)) AS "已退款 Refunded so far",
    round(100.0 * coalesce(sum(refunded.amount_minor), 0) / nullif(sum(paid.amount_minor), 0), 2)
        AS "金额退款率% Of money so far",
    min(setting.event_currency)::text AS "币种 Currency",
    now() AS "截至 As of"
FROM paid
CROSS JOIN setting
LEFT JOIN refunded USING (platform, shop, order_key)
GROUP BY paid.platform
ORDER BY sum(paid.amount_minor) DESC, paid.platform
