SELECT coalesce(nullif(anchor, ''), external_id) || ' · ' || {{platform_name}} AS room, gmv
FROM leaderboard_day AS summed
WHERE day = (SELECT event_date(now())) AND rank <= 6 AND gmv_minor > 0
ORDER BY rank, room
LIMIT 5
