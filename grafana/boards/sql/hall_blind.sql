SELECT from_at AS "开始 From", to_at AS "结束 To", feed AS "数据源 Feed", hall AS "场馆 Hall",
  coalesce(external_id, '全部') AS "直播间 Room", blind_s AS "时长 Length", cause AS "原因 Cause"
FROM feed_blind
WHERE (still_open OR to_at > now() - interval '1 hour') AND coalesce(hall, '') ~ '^(${hall:pipe})$'
ORDER BY still_open DESC, from_at DESC
LIMIT 200
