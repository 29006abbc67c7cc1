-- Also steps in which nothing was: a bar is as wide as the shortest way from one point to the next.
WITH {{steps}}, counted AS (
  SELECT date_bin({{five_minutes}}, change.at, TIMESTAMPTZ 'epoch') AS time, change.change = 'resumed' AS resumed, count(*) AS stops
  FROM session_change AS change
  JOIN room ON room.room_id = change.room_id
  WHERE $__timeFilter(change.at) AND (change.change = 'resumed' OR change.change = 'closed' AND change.cause = 'lost')
    AND room.platform ~ '^(${platform:pipe})$' AND room.hall ~ '^(${hall:pipe})$' AND room.city ~ '^(${city:pipe})$'
  GROUP BY 1, 2
)
SELECT
  steps.time, CASE WHEN kind.resumed THEN '«已恢复|resumed»' ELSE '«断流未恢复|lost»' END AS metric,
  coalesce(counted.stops, 0) AS stops
FROM steps
CROSS JOIN (VALUES (true), (false)) AS kind (resumed)
LEFT JOIN counted ON counted.time = steps.time AND counted.resumed = kind.resumed
ORDER BY 1, 2
