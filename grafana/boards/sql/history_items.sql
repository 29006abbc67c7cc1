-- Summed from hours in one step, the pattern of platforms asked of items and not of hours, titles looked up for the fifty alone.
WITH sold AS MATERIALIZED (
  SELECT platform, item_id, sum(units) AS units, sum(orders) AS orders, sum(gmv_minor)::bigint AS gmv_minor
  FROM item_hours
  WHERE day >= event_date($__timeFrom()::timestamptz) AND day <= event_date($__timeTo()::timestamptz)
  GROUP BY platform, item_id
),

best AS (
  SELECT platform, item_id, units, orders, gmv_minor
  FROM sold
  WHERE platform ~ '^(${platform:pipe})$'
  ORDER BY units DESC NULLS LAST, gmv_minor DESC NULLS LAST, platform, item_id
  LIMIT 50
)

SELECT
  named.title, best.platform, best.units, best.orders, in_major(best.gmv_minor, setting.event_currency) AS gmv, best.item_id
FROM best
CROSS JOIN setting
CROSS JOIN LATERAL (
  SELECT max(title) AS title
  FROM item_hours
  WHERE day >= event_date($__timeFrom()::timestamptz) AND day <= event_date($__timeTo()::timestamptz)
    AND item_hours.platform = best.platform AND item_hours.item_id = best.item_id
) AS named
ORDER BY best.units DESC NULLS LAST, best.gmv_minor DESC NULLS LAST, best.platform, best.item_id
