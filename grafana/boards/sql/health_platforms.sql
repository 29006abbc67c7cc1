SELECT date_bin({{five_minutes}}, minute, TIMESTAMPTZ 'epoch') AS time, platform AS metric, sum(drops) AS drops
FROM event_minute
WHERE $__timeFilter(minute) AND platform ~ '^(${platform:pipe})$'
GROUP BY 1, 2
ORDER BY 1, 2
