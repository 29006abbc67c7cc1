-- One session minute by minute: viewers, money, time on air. 一个场次的分钟曲线。
-- Viewers are weighted by time; a minute has NULL where none were known (blind, off air, or the feed does not say).
WITH asked AS NOT MATERIALIZED (
    SELECT
        -- The newest session; instead: 'e5c0…'::uuid. 默认为最新场次。
        (SELECT session_id FROM session ORDER BY opened_at DESC, session_id LIMIT 1) AS session_id -- edit: the id 修改场次编号
), chosen AS MATERIALIZED (
    SELECT session.session_id, session.opened_at, coalesce(session.closed_at, now()) AS ends_at
    FROM asked
    JOIN session ON session.session_id = asked.session_id
)
SELECT
    curve.minute AS "分钟 Minute", round(curve.average_viewers) AS "平均在线 Average viewers",
    curve.peak_viewers AS "人数峰值 Peak viewers", curve.views_total AS "场观 Views", curve.likes_total AS "点赞 Likes",
    curve.air_s AS "直播秒数 Air s", curve.blind_s AS "看不见秒数 Blind s", curve.drops AS "断流次数 Drops",
    curve.orders AS "订单数 Orders", curve.gmv AS "成交额 GMV", curve.currency::text AS "币种 Currency",
    stream.kbps AS "码率 kbit/s"
FROM room_minute AS curve
CROSS JOIN LATERAL (
    SELECT round(avg(tick.kbps)) AS kbps
    FROM ticks(curve.minute, curve.minute + interval '1 minute') AS tick
    WHERE tick.room_id = curve.room_id AND tick.live IS NOT FALSE
) AS stream
WHERE curve.session_id = (SELECT session_id FROM chosen)
    AND curve.minute > (SELECT opened_at - interval '1 minute' FROM chosen)
    AND curve.minute < (SELECT ends_at FROM chosen)
ORDER BY curve.minute
