UPDATE feed_room SET to_at = now()
WHERE to_at IS NULL AND NOT EXISTS (
    SELECT FROM unnest($1::text[], $2::int[]) AS told (feed, room_id)
    WHERE told.feed = feed_room.feed AND told.room_id = feed_room.room_id
)
