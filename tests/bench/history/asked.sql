-- What boards of history ask of the views, all day and by everybody; each question begins with its name.
-- ask: minutes of today, by platform
SELECT minute, platform, rooms_live, viewers, orders, gmv, drops FROM event_minute
WHERE minute >= day_starts_at(event_date(now())) AND minute < now() ORDER BY minute
-- ask: minutes of six hours, by hall
SELECT minute, value, sum(viewers) AS viewers, sum(gmv_minor) AS gmv_minor FROM event_minute_by
WHERE dimension = 'hall' AND minute >= now() - interval '6 hours' AND minute < now() GROUP BY 1, 2 ORDER BY 1
-- ask: the week by the hour
SELECT date_bin('1 hour', minute, timestamptz '2000-01-01 00:00:00+00') AS hour, platform, sum(gmv_minor) AS gmv_minor,
    sum(viewers) / 60 AS watch_hours
FROM event_minute WHERE minute >= now() - interval '7 days' AND minute < now() GROUP BY 1, 2 ORDER BY 1
-- ask: leaderboard of today
SELECT * FROM leaderboard_day WHERE day = event_date(now()) AND rank <= 50 ORDER BY rank
-- ask: pace beside yesterday
SELECT * FROM event_pace
-- ask: late, missing, ended early now
SELECT * FROM expected_now WHERE verdict <> 'live' ORDER BY late_s DESC NULLS LAST LIMIT 200
-- ask: rooms of today by GMV
SELECT * FROM room_day WHERE day = event_date(now()) ORDER BY gmv_minor DESC LIMIT 200
-- ask: rooms of a hall yesterday
SELECT * FROM room_day WHERE day = event_date(now()) - 1 AND hall = 'B' ORDER BY gmv_minor DESC LIMIT 200
-- ask: one room all week
SELECT * FROM room_day WHERE room_id = 100 ORDER BY day
-- ask: shops of today
SELECT * FROM shop_day WHERE day = event_date(now()) ORDER BY gmv_minor DESC LIMIT 50
-- ask: items of today
SELECT * FROM item_day WHERE day = event_date(now()) ORDER BY gmv_minor DESC LIMIT 50
-- ask: one room by the minute today
SELECT minute, average_viewers, peak_viewers, orders, gmv FROM room_minute
WHERE room_id = 100 AND minute >= day_starts_at(event_date(now())) AND minute < now() ORDER BY minute
-- ask: one session
SELECT * FROM session_summary WHERE session_id = (SELECT session_id FROM session WHERE room_id = 100 ORDER BY opened_at LIMIT 1)
-- ask: sessions of one room
SELECT * FROM session_summary WHERE room_id = 100 ORDER BY opened_at
-- ask: drops of today
SELECT * FROM drop_log WHERE dropped_at >= day_starts_at(event_date(now())) ORDER BY dropped_at DESC LIMIT 200
-- ask: figures of yesterday as cut, and now
SELECT 'cut' AS known, platform, currency, orders, gmv_minor FROM day_cut WHERE day = event_date(now()) - 1
UNION ALL
SELECT 'now', platform, currency, orders, gmv_minor FROM event_day(event_date(now()) - 1)
