WITH day AS MATERIALIZED (
  {{today}}
), newest AS MATERIALIZED (
  {{wall_minute}}
)
SELECT
  summed.value || ' «|· »'
    || coalesce(sum(summed.rooms_live) FILTER (WHERE summed.minute = newest.this_minute), 0) || '« 间在播| live»' AS city,
  in_major(sum(summed.gmv_minor)::bigint, min(day.currency)) AS gmv
FROM day
CROSS JOIN newest
JOIN event_minute_by AS summed ON summed.minute >= day.from_at AND summed.minute < day.to_at
WHERE summed.dimension = 'city' AND summed.value <> ''
GROUP BY summed.value
ORDER BY sum(summed.gmv_minor) DESC, summed.value
LIMIT 5
