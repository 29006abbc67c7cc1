-- A span is told when it opens and again when it ends, in any order; an end once known stays.
WITH told AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
        AS t (place, feed, platform, external_id, from_at, to_at, cause)
),
known AS (
    SELECT told.*, room.room_id FROM told LEFT JOIN room USING (platform, external_id)
    WHERE told.external_id IS NULL OR room.room_id IS NOT NULL
),
one AS (
    SELECT feed, room_id, from_at, max(to_at) AS to_at, min(cause) AS cause FROM known GROUP BY feed, room_id, from_at
),
put AS (
    INSERT INTO blind (feed, room_id, from_at, to_at, cause)
    SELECT feed, room_id, from_at, to_at, cause FROM one
    ON CONFLICT (feed, room_id, from_at) DO UPDATE SET to_at = coalesce(blind.to_at, excluded.to_at)
)
SELECT told.place FROM told LEFT JOIN known USING (place) WHERE known.place IS NULL
