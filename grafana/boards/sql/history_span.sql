-- Of each minute and platform chosen: people, and money where the event window has it.
SELECT
    minute, platform, rooms_live, viewers, air_s, blind_s, drops,
    CASE WHEN inside.counts THEN orders ELSE 0 END AS orders,
    CASE WHEN inside.counts THEN gmv_minor ELSE 0 END AS gmv_minor,
    CASE WHEN inside.counts THEN refunds_minor ELSE 0 END AS refunds_minor,
    inside.counts AND (orders > 0 OR refund_orders > 0) AS sold,
    currency
  FROM event_minute
  CROSS JOIN setting
  CROSS JOIN LATERAL (
    SELECT (minute >= event_starts_at) IS NOT FALSE AND (minute < event_ends_at) IS NOT FALSE AS counts
  ) AS inside
  WHERE $__timeFilter(minute) AND platform ~ '^(${platform:pipe})$'
