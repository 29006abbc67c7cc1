-- What a rehearsal sold and gave back, in the order in which the truth is read.
SELECT platform, shop, order_id, kind, amount_minor, currency::text AS currency, at, room, event_id
FROM sale
WHERE received_at >= $1 AND kind IN ('paid', 'refunded')
ORDER BY platform COLLATE "C", order_id COLLATE "C", kind COLLATE "C", at, event_id COLLATE "C"
