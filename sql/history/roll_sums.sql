-- Sums of minute $1 over platform $2 and over its halls, cities, categories and tiers: of its rooms out of session_minute,
-- and of its sales without a room by the rule of sale_place. A room counts where the roster has it now.
INSERT INTO minute_sum (
    minute, platform, dimension, value, rooms_live, air_us, blind_us, measured_us, viewer_us, drops, created, orders,
    gmv_minor, units, refunds, refunds_minor, gifts, gifts_minor, orders_other_currency
)
SELECT
    $1::timestamptz, $2, dimension, value, sum(rooms_live), sum(air_us), sum(blind_us), sum(measured_us), sum(viewer_us),
    sum(drops), sum(created), sum(orders), sum(gmv_minor), coalesce(sum(units), 0), sum(refunds),
    coalesce(sum(refunds_minor), 0), sum(gifts), coalesce(sum(gifts_minor), 0), sum(orders_other_currency)
FROM (
    SELECT
        side.dimension, side.value, count(DISTINCT done.room_id) FILTER (WHERE done.air_us > 0) AS rooms_live,
        sum(done.air_us) AS air_us, sum(done.blind_us) AS blind_us, sum(done.measured_us) AS measured_us,
        sum(done.viewer_us) AS viewer_us, sum(done.drops) AS drops, sum(done.created) AS created,
        sum(done.orders) AS orders, sum(done.gmv_minor) AS gmv_minor, sum(done.units) AS units,
        sum(done.refunds) AS refunds, sum(done.refunds_minor) AS refunds_minor, sum(done.gifts) AS gifts,
        sum(done.gifts_minor) AS gifts_minor, sum(done.orders_other_currency) AS orders_other_currency
    FROM session_minute AS done
    JOIN room ON room.room_id = done.room_id
    CROSS JOIN LATERAL (
        VALUES ('platform', ''), ('hall', nullif(room.hall, '')), ('city', nullif(room.city, '')),
            ('category', nullif(room.category, '')), ('tier', room.tier::text)
    ) AS side (dimension, value)
    WHERE done.minute = $1::timestamptz AND done.platform = $2 AND side.value IS NOT NULL
    GROUP BY side.dimension, side.value
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
    FROM sale_place AS sale
    CROSS JOIN setting
    CROSS JOIN LATERAL (SELECT sale.currency = setting.event_currency AS ours) AS money
    CROSS JOIN LATERAL (VALUES ('platform', ''), ('hall', sale.hall), ('city', sale.city)) AS side (dimension, value)
    WHERE sale.at >= $1::timestamptz AND sale.at < $1::timestamptz + interval '1 minute' AND sale.platform = $2
        AND sale.room_id IS NULL AND side.value IS NOT NULL
    GROUP BY side.dimension, side.value
) AS contribution
GROUP BY dimension, value
