SELECT
  date_bin(greatest(INTERVAL '1 minute', INTERVAL '$__interval'), applied_at, TIMESTAMPTZ 'epoch') AS time,
  max(extract(epoch FROM applied_at - sealed_at)) AS "«最长|longest»",
  avg(extract(epoch FROM applied_at - sealed_at)) AS "«平均|mean»"
FROM applied_batch
WHERE $__timeFilter(applied_at)
GROUP BY 1
ORDER BY 1
