-- One row per business fact. Returns the event ids that are new. Room and session are found later, by sql/attribution.
-- What is marked: the minutes of the new, and those of the day (25 hours, the longest) whose rows counted an order or a
-- buyer that an earlier one counts now.
WITH put AS (
    INSERT INTO sale (platform, event_id, at, received_at, feed, room, shop, order_id, kind, amount_minor, currency,
        units, buyer, via)
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::bigint[], $11::text[], $12::int[], $13::bytea[], $14::text[])
    ON CONFLICT (platform, event_id) DO NOTHING
    RETURNING platform, event_id, at, shop, order_id, kind, buyer
),
later AS (
    SELECT later.at, later.platform, later.room_id
    FROM put
    JOIN sale AS later ON later.order_id = put.order_id AND later.shop = put.shop
    WHERE put.kind = 'paid' AND later.kind = 'paid' AND put.order_id <> '' AND later.platform = put.platform
        AND later.at >= put.at AND later.at < put.at + interval '25 hours'
    UNION ALL
    SELECT later.at, later.platform, later.room_id
    FROM put
    JOIN sale AS later ON later.order_id = put.order_id AND later.shop = put.shop
    WHERE put.kind = 'refunded' AND later.kind = 'refunded' AND put.order_id <> '' AND later.platform = put.platform
        AND later.at >= put.at AND later.at < put.at + interval '25 hours'
    UNION ALL
    SELECT later.at, later.platform, later.room_id
    FROM put
    JOIN sale AS later ON later.order_id = put.order_id AND later.shop = put.shop
    WHERE put.kind = 'created' AND later.kind = 'created' AND later.order_id <> '' AND later.platform = put.platform
        AND later.at >= put.at AND later.at < put.at + interval '25 hours'
    UNION ALL
    SELECT later.at, later.platform, later.room_id
    FROM put
    JOIN sale AS later ON later.buyer = put.buyer AND later.shop = put.shop
    WHERE put.kind = 'paid' AND later.kind = 'paid' AND later.platform = put.platform
        AND later.at >= put.at AND later.at < put.at + interval '25 hours'
),
mark AS (
    INSERT INTO minute_touched (minute, platform)
    SELECT date_bin('1 minute', told.at, timestamptz '2000-01-01 00:00:00+00'), told.platform
    FROM (
        SELECT at, platform FROM put
        UNION ALL
        SELECT at, platform FROM later
        UNION ALL
        SELECT later.at, room.platform FROM later JOIN room ON room.room_id = later.room_id
    ) AS told
    GROUP BY 1, 2
)
SELECT platform, event_id FROM put
