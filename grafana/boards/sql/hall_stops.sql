SELECT dropped_at AS "断流时间 Dropped", hall AS "场馆 Hall", anchor AS "主播 Anchor", external_id AS "直播间 Room",
  CASE outcome WHEN 'lost' THEN '断流未恢复' ELSE '已恢复' END AS "结果 Outcome", down_s AS "时长 Down",
  viewers_before AS "断流前人数 Viewers before", cause AS "依据 Evidence", contact AS "联系人 Contact"
FROM drop_log
WHERE dropped_at > now() - interval '1 hour' AND hall ~ '^(${hall:pipe})$'
ORDER BY dropped_at DESC
LIMIT 200
