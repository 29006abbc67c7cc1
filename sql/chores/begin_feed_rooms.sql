INSERT INTO feed_room (feed, room_id, from_at)
SELECT told.feed, told.room_id, now() FROM unnest($1::text[], $2::int[]) AS told (feed, room_id)
WHERE NOT EXISTS (
    SELECT FROM feed_room WHERE to_at IS NULL AND feed_room.feed = told.feed AND feed_room.room_id = told.room_id
)
ON CONFLICT DO NOTHING
