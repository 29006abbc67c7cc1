-- Only steps that are over: of the last one the rest is still to come.
SELECT
  date_bin(step, applied_at, TIMESTAMPTZ 'epoch') AS time,
  CASE kind WHEN 'ticks' THEN '«采样|ticks»' ELSE '«其余|facts»' END AS metric,
  round(sum(written) / extract(epoch FROM step), 2) AS rows_per_s
FROM applied_batch
CROSS JOIN greatest(INTERVAL '1 minute', INTERVAL '$__interval') AS step
WHERE $__timeFilter(applied_at) AND applied_at < date_bin(step, now(), TIMESTAMPTZ 'epoch')
GROUP BY 1, 2, step
ORDER BY 1, 2
