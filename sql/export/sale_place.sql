-- Every order event and gift, with its room or shop, city and hall, without its buyer; in no order. 订单事件。
SELECT * FROM sale_place
WHERE at >= coalesce($1::timestamptz, '-infinity') AND at < coalesce($2::timestamptz, 'infinity')
