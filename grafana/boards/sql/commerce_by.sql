SELECT
  coalesce(nullif(hall, ''), '«名册未写|not in the roster»') AS place, {{commerce_figures}}, {{hall_pattern}} AS pattern
FROM (
  SELECT value AS hall, viewers, orders, gmv_minor, refunds_minor
  FROM event_minute_by
  WHERE dimension = '{{dimension}}' AND platform ~ '^(${platform:pipe})$' {{chosen}}
    AND minute >= greatest($__timeFrom()::timestamptz, (SELECT event_starts_at FROM setting))
    AND minute < least($__timeTo()::timestamptz, (SELECT event_ends_at FROM setting))
) AS sold
CROSS JOIN (SELECT event_currency AS currency FROM setting) AS setting
GROUP BY hall, currency
ORDER BY sum(gmv_minor) DESC, hall
LIMIT 100
