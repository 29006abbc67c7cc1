-- minute_sum of one day: rooms by platform and by four of their traits, and money of sales without a room by platform,
-- hall and city. No room has two sessions in one minute here, so its rows are counted.
INSERT INTO minute_sum (
    minute, platform, dimension, value, rooms_live, air_us, blind_us, measured_us, viewer_us, drops, created, orders,
    gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency
)
WITH part AS (
    SELECT m.*, room.hall, room.city, room.category, room.tier::text AS tier, NULL::int AS roomless
    FROM session_minute AS m
    JOIN room USING (room_id)
    WHERE minute >= $1 AND minute < $2
    UNION ALL
    SELECT
        date_trunc('minute', at), platform, NULL, NULL, 0, 0, 0, 0, NULL, NULL, NULL, 0,
        (kind = 'created' AND currency = 'CNY')::int, (kind = 'paid' AND currency = 'CNY')::int,
        CASE WHEN kind = 'paid' AND currency = 'CNY' THEN amount_minor ELSE 0 END,
        CASE WHEN kind = 'paid' AND currency = 'CNY' THEN units ELSE 0 END,
        (kind = 'refunded' AND currency = 'CNY')::int,
        CASE WHEN kind = 'refunded' AND currency = 'CNY' THEN -amount_minor ELSE 0 END,
        (kind = 'gift' AND currency = 'CNY')::int,
        CASE WHEN kind = 'gift' AND currency = 'CNY' THEN amount_minor ELSE 0 END,
        (kind = 'paid' AND currency <> 'CNY')::int,
        coalesce(hall, ''), coalesce(city, ''), '', '', 1
    FROM sale_place
    WHERE at >= $1 AND at < $2 AND room_id IS NULL
)
SELECT
    minute, platform, trait.dimension, trait.value, count(*) FILTER (WHERE air_us > 0), sum(air_us),
    sum(blind_us), sum(measured_us), sum(viewer_us), sum(drops), sum(created), sum(orders), sum(gmv_minor), sum(units),
    sum(refunds), sum(refunds_minor), sum(gifts), sum(gifts_minor), sum(orders_other_currency)
FROM part
CROSS JOIN LATERAL (
    VALUES ('platform', ''), ('hall', hall), ('city', city), ('category', category), ('tier', tier)
) AS trait (dimension, value)
WHERE trait.dimension = 'platform' OR trait.value <> ''
GROUP BY minute, platform, trait.dimension, trait.value
ORDER BY minute
