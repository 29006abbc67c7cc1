-- The closed minutes between $2 and $3 in steps of $4 minutes counted from $1, by platform.
SELECT
    date_bin(make_interval(mins => $4::int), minute, $1::timestamptz) AS at,
    platform,
    coalesce(sum(viewers), 0)::numeric AS viewer_minutes,
    coalesce(max(rooms_live), 0)::bigint AS rooms_live,
    coalesce(sum(orders), 0)::bigint AS orders,
    coalesce(sum(gmv_minor), 0)::bigint AS gmv_minor
FROM event_minute
WHERE minute >= $2::timestamptz AND minute < least($3::timestamptz, date_trunc('minute', now()))
GROUP BY 1, 2
ORDER BY 1, 2
