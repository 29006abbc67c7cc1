-- The leaderboard of the day: the twenty rooms with the highest GMV. 当天直播间成交榜（前二十）。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
)
SELECT
    board.rank AS "名次 Rank", board.anchor AS "主播 Anchor", board.platform AS "平台 Platform",
    board.external_id AS "直播间 Room", board.hall AS "场馆 Hall", board.city AS "城市 City",
    board.gmv AS "成交额 GMV", board.currency::text AS "币种 Currency", board.orders AS "订单数 Orders",
    board.average_viewers AS "平均在线 Average viewers", board.peak_viewers AS "人数峰值 Peak viewers",
    board.watch_hours AS "观看小时 Watch hours"
FROM asked
JOIN leaderboard_day AS board ON board.day = asked.day
WHERE board.rank <= 20
ORDER BY board.rank, board.platform, board.external_id
