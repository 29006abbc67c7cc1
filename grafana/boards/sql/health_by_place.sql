WITH counted AS (
  SELECT date_bin({{five_minutes}}, minute, TIMESTAMPTZ 'epoch') AS time, value, sum(drops) AS drops
  FROM event_minute_by
  WHERE dimension = '{{place}}' AND $__timeFilter(minute) AND platform ~ '^(${platform:pipe})$' AND value ~ '^(${{{place}}:pipe})$'
  GROUP BY 1, 2
), most AS (
  SELECT value FROM counted GROUP BY value HAVING sum(drops) > 0 ORDER BY sum(drops) DESC, value LIMIT 10
)
SELECT counted.time, counted.value AS metric, counted.drops
FROM counted
JOIN most ON most.value = counted.value
ORDER BY 1, 2
