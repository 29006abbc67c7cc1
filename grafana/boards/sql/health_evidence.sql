SELECT
  date_bin({{five_minutes}}, drop_log.dropped_at, TIMESTAMPTZ 'epoch') AS time,
  CASE drop_log.cause
    WHEN 'stall' THEN '«卡流|stall»'
    WHEN 'event' THEN '«推送通知|event»'
    WHEN 'status' THEN '«查询状态|status»'
    WHEN 'absent' THEN '«列表中没有|absent»'
    WHEN 'failed' THEN '«平台报故障|failed»'
    WHEN 'reconnect' THEN '«重新推流|reconnect»'
    ELSE drop_log.cause
  END AS metric,
  count(*) AS drops
{{health_drops}}
GROUP BY 1, 2
ORDER BY 1, 2
