-- What stands below a number of one minute: which; first that it is old, if nothing came for three minutes.
CASE WHEN this_minute < now() - interval '3 minutes' THEN '«停更，|stale, »' ELSE '' END
    || '«截至|as of» ' || to_char((this_minute + interval '1 minute') AT TIME ZONE timezone, 'HH24:MI')
