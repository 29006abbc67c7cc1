-- Sums of minute $1 over platform $2 and over its halls, cities, categories and tiers: of its rooms out of session_minute,
-- and of its sales without a room by the rule of sale_place. A room counts where the roster has it now.
INSERT INTO minute_sum (
    minute, platform, dimension, value, rooms_live, air_us, blind_us, measured_us, viewer_us, drops, created, orders,
    gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency
)
WITH of_room AS (
    -- Each room once, whatever sessions it had; then each place once: thousands of rooms share a few.
    SELECT
        room_id, (sum(air_us) FILTER (WHERE air_us > 0) IS NOT NULL)::int AS live, sum(air_us) AS air_us,
        sum(blind_us) AS blind_us, sum(measured_us) AS measured_us, sum(viewer_us) AS viewer_us, sum(drops) AS drops,
        sum(created) AS created, sum(orders) AS orders, sum(gmv_minor) AS gmv_minor, sum(units) AS units,
        sum(refunds) AS refunds, sum(refunds_minor) AS refunds_minor, sum(gifts) AS gifts,
        sum(gifts_minor) AS gifts_minor, sum(orders_other_currency) AS orders_other_currency
    FROM session_minute
    WHERE minute = $1::timestamptz AND platform = $2
    GROUP BY room_id
),
of_place AS MATERIALIZED (
    SELECT
        nullif(room.hall, '') AS hall, nullif(room.city, '') AS city, nullif(room.category, '') AS category,
        room.tier::text AS tier, sum(done.live) AS rooms_live, sum(done.air_us) AS air_us,
        sum(done.blind_us) AS blind_us, sum(done.measured_us) AS measured_us, sum(done.viewer_us) AS viewer_us,
        sum(done.drops) AS drops, sum(done.created) AS created, sum(done.orders) AS orders,
        sum(done.gmv_minor) AS gmv_minor, sum(done.units) AS units, sum(done.refunds) AS refunds,
        sum(done.refunds_minor) AS refunds_minor, sum(done.gifts) AS gifts, sum(done.gifts_minor) AS gifts_minor,
        sum(done.orders_other_currency) AS orders_other_currency
    FROM of_room AS done
    JOIN room ON room.room_id = done.room_id
    GROUP BY room.hall, room.city, room.category, room.tier
),
roomless AS MATERIALIZED (
    -- Apart, so that the looks for an earlier row are planned once, not again for each sum.
    SELECT kind, amount_minor, units, first_of_order, hall, city, currency = (SELECT event_currency FROM setting) AS ours
    FROM sale_place
    WHERE at >= $1::timestamptz AND at < $1::timestamptz + interval '1 minute' AND platform = $2 AND room_id IS NULL
)
SELECT
    $1::timestamptz, $2, dimension, value, sum(rooms_live), sum(air_us), sum(blind_us), sum(measured_us), sum(viewer_us),
    sum(drops), sum(created), sum(orders), sum(gmv_minor), coalesce(sum(units), 0), sum(refunds),
    coalesce(sum(refunds_minor), 0), sum(gifts), coalesce(sum(gifts_minor), 0), sum(orders_other_currency)
FROM (
    SELECT
        side.dimension, side.value, rooms_live, air_us, blind_us, measured_us, viewer_us, drops, created, orders,
        gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency
    FROM of_place
    CROSS JOIN LATERAL (
        VALUES ('platform', ''), ('hall', hall), ('city', city), ('category', category), ('tier', tier)
    ) AS side (dimension, value)
    WHERE side.value IS NOT NULL
    UNION ALL
    SELECT
        side.dimension, side.value, 0, 0, 0, 0, 0, 0,
        count(*) FILTER (WHERE sale.kind = 'created' AND ours AND sale.first_of_order),
        count(*) FILTER (WHERE sale.kind = 'paid' AND ours AND sale.first_of_order),
        coalesce(sum(sale.amount_minor) FILTER (WHERE sale.kind = 'paid' AND ours), 0),
        sum(sale.units) FILTER (WHERE sale.kind = 'paid' AND ours),
        count(*) FILTER (WHERE sale.kind = 'refunded' AND ours AND sale.first_of_order),
        sum(abs(sale.amount_minor)) FILTER (WHERE sale.kind = 'refunded' AND ours),
        count(*) FILTER (WHERE sale.kind = 'gift' AND ours),
        sum(sale.amount_minor) FILTER (WHERE sale.kind = 'gift' AND ours),
        count(*) FILTER (WHERE sale.kind = 'paid' AND NOT ours AND sale.first_of_order)
    FROM roomless AS sale
    CROSS JOIN LATERAL (VALUES ('platform', ''), ('hall', sale.hall), ('city', sale.city)) AS side (dimension, value)
    WHERE side.value IS NOT NULL
    GROUP BY side.dimension, side.value
) AS contribution
GROUP BY dimension, value
