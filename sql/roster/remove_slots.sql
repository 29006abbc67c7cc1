-- $1 room ids, $2 starts: the slots that go, side by side.
DELETE FROM schedule AS s USING unnest($1::int[], $2::timestamptz[]) AS gone (room_id, starts_at)
WHERE s.room_id = gone.room_id AND s.starts_at = gone.starts_at;
