-- The hours of the event's zone in which these minutes of platforms lie.
SELECT DISTINCT event_hour(minute) AS hour, platform
FROM unnest($1::timestamptz[], $2::text[]) AS rolled (minute, platform)
ORDER BY 1, 2
