-- Sessions that opened in the last day of the span, of what is chosen.
SELECT
    session_id, room_id, platform, external_id, anchor, hall, opened_at, closed_at, orders, gmv_minor, views_total, gpm_minor,
    uv_value_minor, currency
  FROM session_summary
  WHERE opened_at >= greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - interval '1 day')
    AND opened_at < $__timeTo()
    AND platform ~ '^(${platform:pipe})$' AND coalesce(hall, '') ~ '^(${hall:pipe})$'
