-- The sessions that opened on one day of the event, today if nothing is edited. 当天的场次。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT day_starts_at(day) AS from_at, day_starts_at(day + 1) AS to_at FROM asked
)
SELECT
    opened_at AS "开播 Opened", closed_at AS "结束 Closed", close_reason AS "结束原因 Close reason",
    hall AS "场馆 Hall", anchor AS "主播 Anchor", platform AS "平台 Platform", external_id AS "直播间 Room",
    peak_viewers AS "人数峰值 Peak viewers", average_viewers AS "平均在线 Average viewers",
    watch_hours AS "观看小时 Watch hours", round(airtime_s / 60, 1) AS "直播分钟 Airtime minutes",
    drops AS "断流次数 Drops", down_s AS "断流秒数 Down s", blind_s AS "看不见秒数 Blind s",
    orders AS "订单数 Orders", gmv AS "成交额 GMV", refunds AS "退款 Refunds", net AS "净成交额 Net",
    currency::text AS "币种 Currency", session_id AS "场次编号 Session"
FROM session_summary
WHERE opened_at >= (SELECT from_at FROM span) AND opened_at < (SELECT to_at FROM span)
ORDER BY opened_at, session_id
