-- The event as the database knows it, and the days that a report may be asked for.
SELECT
    setting.event_currency::text AS currency,
    now() AS as_of,
    event_date(now()) AS today,
    event_date(setting.event_starts_at) AS first_day,
    event_date(setting.event_ends_at - interval '1 microsecond') AS last_day
FROM setting
