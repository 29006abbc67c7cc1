-- Grafana puts series in the order of their names; so the place comes first.
WITH day AS MATERIALIZED (
  {{today}}
), newest AS MATERIALIZED (
  {{newest_sale}}
), told AS (
  SELECT
    summed.platform, {{platform_name}} AS name, sum(summed.gmv_minor)::bigint AS gmv_minor,
    row_number() OVER (ORDER BY sum(summed.gmv_minor) DESC, summed.platform) AS place
  FROM day
  JOIN event_minute AS summed ON summed.minute >= day.from_at AND summed.minute < day.to_at
  GROUP BY summed.platform
  HAVING sum(summed.gmv_minor) <> 0
)
SELECT
  now() AS time,
  CASE
    WHEN newest.as_of >= now() - interval '60 seconds'
      THEN told.place || ' ' || told.name || ' «截至|as of» ' || to_char(newest.as_of AT TIME ZONE day.timezone, 'HH24:MI:SS')
    ELSE '«停更|stale» ' || told.place || ' ' || told.name
      || coalesce(' «截至|as of» ' || to_char(newest.as_of AT TIME ZONE day.timezone, 'HH24:MI:SS'), '')
  END AS metric,
  in_major(told.gmv_minor, day.currency) AS value
FROM told
CROSS JOIN day
LEFT JOIN newest USING (platform)
ORDER BY told.place
LIMIT 5
