-- Each minute is summed once it is over, also where nothing was heard in it: sessions went on through it. A minute is
-- over five seconds after its end, so that what is on its way is in it. roll_state.rolled_at tells which were passed.
INSERT INTO minute_touched (minute, platform)
SELECT passed.minute, known.platform
FROM roll_state
CROSS JOIN LATERAL generate_series(
    date_bin('1 minute', roll_state.rolled_at - interval '5 seconds', timestamptz '2000-01-01 00:00:00+00'),
    date_bin('1 minute', now() - interval '5 seconds', timestamptz '2000-01-01 00:00:00+00') - interval '1 minute',
    interval '1 minute'
) AS passed (minute)
CROSS JOIN (SELECT DISTINCT platform FROM room) AS known
