-- Nothing sums bit rates up: every observation of up to six hours, minutes of up to a day, of longer spans nothing.
SELECT at AS time, kbps::numeric AS "«码率|bit rate»"
FROM viewer_tick
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND $__timeFilter(at)
  AND kbps IS NOT NULL AND live IS NOT FALSE
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '6 hours'
UNION ALL
SELECT date_bin('1 minute', at, timestamptz '2000-01-01 00:00:00+00'), round(avg(kbps))
FROM viewer_tick
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND $__timeFilter(at)
  AND kbps IS NOT NULL AND live IS NOT FALSE
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '6 hours'
  AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '25 hours'
GROUP BY 1
UNION ALL
{{room_gaps}}
ORDER BY time
