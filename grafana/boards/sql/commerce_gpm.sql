WITH told AS (
  SELECT round(sum(gmv_minor) * 1000.0 / nullif(sum(views_total), 0))::bigint AS gpm_minor
  FROM (
  {{commerce_sessions_asked}}
  ) AS asked
  WHERE views_total IS NOT NULL
), newest AS (
  SELECT max(as_of) AS as_of FROM (
  {{newest_sale}}
  ) AS platforms
  WHERE platform ~ '^(${platform:pipe})$'
)
SELECT now() AS time, {{until}} AS metric, in_major(gpm_minor, currency) AS value
FROM told
CROSS JOIN newest
CROSS JOIN (SELECT timezone, event_currency AS currency FROM setting) AS setting
