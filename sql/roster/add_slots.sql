-- $1 room ids, $2 starts, $3 ends: the slots that come, side by side.
INSERT INTO schedule (room_id, starts_at, ends_at)
SELECT room_id, starts_at, ends_at FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS s (room_id, starts_at, ends_at);
