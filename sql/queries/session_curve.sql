-- One session minute by minute; $1 is its session_id. 一个场次的分钟曲线。
-- Average and peak of the observations in each minute; a minute without any (blind, or off air) has no row.
SELECT
    date_trunc('minute', tick.at) AS minute,
    round(avg(tick.viewers)) AS viewers,
    max(tick.viewers) AS viewers_max,
    max(tick.views_total) AS views_total,
    max(tick.likes_total) AS likes_total,
    round(avg(tick.kbps)) AS kbps
FROM session
CROSS JOIN LATERAL ticks(session.opened_at, coalesce(session.closed_at, now())) AS tick
WHERE session.session_id = $1 AND tick.room_id = session.room_id AND tick.live IS NOT FALSE
GROUP BY 1
ORDER BY 1
