-- Any change makes its session known; which of them comes first does not matter.
INSERT INTO session (session_id, room_id, opened_at)
SELECT DISTINCT told.session_id, room.room_id, told.opened_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
    AS told (session_id, platform, external_id, opened_at)
JOIN room USING (platform, external_id)
ON CONFLICT (session_id) DO NOTHING
