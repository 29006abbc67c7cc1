-- What stands below a sum: until when it counts (`as_of`). panels.STALE tells by its first words that this is over a minute ago.
CASE
    WHEN as_of >= now() - interval '60 seconds' THEN '«截至|as of» ' || to_char(as_of AT TIME ZONE timezone, 'HH24:MI:SS')
    WHEN as_of IS NOT NULL THEN '«停更，截至|stale, as of» ' || to_char(as_of AT TIME ZONE timezone, 'HH24:MI:SS')
    ELSE '«停更，一天内没有订单|stale, no sale for a day»'
  END
