-- Rooms that feeds see and the roster lacks.
INSERT INTO room_unlisted (feed, platform, external_id, first_at, last_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
ON CONFLICT (feed, external_id) DO UPDATE SET last_at = excluded.last_at
