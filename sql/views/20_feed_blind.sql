-- Which feeds can tell whether a room is on air, and when they could not be seen.

-- Not granted to readers: a building block of room_now and session_summary. A feed of hooks is silent by nature
-- and never blinds a room, so it is marked; a room that only hooks speak of is never blind.
CREATE OR REPLACE VIEW room_watch AS
SELECT
    feed_room.room_id, feed_room.feed, feed_room.from_at, feed_room.to_at, feed.configured,
    feed.kind LIKE '%\_hooks' OR feed.kind IN ('push_json', 'tencent_live', 'aliyun_live', 'volcengine_live')
        AS silent_by_nature
FROM feed_room
JOIN feed ON feed.feed = feed_room.feed
WHERE 'live' = ANY (feed.signals);
COMMENT ON VIEW room_watch IS 'Per room: the feeds that can tell whether it is on air, and since when they cover it.';

CREATE OR REPLACE VIEW feed_blind AS
SELECT
    blind.feed, feed.platform, feed.hall, blind.room_id, room.external_id, room.anchor, blind.from_at, blind.to_at,
    extract(epoch FROM coalesce(blind.to_at, now()) - blind.from_at)::numeric(12, 3) AS blind_s,
    blind.to_at IS NULL AS still_open,
    blind.cause
FROM blind
LEFT JOIN feed ON feed.feed = blind.feed
LEFT JOIN room ON room.room_id = blind.room_id;
COMMENT ON VIEW feed_blind IS
    'Spans in which a feed could not be seen (看不见). They say nothing about rooms: nobody knows what happened in them.';
COMMENT ON COLUMN feed_blind.room_id IS 'NULL: all rooms of the feed; else only this room could not be seen by it.';
COMMENT ON COLUMN feed_blind.hall IS 'The hall of the feed, where it watches an own server.';
COMMENT ON COLUMN feed_blind.blind_s IS 'Length in seconds; of a span that is still open, until now.';
COMMENT ON COLUMN feed_blind.cause IS 'By what: restart (of livemon itself), clock, reload (of an nginx, by which single rooms are not shown), or the failure of the feed.';
