-- Marks of the minute that goes on (and of the one just over), $1 at most, after this platform and minute: a round asks
-- on from where it was, or platforms that are marked all the time would be all it ever sees.
WITH wanted AS (
    SELECT minute, platform
    FROM minute_touched
    WHERE until IS NULL AND minute <= now()
        AND minute >= date_bin('1 minute', now() - interval '5 seconds', timestamptz '2000-01-01 00:00:00+00')
        AND (platform, minute) > ($2::text, $3::timestamptz)
    GROUP BY minute, platform
    ORDER BY platform, minute
    LIMIT $1
),
gone AS (
    DELETE FROM minute_touched AS mark USING wanted
    WHERE mark.minute = wanted.minute AND mark.platform = wanted.platform AND mark.until IS NULL
    RETURNING mark.minute, mark.platform
)
SELECT DISTINCT minute, platform FROM gone ORDER BY platform, minute
