-- Blind time counts within sessions alone, as airtime does; down time is cut at the end of the span, and of a stop of
-- unknown length there is none (least() would skip the NULL and take it to the end).
WITH told AS (
  SELECT value AS place, sum(air_s) AS air_s, sum(blind_s) AS blind_s, sum(drops) AS drops
  FROM event_minute_by
  WHERE dimension = '{{place}}' AND $__timeFilter(minute) AND platform ~ '^(${platform:pipe})$' AND value ~ '^(${{{place}}:pipe})$'
  GROUP BY value
), stopped AS (
  SELECT
    room.{{place}} AS place,
    sum(extract(epoch FROM
      least(drop_log.dropped_at + make_interval(secs => drop_log.down_s::float), $__timeTo()::timestamptz) - drop_log.dropped_at
    )) FILTER (WHERE drop_log.down_s IS NOT NULL) AS down_s
  FROM drop_log
  JOIN room ON room.room_id = drop_log.room_id
  WHERE $__timeFilter(drop_log.dropped_at) AND room.platform ~ '^(${platform:pipe})$' AND room.{{place}} ~ '^(${{{place}}:pipe})$'
  GROUP BY room.{{place}}
)
SELECT
  told.place AS {{place}}, told.drops,
  round(told.drops * 3600 / nullif(told.air_s, 0), 2) AS drops_per_hour,
  round(coalesce(stopped.down_s, 0) / nullif(told.air_s + coalesce(stopped.down_s, 0), 0), 5) AS down_share,
  round(told.blind_s / nullif(told.air_s, 0), 5) AS blind_share,
  round(told.air_s / 3600, 1) AS air_hours,
  regexp_replace(told.place, '[]"[''\\^$.|?*+(){}`]', '.', 'g') AS pattern
FROM told
LEFT JOIN stopped USING (place)
ORDER BY down_share DESC NULLS LAST, told.drops DESC, told.place
LIMIT 200
