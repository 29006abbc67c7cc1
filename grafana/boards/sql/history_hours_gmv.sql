WITH span AS (
  {{history_span}}
)
SELECT date_trunc('hour', minute) AS time, platform AS metric, in_major(sum(gmv_minor)::bigint, min(currency)) AS gmv
FROM span
GROUP BY 1, 2
ORDER BY 1, 2
