-- Spans between $1 and $2 in which a whole feed could not be seen, cut at both; an open one ends now.
SELECT
    cut.feed, coalesce(cut.platform, '') AS platform, coalesce(cut.hall, '') AS hall, cut.from_at, cut.to_at,
    cut.still_open, coalesce(cut.cause, '') AS cause
FROM (
    SELECT
        feed, platform, hall, still_open, cause,
        greatest(from_at, $1::timestamptz) AS from_at,
        least(coalesce(to_at, now()), $2::timestamptz) AS to_at
    FROM feed_blind
    WHERE room_id IS NULL AND from_at < $2::timestamptz AND (to_at IS NULL OR to_at > $1::timestamptz)
) AS cut
WHERE cut.to_at > cut.from_at
ORDER BY cut.from_at, cut.feed
