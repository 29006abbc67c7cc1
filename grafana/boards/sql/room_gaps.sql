-- Just after the last moment that was seen: a number that is none, at which a line is broken, however short the gap.
SELECT at + interval '1 millisecond', NULL::numeric
FROM session_change
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND $__timeFilter(at) AND change IN ('dropped', 'closed')
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '6 hours'
UNION ALL
SELECT from_at + interval '1 millisecond', NULL
FROM room_blind
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND $__timeFilter(from_at)
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '6 hours'
