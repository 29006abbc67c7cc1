-- Ticks of a rehearsal by frame: those of one feed with one instant. $3 are rooms, $4 the feeds that say how they stand, $5
-- those that only count who watches: their ticks do not say whether a room is on air. Each number stands beside the same one
-- weighed with the ids of rooms.
SELECT
    CASE WHEN tick.live IS NULL THEN coalesce(told.counted, told.feed) ELSE told.feed END AS feed,
    tick.at,
    count(*) AS ticks,
    sum(tick.room_id)::bigint AS ticks_mark,
    count(*) FILTER (WHERE seen) AS live,
    coalesce(sum(tick.room_id) FILTER (WHERE seen), 0)::bigint AS live_mark,
    coalesce(sum(tick.viewers) FILTER (WHERE seen), 0)::bigint AS viewers,
    coalesce(sum(tick.viewers::bigint * tick.room_id) FILTER (WHERE seen), 0)::bigint AS viewers_mark
FROM viewer_tick AS tick
JOIN unnest($3::int[], $4::text[], $5::text[]) AS told (room_id, feed, counted) USING (room_id)
CROSS JOIN LATERAL (SELECT coalesce(tick.live, tick.viewers IS NOT NULL) AS seen) AS sight
WHERE tick.at >= $1 AND tick.at < $2
GROUP BY 1, 2
ORDER BY 1, 2
