-- The sessions of a rehearsal.
SELECT room_id, opened_at, closed_at, close_reason FROM session
WHERE coalesce(closed_at, 'infinity') >= $1 ORDER BY room_id, opened_at
