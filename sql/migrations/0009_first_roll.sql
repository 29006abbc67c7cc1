-- What was here before sums were kept is summed by the first roller that runs: minutes of sessions, and those with sales.

INSERT INTO minute_touched (minute, platform, until)
SELECT date_bin('1 minute', lower(part), timestamptz '2000-01-01 00:00:00+00'), platform, upper(part)
FROM (
    SELECT room.platform, unnest(range_agg(tstzrange(
        session.opened_at, greatest(coalesce(session.closed_at, now()), session.opened_at), '[]'
    ))) AS part
    FROM session JOIN room ON room.room_id = session.room_id
    GROUP BY room.platform
) AS stretch;
INSERT INTO minute_touched (minute, platform)
SELECT DISTINCT date_bin('1 minute', at, timestamptz '2000-01-01 00:00:00+00'), platform FROM sale;
