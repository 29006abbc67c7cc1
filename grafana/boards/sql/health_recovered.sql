SELECT
  date_bin({{five_minutes}}, change.at, TIMESTAMPTZ 'epoch') AS time,
  CASE change.change WHEN 'resumed' THEN '«已恢复|resumed»' ELSE '«断流未恢复|lost»' END AS metric,
  count(*) AS stops
FROM session_change AS change
JOIN room ON room.room_id = change.room_id
WHERE $__timeFilter(change.at) AND (change.change = 'resumed' OR change.change = 'closed' AND change.cause = 'lost')
  AND room.platform ~ '^(${platform:pipe})$' AND room.hall ~ '^(${hall:pipe})$' AND room.city ~ '^(${city:pipe})$'
GROUP BY 1, 2
ORDER BY 1, 2
