-- Days that ended at least fifteen minutes before $1 and are not cut, the first of them first: since the last cut one, or
-- since the first sale. A day without sales has no rows to keep and is asked for again until a later one is cut.
WITH known AS (
    SELECT coalesce(
        (SELECT max(day) + 1 FROM day_cut),
        (SELECT event_date(min(at)) FROM sale WHERE at > now() - interval '400 days')
    ) AS first_day
)
SELECT days.day::date AS day, cut.as_of
FROM known
CROSS JOIN setting
CROSS JOIN LATERAL generate_series(known.first_day::timestamp, event_date($1)::timestamp, interval '1 day') AS days (day)
CROSS JOIN LATERAL (
    SELECT ((days.day::date + 1)::timestamp AT TIME ZONE setting.timezone) + interval '15 minutes' AS as_of
) AS cut
WHERE cut.as_of <= $1
ORDER BY 1
