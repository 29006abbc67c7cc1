-- Rooms that the database has otherwise than the mirror: another room under the id, or another id for the room.
-- Asked apart, so that each is a join by a key: as one condition it compared every room with every other, for 12,000 of
-- them longer than a connect may take.
WITH told AS (SELECT * FROM unnest($1::int[], $2::text[], $3::text[]) AS t (room_id, platform, external_id))
SELECT told.platform, told.external_id, told.room_id AS ours, room.room_id AS theirs
FROM told
JOIN room ON room.room_id = told.room_id
WHERE room.platform <> told.platform OR room.external_id <> told.external_id
UNION ALL
SELECT told.platform, told.external_id, told.room_id, room.room_id
FROM told
JOIN room ON room.platform = told.platform AND room.external_id = told.external_id
WHERE room.room_id <> told.room_id
LIMIT 5
