-- What the platform says itself is looked up for those alone that are shown.
SELECT
  room_id, coalesce(nullif(anchor, ''), external_id) AS anchor, platform, hall, opened_at, closed_at,
  in_major(gmv_minor, currency) AS gmv, orders, views_total, in_major(gpm_minor, currency) AS gpm,
  in_major(uv_value_minor, currency) AS uv_value,
  (
    SELECT in_major(told.gmv_minor, told.currency)
    FROM platform_total AS told
    WHERE told.room_id = asked.room_id AND told.session_id = asked.session_id AND told.currency = asked.currency
    ORDER BY told.at DESC
    LIMIT 1
  ) AS platform_gmv
FROM (
{{commerce_sessions_asked}}
) AS asked
WHERE gmv_minor > 0
ORDER BY gmv_minor DESC, session_id
LIMIT 50
