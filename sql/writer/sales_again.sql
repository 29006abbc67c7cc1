-- New sales ($1 platforms, $2 event ids) of an order, or a buyer in a shop, of which there is another row of the kind: all of
-- these are flagged, so that the sums look for an earlier one only there (sale_counted). Marked are the minutes of the day (25
-- hours, the longest) whose rows counted an order or a buyer that an earlier one counts now.
WITH fresh AS (
    SELECT sale.platform, sale.event_id, sale.at, sale.kind, sale.shop, sale.order_id, sale.buyer
    FROM unnest($1::text[], $2::text[]) AS told (platform, event_id)
    JOIN sale ON sale.platform = told.platform AND sale.event_id = told.event_id
),
kin AS MATERIALIZED (
    SELECT fresh.platform, fresh.event_id, fresh.at, other.event_id AS other_id, other.at AS other_at, other.room_id, true AS of_order
    FROM fresh
    JOIN sale AS other ON other.order_id = fresh.order_id AND other.shop = fresh.shop
    WHERE fresh.kind = 'paid' AND other.kind = 'paid' AND fresh.order_id <> ''
        AND other.platform = fresh.platform AND other.event_id <> fresh.event_id
    UNION ALL
    SELECT fresh.platform, fresh.event_id, fresh.at, other.event_id AS other_id, other.at AS other_at, other.room_id, true AS of_order
    FROM fresh
    JOIN sale AS other ON other.order_id = fresh.order_id AND other.shop = fresh.shop
    WHERE fresh.kind = 'refunded' AND other.kind = 'refunded' AND fresh.order_id <> ''
        AND other.platform = fresh.platform AND other.event_id <> fresh.event_id
    UNION ALL
    SELECT fresh.platform, fresh.event_id, fresh.at, other.event_id AS other_id, other.at AS other_at, other.room_id, true AS of_order
    FROM fresh
    JOIN sale AS other ON other.order_id = fresh.order_id AND other.shop = fresh.shop
    WHERE fresh.kind = 'created' AND other.kind = 'created' AND fresh.order_id <> '' AND other.order_id <> ''
        AND other.platform = fresh.platform AND other.event_id <> fresh.event_id
    UNION ALL
    SELECT fresh.platform, fresh.event_id, fresh.at, other.event_id, other.at, other.room_id, false
    FROM fresh
    JOIN sale AS other ON other.buyer = fresh.buyer AND other.shop = fresh.shop
    WHERE fresh.kind = 'paid' AND other.kind = 'paid' AND other.platform = fresh.platform AND other.event_id <> fresh.event_id
),
flagged AS (
    UPDATE sale SET order_again = sale.order_again OR told.of_order, buyer_again = sale.buyer_again OR told.of_buyer
    FROM (
        SELECT platform, event_id, bool_or(of_order) AS of_order, bool_or(NOT of_order) AS of_buyer
        FROM (
            SELECT platform, event_id, of_order FROM kin
            UNION ALL
            SELECT platform, other_id, of_order FROM kin
        ) AS either
        GROUP BY platform, event_id
    ) AS told
    WHERE sale.platform = told.platform AND sale.event_id = told.event_id
        AND (told.of_order AND NOT sale.order_again OR told.of_buyer AND NOT sale.buyer_again)
)
INSERT INTO minute_touched (minute, platform)
SELECT DISTINCT date_bin('1 minute', kin.other_at, timestamptz '2000-01-01 00:00:00+00'), side.platform
FROM kin
LEFT JOIN room ON room.room_id = kin.room_id
CROSS JOIN LATERAL (VALUES (kin.platform), (room.platform)) AS side (platform)
WHERE kin.other_at >= kin.at AND kin.other_at < kin.at + interval '25 hours' AND side.platform IS NOT NULL
