SELECT minute AS time, sum(orders) AS "«订单|orders»", sum(gmv) AS "«成交额|GMV»"
FROM room_minute
WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int AND $__timeFilter(minute)
GROUP BY minute
ORDER BY minute
