-- Marks of minutes that are over, $1 minutes of platforms at most: the oldest hour first, and in it platform by platform,
-- so that an hour is summed once for many of its minutes. What comes in after this statement began stays marked.
-- Nothing can be kept of instants more than 400 days away: such a mark goes, and is not returned.
WITH wanted AS (
    SELECT minute, platform
    FROM minute_touched
    WHERE until IS NULL
        AND minute < date_bin('1 minute', now() - interval '5 seconds', timestamptz '2000-01-01 00:00:00+00')
    GROUP BY minute, platform
    ORDER BY date_bin('1 hour', minute, timestamptz '2000-01-01 00:00:00+00'), platform, minute
    LIMIT $1
),
gone AS (
    DELETE FROM minute_touched AS mark USING wanted
    WHERE mark.minute = wanted.minute AND mark.platform = wanted.platform AND mark.until IS NULL
    RETURNING mark.minute, mark.platform
)
SELECT DISTINCT minute, platform FROM gone WHERE minute > now() - interval '399 days' ORDER BY minute, platform
