-- The ten worst drops of the day, by viewers before times time down. 当天最严重的十次断流。
-- "Lost watch hours" is what those who watched would have watched; a drop of unknown length or audience comes last.
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT day_starts_at(day) AS from_at, day_starts_at(day + 1) AS to_at FROM asked
)
SELECT
    round(viewers_before * down_s / 3600, 2) AS "损失观看小时 Lost watch hours",
    viewers_before AS "断流前人数 Viewers before", down_s AS "断流秒数 Down s",
    dropped_at AS "断流时间 Dropped", back_at AS "恢复时间 Back",
    CASE outcome WHEN 'lost' THEN '断流未恢复' ELSE '已恢复' END AS "结果 Outcome", cause AS "依据 Evidence",
    hall AS "场馆 Hall", anchor AS "主播 Anchor", platform AS "平台 Platform", external_id AS "直播间 Room",
    contact AS "联系人 Contact", session_id AS "场次编号 Session"
FROM drop_log
WHERE dropped_at >= (SELECT from_at FROM span) AND dropped_at < (SELECT to_at FROM span)
ORDER BY viewers_before * down_s DESC NULLS LAST, down_s DESC NULLS LAST, dropped_at
LIMIT 10
