-- When the feeds of a rehearsal could not be seen.
SELECT feed, room_id, from_at, to_at, cause FROM blind WHERE coalesce(to_at, 'infinity') >= $1 ORDER BY feed, from_at
