SELECT
  date_bin('1 minute', applied_at, TIMESTAMPTZ 'epoch') AS time,
  CASE kind WHEN 'ticks' THEN '«采样|ticks»' ELSE '«其余|facts»' END AS metric,
  round(sum(written) / 60.0, 2) AS rows_per_s
FROM applied_batch
WHERE $__timeFilter(applied_at) AND applied_at < date_trunc('minute', now())
GROUP BY 1, 2
ORDER BY 1, 2
