SELECT
  dropped_at, down_s, CASE outcome WHEN 'lost' THEN '«断流未恢复|lost»' ELSE '«已恢复|resumed»' END AS outcome, viewers_before,
  cause, drop_log.anchor, drop_log.hall, drop_log.platform, drop_log.external_id, back_at, drop_log.room_id,
  (extract(epoch FROM dropped_at - interval '15 minutes') * 1000)::bigint::text AS from_ms,
  (extract(epoch FROM coalesce(back_at, dropped_at) + interval '15 minutes') * 1000)::bigint::text AS to_ms
FROM drop_log
JOIN room ON room.room_id = drop_log.room_id
WHERE $__timeFilter(dropped_at) AND drop_log.platform ~ '^(${platform:pipe})$' AND drop_log.hall ~ '^(${hall:pipe})$'
  AND concat_ws(' ', room.anchor, room.broadcaster, room.external_id) ILIKE '%' || ${search:sqlstring} || '%'
ORDER BY dropped_at DESC
LIMIT 200
