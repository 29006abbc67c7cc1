SELECT
  max(item.title) AS title, count(DISTINCT (sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id))) AS orders,
  sum(item.units) AS units, in_major(sum(item.amount_minor)::bigint, setting.event_currency) AS gmv,
  sale.platform, sale.shop, item.item_id
FROM sale
CROSS JOIN setting
JOIN sale_item AS item ON item.platform = sale.platform AND item.event_id = sale.event_id
WHERE sale.session_id = substring(${session:sqlstring} from '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid
  AND sale.kind = 'paid' AND sale.currency = setting.event_currency
GROUP BY sale.platform, sale.shop, item.item_id, setting.event_currency
ORDER BY gmv DESC NULLS LAST, units DESC NULLS LAST, item.item_id
LIMIT 100
