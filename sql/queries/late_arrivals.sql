-- Three figures of one day that are all true: as cut at 00:15, what arrived later, and now. 日结、迟到、现值三个数。
-- cut: as fixed in day_cut. late: paid that day, received after the cut. now: all that is known. now = cut + late.
-- Refunds are those made that day. 日结为次日00:15的定格；迟到为此后才收到的当天订单。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) - 1 AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT greatest(day_starts_at(day), event_starts_at) AS from_at, least(day_starts_at(day + 1), event_ends_at) AS to_at
    FROM asked CROSS JOIN setting
), cut AS MATERIALIZED (
    SELECT day_cut.* FROM asked JOIN day_cut ON day_cut.day = asked.day
), fixed AS (
    -- What is not in the cut of a day that was cut was nothing by then.
    SELECT max(as_of) AS as_of, CASE WHEN count(*) > 0 THEN 0 END AS nothing FROM cut
), told AS (
    SELECT
        sale.platform, sale.currency, sale.kind, sale.amount_minor, sale.received_at,
        sale.received_at > (SELECT as_of FROM fixed) AS late,
        (sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id)) AS order_key
    FROM sale
    WHERE sale.kind IN ('paid', 'refunded')
        AND sale.at >= (SELECT from_at FROM span) AND sale.at < (SELECT to_at FROM span)
), counted AS (
    SELECT
        platform, currency,
        count(DISTINCT order_key) FILTER (WHERE kind = 'paid') AS orders,
        coalesce(sum(amount_minor) FILTER (WHERE kind = 'paid'), 0) AS gmv_minor,
        sum(amount_minor) FILTER (WHERE kind = 'paid' AND late) AS late_minor,
        coalesce(sum(abs(amount_minor)) FILTER (WHERE kind = 'refunded'), 0) AS refunds_minor,
        max(received_at) FILTER (WHERE late) AS latest_at
    FROM told
    GROUP BY platform, currency
)
SELECT
    platform AS "平台 Platform",
    fixed.as_of AS "日结时间 Cut at",
    coalesce(cut.orders, fixed.nothing) AS "日结订单 Orders at the cut",
    in_major(coalesce(cut.gmv_minor, fixed.nothing), currency) AS "日结成交额 GMV at the cut",
    coalesce(counted.orders, 0) - coalesce(cut.orders, fixed.nothing) AS "迟到订单 Orders late",
    in_major(coalesce(counted.late_minor, fixed.nothing)::bigint, currency) AS "迟到成交额 GMV late",
    counted.latest_at AS "最晚到达 Latest arrival",
    coalesce(counted.orders, 0) AS "现订单 Orders now",
    in_major(coalesce(counted.gmv_minor, 0)::bigint, currency) AS "现成交额 GMV now",
    in_major(coalesce(cut.refunds_minor, fixed.nothing), currency) AS "日结退款 Refunds at the cut",
    in_major(coalesce(counted.refunds_minor, 0)::bigint, currency) AS "现退款 Refunds now",
    currency::text AS "币种 Currency"
FROM counted
FULL JOIN cut USING (platform, currency)
CROSS JOIN fixed
ORDER BY platform, currency
