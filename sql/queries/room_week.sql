-- One room day by day. 单个直播间逐日数据。
WITH asked AS NOT MATERIALIZED (
    SELECT
        event_date(now()) - 6 AS from_day, -- edit: DATE '2026-11-19' 修改起始日
        event_date(now()) AS to_day, -- edit: DATE '2026-11-25' 修改结束日（含）
        NULL::text AS platform, -- edit: 'wechat'; NULL: today's first of the leaderboard 平台，留空为今天榜首
        NULL::text AS external_id -- edit: 'sph-1'; NULL: as above 直播间编号，留空同上
), chosen AS MATERIALIZED (
    SELECT room.room_id
    FROM asked
    JOIN room ON room.platform = asked.platform AND room.external_id = asked.external_id
    UNION ALL
    SELECT board.room_id
    FROM asked
    JOIN leaderboard_day AS board ON board.day = asked.to_day AND board.rank = 1
    WHERE asked.platform IS NULL OR asked.external_id IS NULL
    LIMIT 1
)
SELECT
    room_day.day AS "日期 Day", room_day.sessions AS "场次 Sessions",
    round(room_day.air_s / 3600, 2) AS "直播小时 Airtime hours", round(room_day.blind_s / 60, 1) AS "看不见分钟 Blind minutes",
    room_day.average_viewers AS "平均在线 Average viewers", room_day.peak_viewers AS "人数峰值 Peak viewers",
    room_day.peak_at AS "峰值时刻 Peak at", room_day.watch_hours AS "观看小时 Watch hours", room_day.drops AS "断流次数 Drops",
    room_day.orders AS "订单数 Orders", room_day.gmv AS "成交额 GMV", room_day.refunds AS "退款 Refunds",
    room_day.net AS "净成交额 Net", room_day.currency::text AS "币种 Currency",
    room_day.anchor AS "主播 Anchor", room_day.platform AS "平台 Platform", room_day.external_id AS "直播间 Room"
FROM asked
JOIN room_day ON room_day.day BETWEEN asked.from_day AND asked.to_day AND room_day.room_id = (SELECT room_id FROM chosen)
ORDER BY room_day.day
