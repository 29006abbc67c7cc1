-- When nobody could see a room: what its feeds cover, less what any of them saw. As in session_exact, over all time.
CREATE OR REPLACE VIEW room_blind AS
SELECT
    room.room_id, room.platform, room.external_id, room.anchor, room.hall,
    lower(dark.part) AS from_at,
    upper(dark.part) AS to_at,
    extract(epoch FROM coalesce(upper(dark.part), now()) - lower(dark.part))::numeric(12, 3) AS blind_s,
    upper(dark.part) IS NULL AS still_open
FROM room
CROSS JOIN LATERAL (
    SELECT unnest(range_agg(eye.covered) - range_agg(eye.covered - eye.shut)) AS part
    FROM (
        SELECT
            range_agg(tstzrange(
                watch.from_at, CASE WHEN watch.to_at IS NOT NULL THEN greatest(watch.to_at, watch.from_at) END
            )) AS covered,
            (
                SELECT coalesce(range_agg(tstzrange(
                    blind.from_at, CASE WHEN blind.to_at IS NOT NULL THEN greatest(blind.to_at, blind.from_at) END
                )), '{}')
                FROM blind
                WHERE blind.feed = watch.feed AND (blind.room_id IS NULL OR blind.room_id = room.room_id)
            ) AS shut
        FROM room_watch AS watch
        WHERE watch.room_id = room.room_id AND NOT watch.silent_by_nature
        GROUP BY watch.feed
    ) AS eye
) AS dark;
COMMENT ON VIEW room_blind IS
    'Spans in which a room was watched and every feed that can tell its state was blind (看不见), as session_summary.blind_s '
    'counts them, also outside sessions. Always ask for few rooms: WHERE room_id = ... Sources: blind, feed_room.';
COMMENT ON COLUMN room_blind.to_at IS 'NULL while it lasts.';
COMMENT ON COLUMN room_blind.blind_s IS 'Length in seconds; of a span that is still open, until now.';
