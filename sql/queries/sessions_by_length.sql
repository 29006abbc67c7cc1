-- The ten longest and the ten shortest sessions that opened that day and are over, by airtime. 当天最长与最短的场次。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT day_starts_at(day) AS from_at, day_starts_at(day + 1) AS to_at FROM asked
), ranked AS (
    SELECT
        *,
        row_number() OVER (ORDER BY airtime_s DESC, opened_at, session_id) AS longest,
        row_number() OVER (ORDER BY airtime_s, opened_at, session_id) AS shortest
    FROM session_summary
    WHERE opened_at >= (SELECT from_at FROM span) AND opened_at < (SELECT to_at FROM span) AND closed_at IS NOT NULL
)
SELECT
    longest AS "名次 Longest first", round(airtime_s / 60, 1) AS "直播分钟 Airtime minutes",
    opened_at AS "开播 Opened", closed_at AS "结束 Closed", close_reason AS "结束原因 Close reason",
    anchor AS "主播 Anchor", platform AS "平台 Platform", external_id AS "直播间 Room", hall AS "场馆 Hall",
    peak_viewers AS "人数峰值 Peak viewers", average_viewers AS "平均在线 Average viewers", drops AS "断流次数 Drops",
    gmv AS "成交额 GMV", currency::text AS "币种 Currency", session_id AS "场次编号 Session"
FROM ranked
WHERE longest <= 10 OR shortest <= 10
ORDER BY longest
