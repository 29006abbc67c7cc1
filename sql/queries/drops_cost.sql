-- What dropped that day, for how long, while how many watched, and at what cost in GMV. 当天断流：多久、多少人在看、损失估算。
-- The cost is an estimate: GMV per minute of the session in the 10 minutes before the stop (in all of it, if it was
-- younger; at least one minute), times the minutes down. 损失为估算值：断流前10分钟每分钟GMV × 断流分钟数。
-- NULL: lost without a plan and not back, so nobody can say for how long.
WITH asked AS NOT MATERIALIZED (
    SELECT event_date(now()) AS day -- edit: DATE '2026-11-19' 修改日期
), span AS (
    SELECT day_starts_at(day) AS from_at, day_starts_at(day + 1) AS to_at FROM asked
)
SELECT
    stop.dropped_at AS "断流时间 Dropped", stop.back_at AS "恢复时间 Back", stop.down_s AS "断流秒数 Down s",
    stop.viewers_before AS "断流前人数 Viewers before",
    round(stop.viewers_before * stop.down_s / 3600, 2) AS "损失观看小时 Lost watch hours",
    in_major(round(earlier.gmv_minor / earlier.minutes)::bigint, setting.event_currency) AS "此前每分钟GMV GMV per minute before",
    in_major(round(earlier.gmv_minor / earlier.minutes * stop.down_s / 60)::bigint, setting.event_currency)
        AS "损失GMV估算 Estimated cost",
    setting.event_currency::text AS "币种 Currency",
    CASE stop.outcome WHEN 'lost' THEN '断流未恢复' ELSE '已恢复' END AS "结果 Outcome", stop.cause AS "依据 Evidence",
    stop.hall AS "场馆 Hall", stop.anchor AS "主播 Anchor", stop.platform AS "平台 Platform",
    stop.external_id AS "直播间 Room", stop.contact AS "联系人 Contact", stop.session_id AS "场次编号 Session"
FROM drop_log AS stop
CROSS JOIN setting
JOIN session ON session.session_id = stop.session_id
CROSS JOIN LATERAL (
    SELECT greatest(session.opened_at, stop.dropped_at - interval '10 minutes') AS from_at
) AS before
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(sale.amount_minor), 0) AS gmv_minor,
        greatest(extract(epoch FROM stop.dropped_at - before.from_at) / 60, 1) AS minutes
    FROM sale
    WHERE sale.room_id = stop.room_id AND sale.at >= before.from_at AND sale.at < stop.dropped_at
        AND sale.kind = 'paid' AND sale.currency = setting.event_currency
) AS earlier
WHERE stop.dropped_at >= (SELECT from_at FROM span) AND stop.dropped_at < (SELECT to_at FROM span)
ORDER BY "损失GMV估算 Estimated cost" DESC NULLS LAST, stop.dropped_at
