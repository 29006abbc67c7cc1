-- Ticks of a rehearsal by frame: those of one feed with one instant. $3 are rooms, $4 the feeds that say how they stand, $5
-- those that only count who watches: their ticks do not say whether a room is on air. $6 are what servers call beside $4, which
-- tells of all its $7 rooms at once: an instant with fewer of them is a call. Each number stands beside the same one weighed
-- with the ids of rooms.
SELECT feed, at, count(*) AS ticks, sum(room_id)::bigint AS ticks_mark,
    count(*) FILTER (WHERE seen) AS live,
    coalesce(sum(room_id) FILTER (WHERE seen), 0)::bigint AS live_mark,
    coalesce(sum(viewers) FILTER (WHERE seen), 0)::bigint AS viewers,
    coalesce(sum(viewers::bigint * room_id) FILTER (WHERE seen), 0)::bigint AS viewers_mark
FROM (
    SELECT
        tick.room_id, tick.at, tick.viewers, coalesce(tick.live, tick.viewers IS NOT NULL) AS seen,
        CASE
            WHEN tick.live IS NULL THEN coalesce(told.counted, told.feed)
            WHEN told.called IS NULL OR count(*) OVER (PARTITION BY told.feed, tick.at) >= told.together THEN told.feed
            ELSE told.called
        END AS feed
    FROM viewer_tick AS tick
    JOIN unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::int[])
        AS told (room_id, feed, counted, called, together) USING (room_id)
    WHERE tick.at >= $1 AND tick.at < $2
) AS sight
GROUP BY 1, 2
ORDER BY 1, 2
