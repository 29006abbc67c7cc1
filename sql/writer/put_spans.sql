-- A span is told when it opens and again when it ends, in any order; an end once known stays. A new one touches all its
-- minutes, and the one after, into which numbers of viewers would have held; an end that was not known, all since then.
WITH told AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
        AS t (place, feed, platform, external_id, from_at, to_at, cause)
),
known AS (
    SELECT told.*, room.room_id FROM told LEFT JOIN room USING (platform, external_id)
    WHERE told.external_id IS NULL OR room.room_id IS NOT NULL
),
one AS (
    SELECT feed, room_id, from_at, max(to_at) AS to_at, min(cause) AS cause, min(platform) AS platform
    FROM known GROUP BY feed, room_id, from_at
),
mark AS (
    INSERT INTO minute_touched (minute, platform, until)
    SELECT DISTINCT
        date_bin('1 minute', CASE WHEN had.feed IS NULL THEN one.from_at ELSE one.to_at END, timestamptz '2000-01-01 00:00:00+00'),
        one.platform, CASE WHEN had.feed IS NULL THEN coalesce(one.to_at + interval '1 minute', now()) ELSE now() END
    FROM one
    LEFT JOIN blind AS had
        ON had.feed = one.feed AND had.room_id IS NOT DISTINCT FROM one.room_id AND had.from_at = one.from_at
    WHERE had.feed IS NULL OR (had.to_at IS NULL AND one.to_at IS NOT NULL)
),
put AS (
    INSERT INTO blind (feed, room_id, from_at, to_at, cause)
    SELECT feed, room_id, from_at, to_at, cause FROM one
    ON CONFLICT (feed, room_id, from_at) DO UPDATE SET to_at = coalesce(blind.to_at, excluded.to_at)
)
SELECT told.place FROM told LEFT JOIN known USING (place) WHERE known.place IS NULL
