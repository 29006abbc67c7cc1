-- The figures of each day as they stood at 00:15 of the next. 日结。
SELECT * FROM day_cut
WHERE day >= coalesce(event_date($1::timestamptz), '-infinity')
    AND day <= coalesce(event_date($2::timestamptz - interval '1 microsecond'), 'infinity')
ORDER BY day, platform, currency
