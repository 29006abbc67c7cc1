-- The closed minute between $1 and $2 in which most people watched, over all platforms.
SELECT minute AS at, round(sum(viewers))::bigint AS viewers
FROM event_minute
WHERE minute >= $1::timestamptz AND minute < least($2::timestamptz, date_trunc('minute', now())) AND viewers > 0
GROUP BY minute
ORDER BY sum(viewers) DESC, minute
LIMIT 1
