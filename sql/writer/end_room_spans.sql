-- A span of one room ends where its whole feed went blind: so it does although nobody was left to tell of its end (we
-- were killed). Whichever of the two is written first. Its minutes since then are summed anew.
WITH ended AS (
    UPDATE blind SET to_at = (
        SELECT min(whole.from_at) FROM blind AS whole
        WHERE whole.feed = blind.feed AND whole.room_id IS NULL AND whole.from_at >= blind.from_at
    )
    WHERE feed = ANY ($1::text[]) AND room_id IS NOT NULL AND to_at IS NULL
        AND EXISTS (
            SELECT FROM blind AS whole
            WHERE whole.feed = blind.feed AND whole.room_id IS NULL AND whole.from_at >= blind.from_at
        )
    RETURNING room_id, to_at
)
INSERT INTO minute_touched (minute, platform, until)
SELECT DISTINCT date_bin('1 minute', ended.to_at, timestamptz '2000-01-01 00:00:00+00'), room.platform, now()
FROM ended JOIN room USING (room_id)
