-- What came into the roster since, and what has not been seen for a day.
DELETE FROM room_unlisted WHERE last_at < now() - interval '1 day'
    OR EXISTS (SELECT FROM room WHERE room.active AND (room.platform, room.external_id) = (room_unlisted.platform, room_unlisted.external_id))
