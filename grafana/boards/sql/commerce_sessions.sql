-- What came back, and what the platform says itself, is asked for those alone that are shown.
WITH best AS MATERIALIZED (
  SELECT *
  FROM (
  {{commerce_sessions_asked}}
  ) AS asked
  WHERE gmv_minor > 0
  ORDER BY gmv_minor DESC, session_id
  LIMIT 50
)
SELECT
  best.room_id, coalesce(nullif(best.anchor, ''), best.external_id) AS anchor, best.platform, best.hall, best.opened_at,
  best.closed_at, in_major(best.gmv_minor, best.currency) AS gmv, best.orders, summary.refunds, summary.net, best.views_total,
  in_major(summary.gpm_minor, best.currency) AS gpm, in_major(summary.uv_value_minor, best.currency) AS uv_value,
  (
    SELECT in_major(told.gmv_minor, told.currency)
    FROM platform_total AS told
    WHERE told.room_id = best.room_id AND told.session_id = best.session_id AND told.currency = best.currency
    ORDER BY told.at DESC
    LIMIT 1
  ) AS platform_gmv
FROM best
JOIN session_summary AS summary ON summary.session_id = best.session_id
ORDER BY best.gmv_minor DESC, best.session_id
