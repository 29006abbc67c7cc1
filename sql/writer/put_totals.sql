-- What a platform itself says of a session's money. The same one twice is one row; a room that is not there has none.
INSERT INTO platform_total (room_id, at, session_id, gmv_minor, currency)
SELECT room.room_id, told.at, told.session_id, told.gmv_minor, told.currency
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::uuid[], $5::bigint[], $6::text[])
    AS told (platform, external_id, at, session_id, gmv_minor, currency)
JOIN room USING (platform, external_id)
ON CONFLICT (room_id, at) DO NOTHING
