-- The best selling items of the day, by units. 当天畅销商品。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
)
SELECT
    item_day.units AS "件数 Units", item_day.orders AS "订单数 Orders", item_day.gmv AS "成交额 GMV",
    item_day.currency::text AS "币种 Currency", item_day.title AS "商品 Title", item_day.platform AS "平台 Platform",
    item_day.item_id AS "商品编号 Item"
FROM asked
JOIN item_day ON item_day.day = asked.day
ORDER BY item_day.units DESC NULLS LAST, item_day.gmv_minor DESC NULLS LAST, item_day.platform, item_day.item_id
LIMIT 20
