SELECT
  count(*) AS drops,
  count(DISTINCT drop_log.room_id) AS rooms,
  count(*) FILTER (WHERE drop_log.outcome = 'resumed')::numeric / nullif(count(*), 0) AS resumed,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY drop_log.down_s) AS half_s,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY drop_log.down_s) AS most_s
{{health_drops}}
