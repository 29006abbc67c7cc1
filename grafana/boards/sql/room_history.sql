-- The newest sessions of the room, whatever the span of time; a click leads to one of them and to its time.
SELECT
  told.opened_at, told.closed_at, told.close_reason, told.airtime_s, told.peak_viewers, told.drops, told.blind_s, told.orders, told.gmv,
  told.session_id::text AS session_id, told.room_id,
  floor(extract(epoch FROM told.opened_at - interval '5 minutes') * 1000)::bigint::text AS from_ms,
  CASE WHEN told.closed_at IS NULL THEN 'now'
    ELSE ceil(extract(epoch FROM told.closed_at + interval '5 minutes') * 1000)::bigint::text END AS to_ms
FROM (
  SELECT session_id
  FROM session
  WHERE room_id = substring(${room:sqlstring} from '^[0-9]{1,9}$')::int
  ORDER BY opened_at DESC
  LIMIT 50
) AS newest
JOIN session_summary AS told ON told.session_id = newest.session_id
ORDER BY told.opened_at DESC
