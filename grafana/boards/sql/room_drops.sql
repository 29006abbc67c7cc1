SELECT
  dropped_at, back_at, down_s, viewers_before, CASE outcome WHEN 'lost' THEN '«断流未恢复|lost»' ELSE '«已恢复|resumed»' END AS outcome, cause
FROM drop_log
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND $__timeFilter(dropped_at)
ORDER BY dropped_at DESC
LIMIT 200
