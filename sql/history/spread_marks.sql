-- Marks of stretches become marks of minutes, each once, however many stretches lay over it. Minutes still to come are
-- left out: they are summed anyhow when they have passed.
WITH gone AS (
    DELETE FROM minute_touched WHERE until IS NOT NULL RETURNING minute, platform, until
)
INSERT INTO minute_touched (minute, platform)
SELECT DISTINCT each.minute, gone.platform
FROM gone
CROSS JOIN LATERAL generate_series(
    greatest(gone.minute, date_bin('1 minute', now() - interval '400 days', timestamptz '2000-01-01 00:00:00+00')),
    least(gone.until, now()),
    interval '1 minute'
) AS each (minute)
