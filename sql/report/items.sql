-- The first $3 items by GMV between $1 and $2; the meaning of item_day, asked of the whole span at once: told its two
-- instants, the planner reads each of both tables once. An order that is paid in parts counts once.
SELECT
    platform, item_id, coalesce(max(title), '') AS title,
    count(*) AS orders, sum(units)::bigint AS units, sum(gmv_minor)::bigint AS gmv_minor
FROM (
    SELECT
        sale.platform, item.item_id,
        max(item.title) AS title, sum(item.units) AS units, sum(item.amount_minor) AS gmv_minor
    FROM sale
    JOIN sale_item AS item ON item.platform = sale.platform AND item.event_id = sale.event_id
    WHERE sale.at >= $1::timestamptz AND sale.at < $2::timestamptz
        AND sale.kind = 'paid' AND sale.currency = (SELECT event_currency FROM setting)
    GROUP BY sale.platform, item.item_id, sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id)
) AS ordered
GROUP BY platform, item_id
ORDER BY gmv_minor DESC NULLS LAST, platform, item_id
LIMIT $3::int
