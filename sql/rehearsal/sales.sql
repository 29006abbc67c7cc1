-- What a rehearsal sold, gave back and was given, in the order in which the truth is read. A gift is no order: its event
-- stands for that.
SELECT
    platform, coalesce(shop, '') AS shop, coalesce(nullif(order_id, ''), event_id) AS order_id, kind, amount_minor,
    currency::text AS currency, at, room, event_id
FROM sale
WHERE received_at >= $1 AND kind IN ('paid', 'refunded', 'gift')
ORDER BY platform COLLATE "C", coalesce(nullif(order_id, ''), event_id) COLLATE "C", kind COLLATE "C", at, event_id COLLATE "C"
