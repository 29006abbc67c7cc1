SELECT date_trunc('hour', minute) AS time, platform AS metric, round(sum(viewers) / 60, 1) AS watch_hours
FROM event_minute
WHERE $__timeFilter(minute) AND platform ~ '^(${platform:pipe})$'
GROUP BY 1, 2
ORDER BY 1, 2
