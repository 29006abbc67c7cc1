-- What was in the order events of the window, an item a row; in no order. 订单商品。
SELECT sale.at, sale.kind, sale.shop, sale.order_id, sale.room_id, sale.session_id, sale_item.*, sale.currency
FROM sale
JOIN sale_item USING (platform, event_id)
WHERE sale.at >= coalesce($1::timestamptz, '-infinity') AND sale.at < coalesce($2::timestamptz, 'infinity')
