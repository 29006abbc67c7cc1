SELECT
  at AS time, CASE change WHEN 'opened' THEN '«开播|opened»' ELSE '«场次结束|closed»' || ' (' || cause || ')' END AS text, '«场次|session»' AS tags
FROM session_change
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND change IN ('opened', 'closed') AND $__timeFilter(at)
ORDER BY at
LIMIT 500
