-- Any change makes its session known; which of them comes first does not matter. Until its end is told, it goes on: all
-- minutes from its beginning are touched.
WITH put AS (
    INSERT INTO session (session_id, room_id, opened_at)
    SELECT DISTINCT told.session_id, room.room_id, told.opened_at
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
        AS told (session_id, platform, external_id, opened_at)
    JOIN room USING (platform, external_id)
    ON CONFLICT (session_id) DO NOTHING
    RETURNING room_id, opened_at
)
INSERT INTO minute_touched (minute, platform, until)
SELECT date_bin('1 minute', min(put.opened_at), timestamptz '2000-01-01 00:00:00+00'), room.platform, now()
FROM put
JOIN room ON room.room_id = put.room_id
GROUP BY room.platform
