-- Rooms as the spool knows them, with the ids they were given. A database restored from before gets them back.
INSERT INTO room (room_id, platform, external_id, anchor, broadcaster, hall, city, category, tier, fans, shop, account,
    contact, notes, active)
SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::smallint[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bool[])
ON CONFLICT DO NOTHING
RETURNING room_id
