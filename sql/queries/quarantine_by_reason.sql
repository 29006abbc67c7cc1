-- What was put into quarantine that day, by feed and reason, and what became of it. 当天隔离的数据及原因。
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT day_starts_at(day) AS from_at, day_starts_at(day + 1) AS to_at FROM asked
)
SELECT
    feed AS "数据源 Feed", kind AS "种类 Kind", reason AS "原因 Reason",
    count(*) AS "条数 Rows",
    count(*) FILTER (WHERE state IN ('kept', 'retry')) AS "待处理 Kept",
    count(*) FILTER (WHERE state = 'retried') AS "已重试 Retried",
    count(*) FILTER (WHERE state IN ('drop', 'dropped')) AS "已弃用 Dropped by a person",
    min(received_at) AS "最早 First", max(received_at) AS "最晚 Last",
    (array_agg(quarantine_id ORDER BY quarantine_id DESC))[1]::text AS "最近编号 Latest id",
    (array_agg(left(sample, 120) ORDER BY quarantine_id DESC))[1] AS "最近内容(已遮蔽) Latest, masked"
FROM quarantine
WHERE received_at >= (SELECT from_at FROM span) AND received_at < (SELECT to_at FROM span)
GROUP BY feed, kind, reason
ORDER BY count(*) DESC, feed, kind, reason
