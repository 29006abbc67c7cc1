-- One row per change; (session, number) is its natural key. Returns the numbers of the rows of the input that are new
-- (`true`), there already or told twice (`false`), or of a room that is not in the roster (NULL).
WITH told AS (
    SELECT * FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::timestamptz[], $7::text[], $8::text[])
        AS t (place, session_id, platform, external_id, number, at, change, cause)
),
put AS (
    INSERT INTO session_change (session_id, number, room_id, at, change, cause)
    SELECT session_id, number, room_id, at, change, cause FROM told JOIN room USING (platform, external_id)
    ON CONFLICT (session_id, number) DO NOTHING
    RETURNING session_id, number
)
SELECT told.place, CASE WHEN room.room_id IS NOT NULL
    THEN put.number IS NOT NULL AND told.place = min(told.place) OVER (PARTITION BY session_id, number) END AS is_new
FROM told
LEFT JOIN room USING (platform, external_id)
LEFT JOIN put USING (session_id, number)
