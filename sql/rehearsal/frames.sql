-- Ticks of a rehearsal by frame: those of one feed with one instant. Rooms on own servers are told of by the feed of their
-- hall, all others by the relay of their platform, or, where that is among $3, each by itself. Each number stands beside the same one weighed with the ids of rooms.
SELECT
    CASE
        WHEN room.platform = 'nginx_rtmp' THEN 'hall-' || lower(room.hall)
        WHEN room.platform = ANY ($3::text[]) THEN 'live-' || room.platform || ':' || room.external_id
        ELSE 'relay-' || room.platform
    END AS feed,
    tick.at,
    count(*) AS ticks,
    sum(tick.room_id)::bigint AS ticks_mark,
    count(*) FILTER (WHERE tick.live) AS live,
    coalesce(sum(tick.room_id) FILTER (WHERE tick.live), 0)::bigint AS live_mark,
    coalesce(sum(tick.viewers) FILTER (WHERE tick.live), 0)::bigint AS viewers,
    coalesce(sum(tick.viewers::bigint * tick.room_id) FILTER (WHERE tick.live), 0)::bigint AS viewers_mark
FROM viewer_tick AS tick
JOIN room USING (room_id)
WHERE tick.at >= $1 AND tick.at < $2
GROUP BY 1, 2
ORDER BY 1, 2
