SELECT
  dropped_at AS time, coalesce(back_at, now()) AS timeend,
  CASE outcome WHEN 'lost' THEN '«断流未恢复|lost»' ELSE '«断流，已恢复|dropped, resumed»' END || ' (' || cause || ')' AS text,
  '«断流|drop»' AS tags
FROM drop_log
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int
  AND dropped_at <= $__timeTo()::timestamptz AND dropped_at > $__timeFrom()::timestamptz - interval '1 day'
  AND coalesce(back_at, now()) >= $__timeFrom()::timestamptz
UNION ALL
SELECT since, now(), '«断流，未恢复|dropped, still»', '«断流|drop»'
FROM room_now
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND state_code = 2
  AND since <= $__timeTo()::timestamptz AND now() >= $__timeFrom()::timestamptz
ORDER BY time
LIMIT 500
