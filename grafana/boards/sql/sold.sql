-- Minutes inside the span and the event window, of what is chosen. Sales that count for no hall are in it while all are.
SELECT minute, platform, viewers, orders, gmv_minor, refund_orders, refunds_minor
  FROM event_minute
  WHERE '${hall:pipe}' = '.*' AND platform ~ '^(${platform:pipe})$'
    AND minute >= greatest($__timeFrom()::timestamptz, (SELECT event_starts_at FROM setting))
    AND minute < least($__timeTo()::timestamptz, (SELECT event_ends_at FROM setting))
  UNION ALL
  SELECT minute, platform, viewers, orders, gmv_minor, refund_orders, refunds_minor
  FROM event_minute_by
  WHERE '${hall:pipe}' <> '.*' AND platform ~ '^(${platform:pipe})$' AND dimension = 'hall' AND value ~ '^(${hall:pipe})$'
    AND minute >= greatest($__timeFrom()::timestamptz, (SELECT event_starts_at FROM setting))
    AND minute < least($__timeTo()::timestamptz, (SELECT event_ends_at FROM setting))
