-- Rooms by their valid sessions of the day: those with more than 30 minutes of airtime. 当天有效场次（直播时长超过30分钟）。
-- The trade's rule (Taobao counts a session as valid above 30 minutes). Sessions count on the day on which they opened.
WITH asked AS NOT MATERIALIZED (
    SELECT
        event_date(now()) AS day, -- edit: DATE '2026-11-19' 修改日期
        30 AS minutes -- edit: 60 修改有效场次的分钟数
), span AS (
    SELECT day_starts_at(day) AS from_at, day_starts_at(day + 1) AS to_at FROM asked
)
SELECT
    summary.anchor AS "主播 Anchor", summary.platform AS "平台 Platform", summary.external_id AS "直播间 Room",
    summary.hall AS "场馆 Hall",
    count(*) AS "场次 Sessions",
    count(*) FILTER (WHERE summary.airtime_s > asked.minutes * 60) AS "有效场次 Valid sessions",
    round(sum(summary.airtime_s) / 60, 1) AS "直播分钟 Airtime minutes",
    round(sum(summary.airtime_s) FILTER (WHERE summary.airtime_s > asked.minutes * 60) / 60, 1) AS "有效直播分钟 Valid minutes",
    round(max(summary.airtime_s) / 60, 1) AS "最长一场分钟 Longest minutes",
    bool_or(summary.closed_at IS NULL) AS "仍在场次中 Still open"
FROM asked
CROSS JOIN session_summary AS summary
WHERE summary.opened_at >= (SELECT from_at FROM span) AND summary.opened_at < (SELECT to_at FROM span)
GROUP BY summary.room_id, summary.anchor, summary.platform, summary.external_id, summary.hall
ORDER BY count(*) FILTER (WHERE summary.airtime_s > asked.minutes * 60) DESC, sum(summary.airtime_s) DESC,
    summary.platform, summary.external_id
