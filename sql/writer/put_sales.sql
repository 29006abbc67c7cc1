-- One row per business fact. Returns the event ids that are new.
INSERT INTO sale (platform, event_id, at, received_at, feed, room, room_id, shop, order_id, kind, amount_minor, currency,
    units, buyer, via)
SELECT told.platform, event_id, at, received_at, feed, told.external_id, room.room_id, told.shop, order_id, kind, amount_minor,
    currency, units, buyer, via
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::bigint[], $11::text[], $12::int[], $13::bytea[], $14::text[])
    AS told (platform, event_id, at, received_at, feed, external_id, shop, order_id, kind, amount_minor, currency, units,
        buyer, via)
LEFT JOIN room ON room.platform = told.platform AND room.external_id = told.external_id
ON CONFLICT (platform, event_id) DO NOTHING
RETURNING platform, event_id
