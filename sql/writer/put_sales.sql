-- One row per business fact. Returns the event ids that are new. Room and session are found later, by sql/attribution.
WITH put AS (
    INSERT INTO sale (platform, event_id, at, received_at, feed, room, shop, order_id, kind, amount_minor, currency,
        units, buyer, via)
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::bigint[], $11::text[], $12::int[], $13::bytea[], $14::text[])
    ON CONFLICT (platform, event_id) DO NOTHING
    RETURNING platform, event_id, at
),
mark AS (
    INSERT INTO minute_touched (minute, platform)
    SELECT DISTINCT date_bin('1 minute', at, timestamptz '2000-01-01 00:00:00+00'), platform FROM put
)
SELECT platform, event_id FROM put
