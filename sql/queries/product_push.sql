-- One item minute by minute around its push: ten minutes before, twenty after. 单品讲解前后每分钟销量。
-- Nothing tells us when a broadcaster shows an item; so the push is taken to begin in the first minute that sold at least
-- half as many units as the item's best minute of the day. 讲解起点：当天首个销量达到最高分钟一半的分钟。
-- "Of its phase" is the average of all minutes before, and of all from the push on; minutes to come are left out.
WITH asked AS NOT MATERIALIZED (
    SELECT
        event_date(now()) AS day, -- edit: DATE '2026-11-19' 修改日期
        NULL::text AS platform, -- edit: 'doudian'; NULL: of the best seller 平台，留空为当天销量第一
        NULL::text AS item_id -- edit: '3601'; NULL: the best seller of the day 商品编号，留空为当天销量第一
), span AS (
    SELECT day_starts_at(day) AS from_at, least(day_starts_at(day + 1), now()) AS to_at FROM asked
), chosen AS MATERIALIZED (
    SELECT item_day.platform, item_day.item_id, item_day.title
    FROM asked
    JOIN item_day ON item_day.day = asked.day
    WHERE item_day.platform = coalesce(asked.platform, item_day.platform)
        AND item_day.item_id = coalesce(asked.item_id, item_day.item_id)
    ORDER BY item_day.units DESC NULLS LAST, item_day.platform, item_day.item_id
    LIMIT 1
), sold AS MATERIALIZED (
    SELECT
        date_bin('1 minute', sale.at, timestamptz '2000-01-01 00:00:00+00') AS minute,
        count(DISTINCT (sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id))) AS orders,
        sum(sale_item.units) AS units
    FROM chosen
    JOIN sale_item ON sale_item.platform = chosen.platform AND sale_item.item_id = chosen.item_id
    JOIN sale ON sale.platform = sale_item.platform AND sale.event_id = sale_item.event_id
    WHERE sale.kind = 'paid' AND sale.at >= (SELECT from_at FROM span) AND sale.at < (SELECT to_at FROM span)
    GROUP BY 1
), push AS (
    SELECT min(minute) AS begins_at FROM sold WHERE units * 2 >= (SELECT max(units) FROM sold)
)
SELECT
    minutes.minute AS "分钟 Minute", minutes.number AS "距讲解起点 Minutes from push",
    CASE WHEN minutes.number < 0 THEN '之前 before' ELSE '之后 after' END AS "阶段 Phase",
    coalesce(sold.units, 0) AS "件数 Units", coalesce(sold.orders, 0) AS "订单数 Orders",
    round(avg(coalesce(sold.units, 0)) OVER (PARTITION BY minutes.number < 0), 2)
        AS "本阶段每分钟件数 Units per minute of its phase",
    chosen.platform AS "平台 Platform", chosen.item_id AS "商品编号 Item", chosen.title AS "商品 Title"
FROM chosen
CROSS JOIN push
CROSS JOIN LATERAL (
    SELECT number, push.begins_at + number * interval '1 minute' AS minute FROM generate_series(-10, 19) AS number
) AS minutes
LEFT JOIN sold ON sold.minute = minutes.minute
WHERE minutes.minute < (SELECT to_at FROM span)
ORDER BY minutes.number
