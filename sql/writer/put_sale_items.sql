INSERT INTO sale_item (platform, event_id, item_id, title, units, amount_minor)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[])
ON CONFLICT (platform, event_id, item_id) DO NOTHING
