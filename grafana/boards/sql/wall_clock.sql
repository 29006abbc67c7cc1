-- Until when sales count, and the same of the day before: until a minute, and a part of that. The zone is the event's; an
-- open end of its window is infinite.
SELECT
    newest.as_of, setting.timezone, setting.event_currency AS currency, days.today_at, days.yesterday_at,
    date_trunc('minute', days.yesterday_until) AS that_minute,
    extract(epoch FROM days.yesterday_until - date_trunc('minute', days.yesterday_until)) / 60 AS that_part,
    coalesce(setting.event_starts_at, '-infinity') AS event_from, coalesce(setting.event_ends_at, 'infinity') AS event_to
  FROM setting
  CROSS JOIN (SELECT max(as_of) AS as_of FROM ({{newest_sale}}) AS platforms) AS newest
  CROSS JOIN LATERAL (
    SELECT
      day_starts_at(event_date(now())) AS today_at, day_starts_at(event_date(now()) - 1) AS yesterday_at,
      (greatest(newest.as_of, day_starts_at(event_date(now()))) AT TIME ZONE setting.timezone - interval '1 day')
        AT TIME ZONE setting.timezone AS yesterday_until
  ) AS days
