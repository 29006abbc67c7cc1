-- How far the roller is. `oldest_mark`: the oldest minute that is over and not summed anew yet.
UPDATE roll_state SET rolled_at = now(), oldest_mark = (
    SELECT min(minute) FROM minute_touched
    WHERE minute < date_bin('1 minute', now() - interval '5 seconds', timestamptz '2000-01-01 00:00:00+00')
)
RETURNING oldest_mark
