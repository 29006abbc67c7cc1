SELECT
  sale.platform, CASE
    WHEN sale.attributed_at IS NULL THEN '«尚未归属|not looked at yet»'
    WHEN sale.room_id IS NOT NULL THEN '«下单时不在场次内|no session open»'
    WHEN sale.room IS NULL THEN '«订单未注明直播间|no room told»'
    ELSE '«直播间不在名册内|room not in the roster»'
  END AS reason,
  count(*) AS events,
  count(DISTINCT (sale.shop, coalesce(nullif(sale.order_id, ''), sale.event_id))) AS orders,
  in_major(sum(sale.amount_minor)::bigint, sale.currency) AS gmv,
  min(sale.at) AS first_at, max(sale.at) AS last_at
FROM sale
WHERE sale.session_id IS NULL AND sale.kind = 'paid' AND sale.platform ~ '^(${platform:pipe})$'
  AND sale.at >= greatest($__timeTo()::timestamptz - interval '1 day', $__timeFrom(), (SELECT event_starts_at FROM setting))
  AND sale.at < least($__timeTo()::timestamptz, (SELECT event_ends_at FROM setting))
  AND sale.currency = (SELECT event_currency FROM setting)
GROUP BY sale.platform, reason, sale.currency
ORDER BY sum(sale.amount_minor) DESC, sale.platform, reason
LIMIT 100
