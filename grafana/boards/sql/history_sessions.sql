-- Which sessions is settled first, so that only these are summed up. A room's board opens on the session's own time.
SELECT
  told.opened_at, told.closed_at, coalesce(told.close_reason, '') AS close_reason, told.anchor, told.hall, told.platform,
  told.external_id, told.peak_viewers, told.average_viewers, told.watch_hours, told.airtime_s, told.drops, told.down_s,
  told.blind_s, told.orders, told.gmv, told.refunds, told.net, told.room_id,
  (extract(epoch FROM told.opened_at) * 1000)::bigint::text AS from_ms,
  (extract(epoch FROM coalesce(told.closed_at, now())) * 1000)::bigint::text AS to_ms
FROM (
  SELECT session.session_id
  FROM session
  JOIN room ON room.room_id = session.room_id
  WHERE $__timeFilter(session.opened_at)
    AND room.platform ~ '^(${platform:pipe})$' AND room.hall ~ '^(${hall:pipe})$'
    AND concat_ws(' ', room.anchor, room.broadcaster, room.external_id) ILIKE '%' || ${search:sqlstring} || '%'
  ORDER BY session.opened_at DESC, session.session_id
  LIMIT 100
) AS chosen
JOIN session_summary AS told ON told.session_id = chosen.session_id
ORDER BY told.opened_at DESC, told.session_id
