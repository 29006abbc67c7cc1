-- What dropped in the last hour, the newest first. 最近一小时的断流。
SELECT
    dropped_at AS "断流时间 Dropped", back_at AS "恢复时间 Back", down_s AS "断流秒数 Down s",
    CASE outcome WHEN 'lost' THEN '断流未恢复' ELSE '已恢复' END AS "结果 Outcome", cause AS "依据 Evidence",
    viewers_before AS "断流前人数 Viewers before", hall AS "场馆 Hall", anchor AS "主播 Anchor",
    platform AS "平台 Platform", external_id AS "直播间 Room", contact AS "联系人 Contact", session_id AS "场次编号 Session"
FROM drop_log
WHERE dropped_at > now() - interval '1 hour'
ORDER BY dropped_at DESC
