-- The rooms of each day by GMV, as above. 每日排行榜。
SELECT * FROM leaderboard_day
WHERE day >= coalesce(event_date($1::timestamptz), '-infinity')
    AND day <= coalesce(event_date($2::timestamptz - interval '1 microsecond'), 'infinity')
ORDER BY day, rank, room_id
