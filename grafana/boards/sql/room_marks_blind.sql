SELECT from_at AS time, coalesce(to_at, now()) AS timeend, '«看不见：其间发生了什么无人知道|blind: nobody knows what happened»' AS text, '«看不见|blind»' AS tags
FROM room_blind
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int
  AND from_at <= $__timeTo()::timestamptz AND coalesce(to_at, now()) >= $__timeFrom()::timestamptz
ORDER BY time
LIMIT 500
