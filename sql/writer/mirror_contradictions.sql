-- Rooms that the database has otherwise than the mirror: another room under the id, or another id for the room.
SELECT told.platform, told.external_id, told.room_id AS ours, room.room_id AS theirs
FROM unnest($1::int[], $2::text[], $3::text[]) AS told (room_id, platform, external_id)
JOIN room ON (room.room_id = told.room_id) <> (room.platform = told.platform AND room.external_id = told.external_id)
LIMIT 5
