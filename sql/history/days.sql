-- The days of the event's zone in which these minutes lie.
SELECT DISTINCT event_date(minute) AS day FROM unnest($1::timestamptz[]) AS rolled (minute) ORDER BY 1
