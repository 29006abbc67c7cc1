-- Also steps in which nothing was: a bar is as wide as the shortest way from one point to the next.
WITH {{steps}}, counted AS (
  SELECT date_bin({{five_minutes}}, drop_log.dropped_at, TIMESTAMPTZ 'epoch') AS time, drop_log.cause, count(*) AS drops
  {{health_drops}}
  GROUP BY 1, 2
)
SELECT
  steps.time,
  CASE kind.cause
    WHEN 'stall' THEN '«卡流|stall»'
    WHEN 'event' THEN '«推送通知|event»'
    WHEN 'status' THEN '«查询状态|status»'
    WHEN 'absent' THEN '«列表中没有|absent»'
    WHEN 'failed' THEN '«平台报故障|failed»'
    WHEN 'reconnect' THEN '«重新推流|reconnect»'
    ELSE kind.cause
  END AS metric,
  coalesce(counted.drops, 0) AS drops
FROM steps
CROSS JOIN (SELECT DISTINCT cause FROM counted) AS kind
LEFT JOIN counted ON counted.time = steps.time AND counted.cause = kind.cause
ORDER BY 1, 2
