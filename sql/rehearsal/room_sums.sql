-- Ticks of a rehearsal by room, without those of some instants.
SELECT
    room_id,
    count(*) AS ticks,
    count(*) FILTER (WHERE live) AS live,
    coalesce(sum(viewers) FILTER (WHERE live), 0)::bigint AS viewers
FROM viewer_tick
WHERE at >= $1 AND at < $2 AND at <> ALL ($3::timestamptz[])
GROUP BY room_id
