-- $1 minutes evenly over the history, and some in which feeds went blind and came back, and sessions stopped and resumed.
-- Only such as are over.
WITH bound AS (SELECT min(opened_at) AS first_at, now() - interval '2 minutes' AS last_at FROM session)
SELECT DISTINCT date_bin('1 minute', at, timestamptz '2000-01-01 00:00:00+00') AS minute
FROM (
    SELECT first_at + (last_at - first_at) * (2 * number + 1) / (2 * $1::int) AS at
    FROM bound CROSS JOIN generate_series(0, $1::int - 1) AS number
    UNION ALL
    SELECT date_trunc('hour', first_at) + number * interval '5 hours' - edge.back -- the first and last of an hour
    FROM bound
    CROSS JOIN generate_series(1, 4) AS number
    CROSS JOIN (VALUES (interval '0'), (interval '1 minute')) AS edge (back)
    UNION ALL (SELECT from_at FROM blind ORDER BY from_at DESC LIMIT 2)
    UNION ALL (SELECT to_at FROM blind ORDER BY from_at LIMIT 2)
    UNION ALL (SELECT at FROM session_change WHERE change = 'dropped' ORDER BY at LIMIT 2)
    UNION ALL (SELECT at FROM session_change WHERE change = 'resumed' ORDER BY at LIMIT 2)
    UNION ALL (SELECT at FROM session_change WHERE change = 'closed' ORDER BY at LIMIT 2)
) AS wanted
CROSS JOIN bound
WHERE at < last_at
ORDER BY 1
