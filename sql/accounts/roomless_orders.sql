-- Paid sales of feeds $1, received since $2 and before $3 (NULL: until now), that name no room: the newest $4.
SELECT feed, shop, order_id, received_at
FROM sale
WHERE room IS NULL AND kind = 'paid' AND order_id <> '' AND feed = ANY ($1::text[])
    AND received_at >= $2::timestamptz AND received_at < coalesce($3::timestamptz, 'infinity')
ORDER BY received_at DESC
LIMIT $4
