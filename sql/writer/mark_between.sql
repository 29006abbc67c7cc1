-- A batch of an earlier release does not tell what it touches: all platforms, from its first tick to its last.
INSERT INTO minute_touched (minute, platform, until)
SELECT DISTINCT date_bin('1 minute', $1::timestamptz, timestamptz '2000-01-01 00:00:00+00'), platform, $2::timestamptz + interval '1 minute'
FROM room
