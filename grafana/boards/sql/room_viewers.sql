-- Every observation of up to six hours, else the average of each minute; the planner leaves out the half that is not asked.
SELECT at AS time, viewers::numeric AS "«在线人数|viewers»"
FROM viewer_tick
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND $__timeFilter(at)
  AND viewers IS NOT NULL AND live IS NOT FALSE
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '6 hours'
UNION ALL
SELECT minute, round(average_viewers)
FROM room_minute
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND $__timeFilter(minute) AND average_viewers IS NOT NULL
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '6 hours'
UNION ALL
{{room_gaps}}
ORDER BY time
