-- Ticks of a rehearsal by room, without those of some instants. One that only counts who watches says that somebody does.
SELECT
    room_id,
    count(*) AS ticks,
    count(*) FILTER (WHERE coalesce(live, viewers IS NOT NULL)) AS live,
    coalesce(sum(viewers) FILTER (WHERE live IS NOT FALSE), 0)::bigint AS viewers
FROM viewer_tick
WHERE at >= $1 AND at < $2 AND at <> ALL ($3::timestamptz[])
GROUP BY room_id
