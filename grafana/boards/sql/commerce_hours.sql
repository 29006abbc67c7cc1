SELECT
  date_bin('1 hour', sold.minute, day_starts_at(event_date($__timeFrom()))) AS time, {{platform_name}} AS metric,
  {{shown}} AS value
FROM (
  {{sold}}
) AS sold
CROSS JOIN (SELECT event_currency AS currency FROM setting) AS setting
GROUP BY 1, sold.platform, setting.currency
ORDER BY 1, sum(sold.gmv_minor) DESC
